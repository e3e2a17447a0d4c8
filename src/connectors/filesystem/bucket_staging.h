#pragma once

/// Files of a sink in a bucket: each grows as an upload in parts, which nobody sees, and is completed.
///
/// A thread behind the sink does all that needs the network, in order; the sink only appends bytes and cuts
/// them into parts. So a record holds the upload's id, its finished parts, and as tail all bytes behind
/// those, whether their upload is under way or not: a snapshot waits for nothing. Parts but the last have at
/// least 5 MiB, so the tail stays below that but for parts under way. A file that is closed below that size
/// is held in memory (and in the state) and put whole.
///
/// `<root>/.tmp/<staged>` is an object that holds the final key: it says whose an unfinished upload is, and
/// goes when the file is in place. The file itself carries its staged name as mark, so that a restart knows
/// its own.

#include <cstdint>
#include <memory>

#include "connectors/filesystem/staging.h"
#include "storage/bucket_client.h"

namespace laminar {

struct BucketStagingOptions {
  int64_t part_bytes = 32 << 20;
  /// Files below this are put whole, if memory allows.
  int64_t multipart_bytes_min = BucketClient::kPartBytesMin;
  bool names_may_repeat = false;  ///< `Taken` must look
};

std::unique_ptr<Staging> MakeBucketStaging(std::shared_ptr<BucketClient> client,
                                           const BucketStagingOptions& options);

}  // namespace laminar

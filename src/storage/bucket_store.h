#pragma once

/// A bucket, or a folder of one, as an object store.

#include <memory>

#include "storage/bucket_client.h"
#include "storage/object_store.h"

namespace laminar {

/// Names are below the key of the client's URL. Makes no connection.
std::shared_ptr<ObjectStore> MakeBucketStore(std::shared_ptr<BucketClient> client);

}  // namespace laminar

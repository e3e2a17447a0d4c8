#pragma once

/// Writes rows into files below a directory or a bucket. A file grows where no reader sees it (staging.h) and
/// is put into place once it is full or old enough and the checkpoint that holds it is complete, so that
/// readers see whole files only and each row once.

#include <cstdint>
#include <memory>
#include <string>

#include "connectors/filesystem/file_namer.h"
#include "connectors/filesystem/partitioner.h"
#include "connectors/filesystem/staged_file.h"
#include "runtime/sink.h"

namespace laminar {

/// When a file is closed; 0: never for that reason.
struct RollingPolicy {
  int64_t bytes = 128 << 20;
  int64_t interval_us = 300'000'000;  ///< since its first row
  int64_t inactivity_us = 0;          ///< since its last row
  bool watermark_expiration = false;  ///< when the watermark has passed its time partition
};

struct FilesystemSinkSpec {
  StagingFactory make_staging;
  FileWriteSpec write;  ///< `encoder` is made per subtask
  PartitionSpec partition;
  RollingPolicy rolling;
  NameStrategy naming = NameStrategy::kUuid7;
  std::string prefix;
  std::string suffix;
  /// Names the staged files of a job that keeps no state; else job and operator do.
  std::string sink_token;
};

/// State: table "files": "file/<staged name>" → open or closed, length, place; "serial/<subtask>" → number.
/// Table "tails": staged name → bytes of it that are nowhere else (object stores). Restored by any number of
/// subtasks: each file goes on at the subtask that its name hashes to.
std::unique_ptr<Sink> MakeFilesystemSink(std::shared_ptr<const FilesystemSinkSpec> spec);

}  // namespace laminar

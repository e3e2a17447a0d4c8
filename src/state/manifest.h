#pragma once

/// A checkpoint's manifest (docs/checkpoint-format.md): which files add up to the state, and what each
/// operator declared when it was written.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "state/snapshot.h"

namespace laminar {

/// A file of a checkpoint is not what was written. Anything else that keeps it from being read is an
/// ExternalError of another kind, and says nothing about the checkpoint.
class StateDamaged : public ExternalError {
 public:
  StateDamaged(const std::string& name, const std::string& what)
      : ExternalError("state", "'" + name + "' is damaged: " + what) {}
};

struct ManifestTable {
  StateTableSpec spec;
  int64_t entries = 0;  ///< over the files, superseded ones included
  int64_t bytes = 0;    ///< of their blocks
};

struct ManifestOperator {
  std::string id;
  std::string name;
  int parallelism = 1;
  std::vector<ManifestTable> tables;
  int64_t bytes() const;
  int64_t entries() const;
};

struct ManifestFile {
  std::string name;
  int64_t bytes = 0;
  uint64_t checksum = 0;
  uint64_t first_epoch = 0;
  uint64_t last_epoch = 0;
};

enum class CheckpointKind { kScheduled, kFinal, kSeal, kManual, kStopping, kSavepoint };
std::string_view CheckpointKindName(CheckpointKind kind);

struct Manifest {
  uint64_t epoch = 0;
  CheckpointKind kind = CheckpointKind::kScheduled;
  int64_t created_ms = 0;
  std::string job;  ///< the same for all runs on this state: names what sinks stage elsewhere
  std::string run;
  std::vector<ManifestOperator> operators;
  std::vector<ManifestFile> files;  ///< oldest first

  int64_t bytes() const;
  std::string ToText() const;
  /// Throws ExternalError with `name` when the text is damaged or of a later format.
  static Manifest FromText(const std::string& text, const std::string& name);
};

/// The number as 16 hexadecimal digits, as checksums are written.
std::string Hex16(uint64_t value);

}  // namespace laminar

#pragma once

/// Reads the files of a table: lists them, spreads them over subtasks by the hash of their name, and keeps
/// the read position of each. Used by single_file and filesystem.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connectors/files/file_split.h"
#include "runtime/source.h"

namespace laminar {

struct FileToRead {
  std::string name;  ///< of the split: key of its state
  std::string path;
};

struct FileSourceSpec {
  std::shared_ptr<const FileReadSpec> read;
  /// All files there are now, sorted by name. Throws ExternalError when the place itself is missing.
  std::function<std::vector<FileToRead>()> list;
  bool one_reader = false;       ///< all files to subtask 0, else by hash of the name
  bool files_grow = false;       ///< a restart reads what was appended to a file that had been read whole
  int64_t scan_interval_us = 0;  ///< > 0: list again this often and never end
};

/// State: split name → "done <position>", or "at <position>".
///
/// All files that a listing finds are announced at once, so that a file yet to be read holds the watermark
/// back: files may overlap in time, and no row of a bounded read may be late because its file came second.
std::unique_ptr<Source> MakeFileSource(FileSourceSpec spec);

}  // namespace laminar

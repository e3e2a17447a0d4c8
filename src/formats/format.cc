#include "formats/format.h"

#include <arrow/array.h>

#include <algorithm>

#include "base/name.h"

namespace laminar {

namespace {

/// Names that differ only in case and `-` for `_` are one.
std::string FormatName(std::string_view name) {
  std::string folded = FoldName(name);
  std::replace(folded.begin(), folded.end(), '-', '_');
  return folded;
}

}  // namespace

DecodeResult Decoder::DecodeMessages(const std::vector<std::string_view>& messages, int64_t rows_max,
                                     std::vector<int32_t>* row_messages) {
  if (row_messages) row_messages->clear();
  DecodeResult all;
  std::vector<Batch> parts;
  int64_t rows = 0;
  size_t next = 0;
  for (; next < messages.size() && (rows < rows_max || parts.empty()); ++next) {
    std::string_view rest = messages[next];
    do {
      DecodeResult part = Decode(rest, std::max<int64_t>(1, rows_max - rows));
      rest.remove_prefix(static_cast<size_t>(part.consumed));
      for (BadRecord& bad : part.bad) {
        bad.position = static_cast<int64_t>(next);
        all.bad.push_back(std::move(bad));
      }
      rows += part.batch.num_rows;
      if (row_messages) row_messages->resize(static_cast<size_t>(rows), static_cast<int32_t>(next));
      parts.push_back(std::move(part.batch));
      if (part.consumed == 0) break;
    } while (!rest.empty());
  }
  if (parts.empty()) parts.push_back(Decode({}, rows_max).batch);
  all.batch = Concat(parts);
  all.consumed = static_cast<int64_t>(next);
  return all;
}

void FormatRegistry::Add(Format format) {
  auto shared = std::make_shared<const Format>(std::move(format));
  for (const std::string& name : shared->names) {
    const bool added = formats_.emplace(FormatName(name), shared).second;
    // `debezium_json` and `debezium-json` fold to one name of one format.
    LAMINAR_CHECK(added || formats_[FormatName(name)] == shared, "format '" + name + "' registered twice");
  }
}

const Format* FormatRegistry::Find(std::string_view name) const {
  const auto found = formats_.find(FormatName(name));
  return found == formats_.end() ? nullptr : found->second.get();
}

std::vector<const Format*> FormatRegistry::formats() const {
  std::vector<const Format*> out;
  for (const auto& [name, format] : formats_) {
    if (FormatName(format->names[0]) == name) out.push_back(format.get());
  }
  return out;
}

std::vector<std::string> FormatRegistry::names() const {
  std::vector<std::string> out;
  for (const Format* format : formats()) out.push_back(format->names[0]);
  return out;
}

}  // namespace laminar

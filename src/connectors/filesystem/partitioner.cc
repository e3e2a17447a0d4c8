#include "connectors/filesystem/partitioner.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>

#include <ctime>
#include <unordered_map>

#include "base/arrow_result.h"

namespace laminar {

namespace {

constexpr const char* kNullPartition = "__HIVE_DEFAULT_PARTITION__";

std::string PercentEncoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) || std::string_view("-_.~ :+").find(c) != std::string_view::npos;
    if (plain) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

int64_t TicksPerSecond(const arrow::DataType& type) {
  switch (static_cast<const arrow::TimestampType&>(type).unit()) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      return 1'000'000'000;
  }
  return 1'000'000;
}

/// The directory part that one column gives, per row; the same text is made once for equal neighbours.
class TimePart {
 public:
  TimePart(const arrow::Array& column, const std::string& pattern)
      : column_(static_cast<const arrow::TimestampArray&>(column)),
        ticks_(TicksPerSecond(*column.type())),
        pattern_(pattern) {}

  const std::string& At(int64_t row) {
    if (column_.IsNull(row)) return null_;
    const int64_t second = FloorDiv(column_.Value(row), ticks_);
    if (!known_ || second != second_) {
      text_ = TimeDirectory(pattern_, second * 1'000'000);
      second_ = second;
      known_ = true;
    }
    return text_;
  }

 private:
  const arrow::TimestampArray& column_;
  const int64_t ticks_;
  const std::string& pattern_;
  const std::string null_ = kNullPartition;
  bool known_ = false;
  int64_t second_ = 0;
  std::string text_;
};

std::shared_ptr<arrow::StringArray> AsText(const std::shared_ptr<arrow::Array>& column,
                                           const std::string& name) {
  auto text = arrow::compute::Cast(*column, arrow::utf8());
  if (!text.ok()) {
    throw QueryError("files cannot be partitioned by '" + name + "' of type " + column->type()->ToString());
  }
  return std::static_pointer_cast<arrow::StringArray>(*text);
}

}  // namespace

std::string TimeDirectory(const std::string& pattern, int64_t time_us) {
  const std::time_t seconds = FloorDiv(time_us, 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::string text(pattern.size() * 4 + 64, '\0');
  const size_t length = std::strftime(text.data(), text.size(), pattern.c_str(), &parts);
  text.resize(length);
  while (!text.empty() && text.back() == '/') text.pop_back();
  return text;
}

std::vector<Partition> PartitionRows(const Batch& batch, const PartitionSpec& spec) {
  std::vector<Partition> partitions;
  std::unordered_map<std::string, size_t> index;
  std::vector<std::shared_ptr<arrow::StringArray>> fields;
  for (size_t i = 0; i < spec.field_columns.size(); ++i) {
    fields.push_back(AsText(batch.columns[static_cast<size_t>(spec.field_columns[i])], spec.field_names[i]));
  }
  std::unique_ptr<TimePart> time;
  if (!spec.time_pattern.empty()) {
    time = std::make_unique<TimePart>(*batch.columns[static_cast<size_t>(spec.event_time_column)],
                                      spec.time_pattern);
  }
  std::string directory;
  size_t last = 0;
  for (int64_t row = 0; row < batch.num_rows; ++row) {
    directory.clear();
    if (time) directory = time->At(row);
    for (size_t i = 0; i < fields.size(); ++i) {
      if (!directory.empty()) directory.push_back('/');
      directory += spec.field_names[i];
      directory.push_back('=');
      directory += fields[i]->IsNull(row) ? kNullPartition : PercentEncoded(fields[i]->GetView(row));
    }
    if (partitions.empty() || directory != partitions[last].directory) {
      const auto [at, added] = index.emplace(directory, partitions.size());
      if (added) partitions.push_back({directory, {}});
      last = at->second;
    }
    partitions[last].rows.push_back(static_cast<int32_t>(row));
  }
  return partitions;
}

}  // namespace laminar

#include "operators/window_times.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <algorithm>

#include "base/arrow_result.h"
#include "runtime/operator.h"
#include "state/row_bytes.h"

namespace laminar {

namespace {

// Times this far out are no dates; keeping away from the ends of int64 lets windows add their lengths.
constexpr int64_t kTimeMax = int64_t{1} << 62;

int64_t FloorToMicros(int64_t nanos) { return nanos / 1000 - (nanos % 1000 < 0 ? 1 : 0); }

}  // namespace

void ReadTimes(const arrow::Array& column, std::vector<int64_t>* times, std::vector<int32_t>* rows,
               bool* has_nulls) {
  const int64_t count = column.length();
  const auto& type = static_cast<const arrow::TimestampType&>(*column.type());
  LAMINAR_CHECK(type.id() == arrow::Type::TIMESTAMP, "row time is not a TIMESTAMP");
  const int64_t* values = static_cast<const arrow::TimestampArray&>(column).raw_values();
  times->resize(static_cast<size_t>(count));
  rows->clear();
  *has_nulls = column.null_count() > 0;
  const bool nanos = type.unit() == arrow::TimeUnit::NANO;
  for (int64_t i = 0; i < count; ++i) {
    (*times)[i] = nanos ? FloorToMicros(values[i]) : std::clamp(values[i], -kTimeMax, kTimeMax);
  }
  if (!*has_nulls) return;
  for (int64_t i = 0; i < count; ++i) {
    if (!column.IsNull(i)) rows->push_back(static_cast<int32_t>(i));
  }
}

std::shared_ptr<arrow::Array> TimestampColumn(const std::vector<int64_t>& times) {
  const auto count = static_cast<int64_t>(times.size());
  std::shared_ptr<arrow::Buffer> buffer = OrThrow(arrow::AllocateBuffer(count * 8), "allocate");
  std::copy(times.begin(), times.end(), reinterpret_cast<int64_t*>(buffer->mutable_data()));
  return std::make_shared<arrow::TimestampArray>(arrow::timestamp(arrow::TimeUnit::MICRO), count,
                                                 std::move(buffer));
}

std::shared_ptr<arrow::Array> TimestampColumn(int64_t time, int64_t count) {
  return TimestampColumn(std::vector<int64_t>(static_cast<size_t>(count), time));
}

std::vector<int32_t> RowsOfOpenWindows(const RowTimes& ends, int64_t num_rows, int64_t watermark_us,
                                       OperatorMetrics* metrics) {
  std::vector<int32_t> rows;
  for (int64_t row = 0; row < num_rows; ++row) {
    if (!ends.IsNull(row) && ends[row] > watermark_us) rows.push_back(static_cast<int32_t>(row));
  }
  metrics->late_rows.Add(num_rows - static_cast<int64_t>(rows.size()));
  return rows;
}

int64_t FirstOpenEnd(int64_t watermark_us) {
  return watermark_us == kMaxWatermark ? watermark_us : watermark_us + 1;
}

StateTableSpec ProgressTable(std::string layout) {
  return {kProgressTable,
          1,
          std::move(layout),
          {StatePart::Text("name")},
          {StatePart::Plain({{"watermark", Type::Timestamp()}})}};
}

void SnapshotProgress(SnapshotWriter& writer, int64_t watermark_us) {
  std::string value;
  AppendPlain(watermark_us, &value);
  writer.Table(kProgressTable).Put(kEverySubtask, "watermark", value);
}

int64_t RestoreProgress(const SnapshotReader& reader) {
  int64_t watermark_us = kMinWatermark;
  reader.ForEach(kProgressTable, [&](const StateEntry& entry) {
    std::string_view value = entry.value;
    watermark_us = TakePlain<int64_t>(&value);
  });
  // Written after the end of the data: a source that goes on may bring rows of any window.
  return watermark_us == kMaxWatermark ? kMinWatermark : watermark_us;
}

}  // namespace laminar

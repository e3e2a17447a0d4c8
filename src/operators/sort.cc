#include "operators/sort.h"

#include <arrow/array.h>

#include <algorithm>
#include <numeric>

#include "operators/accumulator_set.h"
#include "operators/row_times.h"
#include "operators/window_times.h"
#include "state/keyed_log.h"
#include "state/keyed_map.h"

namespace laminar {
namespace {

constexpr int64_t kEmitRows = 8192;
constexpr int64_t kAtEnd = 0;  // time of all rows when there are no windows

/// Rows wait as bytes, by the end of their window, and are sorted when it closes.
class Sort final : public Operator {
 public:
  explicit Sort(SortOptions options)
      : options_(std::move(options)),
        key_columns_(options_.per_window ? std::vector<int>{options_.window_start} : std::vector<int>{}),
        keys_(PickTypes(options_.input, key_columns_)),
        waiting_(PickTypes(options_.input, key_columns_), {.expires = true}),
        codec_(AllTypes(options_.input)) {}

  std::vector<StateTableSpec> state_tables() const override {
    return {LogTable("rows", options_.input.ToString(), {}, options_.input.fields), ProgressTable()};
  }

  void OnBatch(int, Batch batch, Output&) override {
    std::vector<int32_t> rows;
    std::vector<int64_t> times;
    SelectLive(batch, &rows, &times);
    const auto count = static_cast<int64_t>(rows.size());
    if (count == 0) return;
    keys_.Assign(PickColumns(batch, key_columns_), batch.num_rows);
    std::vector<uint32_t> slots(rows.size());
    waiting_.FindOrInsertKeys(keys_, rows.data(), count, slots.data());
    ByteStrings encoded;
    codec_.Encode(batch.columns, rows.data(), count, &encoded);
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::string_view bytes = encoded[static_cast<int64_t>(i)];
      const int32_t weight = batch.weight(rows[i]);
      if (weight == 1) {
        waiting_.Append(slots[i], times[i], 1, bytes);
      } else {
        waiting_.AddWeight(slots[i], times[i], weight, bytes);
      }
    }
  }

  void OnWatermark(int64_t watermark_us, Output& out) override {
    watermark_us_ = watermark_us;
    if (options_.per_window) {
      Fire(FirstOpenEnd(watermark_us), out);
    } else if (watermark_us == kMaxWatermark) {
      Fire(kAtEnd + 1, out);
    }
    out.EmitWatermark(watermark_us);
  }

  void OnFlush(Output&) override {
    waiting_.Maintain();
    context_.metrics->state_rows.Set(waiting_.size());
  }

  void Snapshot(SnapshotWriter& writer) override {
    waiting_.Snapshot(writer, "rows");
    SnapshotProgress(writer, watermark_us_);
  }
  void Restore(const SnapshotReader& reader) override {
    waiting_.Restore(reader, "rows");
    watermark_us_ = RestoreProgress(reader);
  }

 private:
  void SelectLive(const Batch& batch, std::vector<int32_t>* rows, std::vector<int64_t>* times) {
    if (!options_.per_window) {
      rows->resize(static_cast<size_t>(batch.num_rows));
      std::iota(rows->begin(), rows->end(), 0);
      times->assign(rows->size(), kAtEnd);
      return;
    }
    const RowTimes ends(batch.columns[static_cast<size_t>(options_.window_end)]);
    *rows = RowsOfOpenWindows(ends, batch.num_rows, watermark_us_, context_.metrics);
    for (const int32_t row : *rows) times->push_back(ends[row]);
  }

  /// Sends all rows of times before `time`: by window end and start, then in order, ties by arrival.
  void Fire(int64_t time, Output& out) {
    ByteStrings due;
    std::vector<int32_t> weights;
    waiting_.ExpireBefore(time, [&](const LogRow& row) {
      due.Append(row.bytes());
      weights.push_back(row.weight);
    });
    if (due.size() == 0) return;
    const std::vector<int64_t> order = SortedOrder(due);
    std::vector<std::string_view> rows;
    auto send = [&] {
      Batch batch;
      batch.num_rows = static_cast<int64_t>(rows.size());
      batch.columns = codec_.Decode(rows);
      rows.clear();
      out.Emit(std::move(batch));
    };
    for (const int64_t index : order) {
      for (int32_t copies = weights[static_cast<size_t>(index)]; copies > 0; --copies)
        rows.push_back(due[index]);
      if (static_cast<int64_t>(rows.size()) >= kEmitRows) send();
    }
    if (!rows.empty()) send();
  }

  std::vector<int64_t> SortedOrder(const ByteStrings& due) const {
    std::vector<int> columns = options_.order_columns;
    std::vector<SortColumn> order = options_.order;
    if (options_.per_window) {
      columns.insert(columns.begin(), {options_.window_end, options_.window_start});
      order.insert(order.begin(), 2, SortColumn{});
    }
    ByteStrings sort_bytes;
    for (int64_t begin = 0; begin < due.size(); begin += kEmitRows) {
      std::vector<std::string_view> rows;
      for (int64_t i = begin; i < std::min(begin + kEmitRows, due.size()); ++i) rows.push_back(due[i]);
      EncodeSortKeys(codec_.DecodeColumns(rows, columns), order, static_cast<int64_t>(rows.size()),
                     &sort_bytes);
    }
    std::vector<int64_t> indices(static_cast<size_t>(due.size()));
    std::iota(indices.begin(), indices.end(), 0);
    std::stable_sort(indices.begin(), indices.end(),
                     [&](int64_t a, int64_t b) { return sort_bytes[a] < sort_bytes[b]; });
    return indices;
  }

  const SortOptions options_;
  const std::vector<int> key_columns_;
  KeyBatch keys_;
  KeyedLog waiting_;
  RowCodec codec_;
  int64_t watermark_us_ = kMinWatermark;
};

}  // namespace

std::unique_ptr<Operator> MakeSort(SortOptions options) { return std::make_unique<Sort>(std::move(options)); }

}  // namespace laminar

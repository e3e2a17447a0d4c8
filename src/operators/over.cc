#include "operators/over.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/arrow_result.h"
#include "operators/accumulator_set.h"
#include "operators/row_times.h"
#include "operators/window_times.h"
#include "state/keyed_log.h"
#include "state/keyed_map.h"
#include "state/row_bytes.h"

namespace laminar {
namespace {

using Columns = std::vector<std::shared_ptr<arrow::Array>>;

constexpr int64_t kChunkRows = 16384;  // computed together, more where peers or a window must not be cut
constexpr int64_t kEmitRows = 8192;
constexpr size_t kUpdateRows = 65536;  // rows of frames per call of the aggregates
constexpr int64_t kSweepsPerTtl = 8;
// A key's record: int64 time last touched, rows so far, groups of peers so far; then accumulators.
constexpr int64_t kRowsOffset = 8, kGroupsOffset = 16, kHeaderBytes = 24;

template <typename Builder, typename Value>
std::shared_ptr<arrow::Array> NumberColumn(const std::vector<Value>& values) {
  Builder builder;
  OrThrow(builder.AppendValues(values));
  return OrThrow(builder.Finish());
}

int64_t& Number(uint8_t* record, int64_t offset) { return *reinterpret_cast<int64_t*>(record + offset); }

std::vector<AggregateSpec> AggregateSpecs(const OverOptions& options) {
  std::vector<AggregateSpec> specs;
  for (const OverSpec& call : options.calls) {
    if (call.function != OverFunction::kAggregate) continue;
    AggregateSpec spec;
    spec.function = call.aggregate;
    spec.args = call.args;
    spec.filter = call.filter;
    specs.push_back(std::move(spec));
  }
  return specs;
}

/// Rows of one key (and window) in order. Entries of `rows` are rows of the batch at hand.
struct Partition {
  std::vector<int32_t> rows;
  size_t first = 0;                ///< rows before it went out earlier: they are there for frames to reach
  std::vector<int64_t> positions;  ///< [rows]: in the whole partition, from 0; kept rows may leave gaps
  uint8_t* running = nullptr;      ///< the key's record, when values run on over batches
  // [rows]: peers and frame as indices into `rows`, ends exclusive.
  std::vector<size_t> peers_begin, peers_end, frame_begin, frame_end;
};

/// Computes the calls for rows [0, num_due) of a batch.
class OverCalls {
 public:
  explicit OverCalls(const OverOptions& options)
      : options_(options), accumulators_(AggregateSpecs(options), kHeaderBytes) {}

  const AccumulatorSet& accumulators() const { return accumulators_; }
  /// Frames begin with the partition: aggregates are accumulated, not computed anew per row.
  bool runs() const { return options_.whole_partition || !options_.preceding; }

  /// One column per call, each [num_due]. `order`: the order columns of `batch`, with `sort` for peers.
  Columns Compute(const Batch& batch, int64_t num_due, const ByteStrings& sort,
                  const std::shared_ptr<arrow::Array>& order, std::vector<Partition>* partitions) {
    for (Partition& partition : *partitions) FindPeers(sort, &partition);
    FindFrames(order, partitions);
    Columns aggregates;
    if (!accumulators_.specs().empty()) aggregates = Aggregate(batch, num_due, partitions);
    Columns results;
    size_t next_aggregate = 0;
    for (const OverSpec& call : options_.calls) {
      results.push_back(call.function == OverFunction::kAggregate
                            ? aggregates[next_aggregate++]
                            : ComputeCall(call, batch, num_due, *partitions));
    }
    return results;
  }

 private:
  static void FindPeers(const ByteStrings& sort, Partition* partition) {
    const auto& rows = partition->rows;
    partition->peers_begin.resize(rows.size());
    partition->peers_end.resize(rows.size());
    for (size_t begin = 0; begin < rows.size();) {
      size_t end = begin + 1;
      while (end < rows.size() && sort[rows[end]] == sort[rows[begin]]) ++end;
      for (size_t i = begin; i < end; ++i) {
        partition->peers_begin[i] = begin;
        partition->peers_end[i] = end;
      }
      begin = end;
    }
  }

  void FindFrames(const std::shared_ptr<arrow::Array>& order, std::vector<Partition>* partitions) const {
    const bool by_value = !options_.rows_frame && options_.preceding && !options_.whole_partition && order;
    std::optional<RowTimes> values;
    if (by_value) values.emplace(order);
    for (Partition& partition : *partitions) {
      const size_t count = partition.rows.size();
      partition.frame_begin.assign(count, 0);
      partition.frame_end.assign(count, count);
      if (options_.whole_partition) continue;
      for (size_t i = 0; i < count; ++i)
        partition.frame_end[i] = options_.rows_frame ? i + 1 : partition.peers_end[i];
      if (by_value) {
        FindRangeBegins(*values, &partition);
      } else if (options_.preceding && options_.rows_frame) {
        const auto preceding = static_cast<size_t>(std::max<int64_t>(*options_.preceding, 0));
        for (size_t i = preceding; i < count; ++i) partition.frame_begin[i] = i - preceding;
      }
    }
  }

  void FindRangeBegins(const RowTimes& values, Partition* partition) const {
    const bool descending = !options_.order.empty() && options_.order[0].descending;
    size_t begin = 0;
    for (size_t i = 0; i < partition->rows.size(); ++i) {
      const int32_t row = partition->rows[i];
      if (values.IsNull(row)) {  // no distance from NULL: its frame is its peers
        partition->frame_begin[i] = partition->peers_begin[i];
        continue;
      }
      for (; begin < i; ++begin) {
        const int32_t candidate = partition->rows[begin];
        if (values.IsNull(candidate)) continue;
        const int64_t distance =
            descending ? values[candidate] - values[row] : values[row] - values[candidate];
        if (distance <= *options_.preceding) break;
      }
      partition->frame_begin[i] = begin;
    }
  }

  // Aggregates

  uint8_t* NewRecord() {
    const auto words = static_cast<size_t>(accumulators_.record_bytes() / 8);
    if (records_used_ + words > block_words_) {
      block_words_ = std::max<size_t>(words, 65536);
      blocks_.push_back(std::make_unique<uint64_t[]>(block_words_));
      records_used_ = 0;
    }
    auto* record = reinterpret_cast<uint8_t*>(blocks_.back().get() + records_used_);
    records_used_ += words;
    made_.push_back(record);
    return record;
  }
  uint8_t* CopyRecord(const uint8_t* from) {
    uint8_t* record = NewRecord();
    if (accumulators_.owns_memory()) {
      std::string bytes;
      accumulators_.Serialize(from, &bytes);
      accumulators_.Deserialize(bytes, record);
    } else {
      std::memcpy(record + kHeaderBytes, from + kHeaderBytes,
                  static_cast<size_t>(accumulators_.record_bytes() - kHeaderBytes));
    }
    return record;
  }

  Columns Aggregate(const Batch& batch, int64_t num_due, std::vector<Partition>* partitions) {
    records_.assign(static_cast<size_t>(num_due), nullptr);
    if (runs()) {
      Accumulate(batch, partitions);
    } else {
      for (const Partition& partition : *partitions) AddFrames(batch, partition);
      Update(batch);
    }
    Columns results = accumulators_.Finish(records_.data(), num_due);
    if (accumulators_.owns_memory()) {
      for (uint8_t* record : made_) accumulators_.Destroy(record);
    }
    made_.clear();
    blocks_.clear();
    block_words_ = records_used_ = 0;
    return results;
  }

  void AddFrames(const Batch& batch, const Partition& partition) {
    for (size_t i = partition.first; i < partition.rows.size(); ++i) {
      const auto row = static_cast<size_t>(partition.rows[i]);
      const bool is_previous = i > partition.first &&
                               partition.frame_begin[i] == partition.frame_begin[i - 1] &&
                               partition.frame_end[i] == partition.frame_end[i - 1];
      if (is_previous) {
        records_[row] = records_[static_cast<size_t>(partition.rows[i - 1])];
        continue;
      }
      records_[row] = NewRecord();
      accumulators_.Init(records_[row]);
      for (size_t j = partition.frame_begin[i]; j < partition.frame_end[i]; ++j) {
        update_rows_.push_back(partition.rows[j]);
        update_records_.push_back(records_[row]);
      }
      if (update_rows_.size() >= kUpdateRows) Update(batch);
    }
  }

  void Update(const Batch& batch) {
    if (update_rows_.empty()) return;
    accumulators_.Update(batch, update_rows_.data(), static_cast<int64_t>(update_rows_.size()),
                         update_records_.data());
    update_rows_.clear();
    update_records_.clear();
  }

  /// Adds rows to the running values, a step (a row, or peers) of every partition at a time, so that many
  /// keys make long updates.
  void Accumulate(const Batch& batch, std::vector<Partition>* partitions) {
    struct Run {
      const Partition* partition;
      uint8_t* record;
      size_t next;
    };
    std::vector<Run> runs;
    for (const Partition& partition : *partitions) {
      uint8_t* record = partition.running;
      if (!record) accumulators_.Init(record = NewRecord());
      runs.push_back({&partition, record, partition.first});
    }
    while (!runs.empty()) {
      for (const Run& run : runs) {
        for (size_t i = run.next; i < run.partition->frame_end[run.next]; ++i) {
          update_rows_.push_back(run.partition->rows[i]);
          update_records_.push_back(run.record);
        }
      }
      Update(batch);
      for (Run& run : runs) {
        const size_t end = run.partition->frame_end[run.next];
        uint8_t* result = CopyRecord(run.record);
        for (; run.next < end; ++run.next)
          records_[static_cast<size_t>(run.partition->rows[run.next])] = result;
      }
      std::erase_if(runs, [](const Run& run) { return run.next >= run.partition->rows.size(); });
    }
  }

  // Other calls

  std::shared_ptr<arrow::Array> ComputeCall(const OverSpec& call, const Batch& batch, int64_t num_due,
                                            const std::vector<Partition>& partitions) const {
    switch (call.function) {
      case OverFunction::kLag:
      case OverFunction::kLead:
      case OverFunction::kFirstValue:
      case OverFunction::kLastValue:
      case OverFunction::kNthValue:
        return ComputeValue(call, batch, num_due, partitions);
      case OverFunction::kPercentRank:
      case OverFunction::kCumeDist:
        return ComputeShare(call, num_due, partitions);
      default:
        return ComputeRank(call, num_due, partitions);
    }
  }

  static std::shared_ptr<arrow::Array> ComputeRank(const OverSpec& call, int64_t num_due,
                                                   const std::vector<Partition>& partitions) {
    std::vector<int64_t> ranks(static_cast<size_t>(num_due));
    for (const Partition& partition : partitions) {
      const int64_t rows_before = partition.running ? Number(partition.running, kRowsOffset) : 0;
      int64_t group = partition.running ? Number(partition.running, kGroupsOffset) : 0;
      for (size_t i = partition.first; i < partition.rows.size(); ++i) {
        if (partition.peers_begin[i] == i) ++group;
        int64_t& rank = ranks[static_cast<size_t>(partition.rows[i])];
        switch (call.function) {
          case OverFunction::kRank:
            rank = rows_before + static_cast<int64_t>(partition.peers_begin[i] - partition.first) + 1;
            break;
          case OverFunction::kDenseRank:
            rank = group;
            break;
          case OverFunction::kNtile:
            rank = Tile(static_cast<int64_t>(i), static_cast<int64_t>(partition.rows.size()), call.offset);
            break;
          default:
            rank = rows_before + static_cast<int64_t>(i - partition.first) + 1;
        }
      }
    }
    return NumberColumn<arrow::Int64Builder>(ranks);
  }

  /// The bucket, from 1, of row `i` of `count`; the first buckets are one longer when they do not divide
  /// evenly.
  static int64_t Tile(int64_t i, int64_t count, int64_t tiles) {
    const int64_t size = count / tiles, longer = count % tiles;
    if (i < longer * (size + 1)) return i / (size + 1) + 1;
    return longer + (i - longer * (size + 1)) / size + 1;
  }

  static std::shared_ptr<arrow::Array> ComputeShare(const OverSpec& call, int64_t num_due,
                                                    const std::vector<Partition>& partitions) {
    std::vector<double> shares(static_cast<size_t>(num_due));
    for (const Partition& partition : partitions) {
      const auto count = static_cast<double>(partition.rows.size());
      for (size_t i = 0; i < partition.rows.size(); ++i) {
        double& share = shares[static_cast<size_t>(partition.rows[i])];
        if (call.function == OverFunction::kCumeDist) {
          share = static_cast<double>(partition.peers_end[i]) / count;
        } else {
          share = count > 1 ? static_cast<double>(partition.peers_begin[i]) / (count - 1) : 0.0;
        }
      }
    }
    return NumberColumn<arrow::DoubleBuilder>(shares);
  }

  std::shared_ptr<arrow::Array> ComputeValue(const OverSpec& call, const Batch& batch, int64_t num_due,
                                             const std::vector<Partition>& partitions) const {
    const auto& values = batch.columns[static_cast<size_t>(call.args.at(0))];
    const bool shifts = call.function == OverFunction::kLag || call.function == OverFunction::kLead;
    const bool has_default = shifts && call.args.size() > 1;
    // Candidates: the values, a NULL, and each row's default.
    arrow::ArrayVector parts{values, OrThrow(arrow::MakeArrayOfNull(values->type(), 1))};
    if (has_default) parts.push_back(batch.columns[static_cast<size_t>(call.args[1])]);
    const auto null_index = static_cast<int32_t>(batch.num_rows);
    std::vector<int32_t> picks(static_cast<size_t>(num_due), null_index);
    for (const Partition& partition : partitions) {
      for (size_t i = partition.first; i < partition.rows.size(); ++i) {
        const int32_t row = partition.rows[i];
        const int64_t at = Locate(call, *values, partition, i);
        int32_t& pick = picks[static_cast<size_t>(row)];
        if (at >= 0) {
          pick = partition.rows[static_cast<size_t>(at)];
        } else if (has_default) {
          pick = null_index + 1 + row;
        }
      }
    }
    Batch candidates;
    candidates.columns = {OrThrow(arrow::Concatenate(parts))};
    candidates.num_rows = candidates.columns[0]->length();
    return Take(candidates, picks).columns[0];
  }

  /// Index into the partition of the row that the call gives for row `i`; −1: none.
  int64_t Locate(const OverSpec& call, const arrow::Array& values, const Partition& partition,
                 size_t i) const {
    const auto here = static_cast<int64_t>(i), count = static_cast<int64_t>(partition.rows.size());
    const auto begin = static_cast<int64_t>(partition.frame_begin[i]),
               end = static_cast<int64_t>(partition.frame_end[i]);
    // The n-th row that counts, from `from` on by `step` until `stop`.
    auto nth = [&](int64_t from, int64_t step, int64_t stop, int64_t n) -> int64_t {
      if (!call.ignore_nulls) {
        const int64_t at = from + step * (n - 1);
        return (step > 0 ? at < stop : at > stop) ? at : -1;
      }
      for (int64_t at = from; at != stop; at += step) {
        if (!values.IsNull(partition.rows[static_cast<size_t>(at)]) && --n == 0) return at;
      }
      return -1;
    };
    switch (call.function) {
      case OverFunction::kLag:
      case OverFunction::kLead: {
        if (call.offset == 0) return here;
        if (call.function == OverFunction::kLead) return nth(here + 1, 1, count, call.offset);
        const int64_t at = nth(here - 1, -1, -1, call.offset);
        if (at < 0 || call.ignore_nulls || partition.positions.empty()) return at;
        return partition.positions[static_cast<size_t>(at)] == partition.positions[i] - call.offset ? at : -1;
      }
      case OverFunction::kLastValue:
        return nth(end - 1, -1, begin - 1, 1);
      case OverFunction::kNthValue:
        return nth(begin, 1, end, call.offset);
      default:
        return nth(begin, 1, end, 1);
    }
  }

  const OverOptions& options_;
  AccumulatorSet accumulators_;

  // Scratch.
  std::vector<std::unique_ptr<uint64_t[]>> blocks_;
  size_t block_words_ = 0, records_used_ = 0;
  std::vector<uint8_t*> made_;
  std::vector<uint8_t*> records_;  // by row that is due
  std::vector<int32_t> update_rows_;
  std::vector<uint8_t*> update_records_;
};

std::string Layout(const OverOptions& options, const std::vector<int>& keys) {
  std::string layout;
  for (const int key : keys) layout += options.input.fields[key].type.ToString() + ", ";
  return layout + "-> " + options.input.ToString();
}

/// Groups rows 0..count−1 by key, partitions in the order of their first rows.
std::vector<Partition> GroupRows(const Columns& key_columns, int64_t count, KeyBatch* keys,
                                 KeyedMap* groups) {
  keys->Assign(key_columns, count);
  std::vector<uint32_t> slots(static_cast<size_t>(count));
  std::vector<uint32_t> inserted;
  groups->Clear();
  groups->FindOrInsert(*keys, nullptr, count, slots.data(), &inserted);
  std::vector<uint32_t> partition_of(groups->slots_end());
  for (size_t i = 0; i < inserted.size(); ++i) partition_of[inserted[i]] = static_cast<uint32_t>(i);
  std::vector<Partition> partitions(inserted.size());
  for (int64_t row = 0; row < count; ++row) {
    partitions[partition_of[slots[static_cast<size_t>(row)]]].rows.push_back(static_cast<int32_t>(row));
  }
  return partitions;
}

/// In pieces that downstream operators are used to.
void EmitInPieces(const Batch& batch, Output& out) {
  for (int64_t begin = 0; begin < batch.num_rows; begin += kEmitRows) {
    out.Emit(Slice(batch, begin, std::min(kEmitRows, batch.num_rows - begin)));
  }
}

// ---- per window
// ---------------------------------------------------------------------------------------------------

std::vector<int> WindowStateKeys(const OverOptions& options) {
  return options.keys.empty() ? std::vector<int>{options.window_start} : options.keys;
}

std::vector<int> WindowPartitionKeys(const OverOptions& options) {
  std::vector<int> keys = options.keys;
  keys.push_back(options.window_start);
  keys.push_back(options.window_end);
  return keys;
}

class WindowOver final : public Operator {
 public:
  explicit WindowOver(OverOptions options)
      : options_(std::move(options)),
        calls_(options_),
        state_keys_(WindowStateKeys(options_)),
        partition_keys_(WindowPartitionKeys(options_)),
        keys_(PickTypes(options_.input, state_keys_)),
        waiting_(PickTypes(options_.input, state_keys_), {.expires = true}),
        codec_(AllTypes(options_.input)),
        group_keys_(PickTypes(options_.input, partition_keys_)),
        groups_(PickTypes(options_.input, partition_keys_), 0) {}

  std::vector<StateTableSpec> state_tables() const override {
    return {LogTable("rows", Layout(options_, state_keys_), PickFields(options_.input, state_keys_),
                     options_.input.fields),
            ProgressTable()};
  }

  void OnBatch(int, Batch batch, Output&) override {
    const RowTimes ends(batch.columns[static_cast<size_t>(options_.window_end)]);
    const std::vector<int32_t> rows =
        RowsOfOpenWindows(ends, batch.num_rows, watermark_us_, context_.metrics);
    const auto count = static_cast<int64_t>(rows.size());
    if (count == 0) return;
    keys_.Assign(PickColumns(batch, state_keys_), batch.num_rows);
    std::vector<uint32_t> slots(rows.size());
    waiting_.FindOrInsertKeys(keys_, rows.data(), count, slots.data());
    ByteStrings encoded;
    codec_.Encode(batch.columns, rows.data(), count, &encoded);
    for (size_t i = 0; i < rows.size(); ++i) {
      waiting_.Append(slots[i], ends[rows[i]], 1, encoded[static_cast<int64_t>(i)]);
    }
  }

  void OnWatermark(int64_t watermark_us, Output& out) override {
    watermark_us_ = watermark_us;
    ByteStrings due;
    std::vector<int64_t> ends;
    waiting_.ExpireBefore(FirstOpenEnd(watermark_us), [&](const LogRow& row) {
      due.Append(row.bytes());
      ends.push_back(row.time);
    });
    for (size_t begin = 0; begin < ends.size();) {
      size_t end = std::min(begin + kChunkRows, ends.size());
      while (end < ends.size() && ends[end] == ends[end - 1]) ++end;
      std::vector<std::string_view> rows;
      for (size_t i = begin; i < end; ++i) rows.push_back(due[static_cast<int64_t>(i)]);
      ComputeWindows(rows, out);
      begin = end;
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
  void ComputeWindows(const std::vector<std::string_view>& rows, Output& out) {
    Batch batch;
    batch.num_rows = static_cast<int64_t>(rows.size());
    batch.columns = codec_.Decode(rows);
    std::vector<Partition> partitions =
        GroupRows(PickColumns(batch, partition_keys_), batch.num_rows, &group_keys_, &groups_);
    ByteStrings sort;
    EncodeSortKeys(PickColumns(batch, options_.order_columns), options_.order, batch.num_rows, &sort);
    std::vector<int32_t> order;
    for (Partition& partition : partitions) {
      std::stable_sort(partition.rows.begin(), partition.rows.end(),
                       [&](int32_t a, int32_t b) { return sort[a] < sort[b]; });
      order.insert(order.end(), partition.rows.begin(), partition.rows.end());
    }
    const auto order_values = options_.order_columns.empty()
                                  ? nullptr
                                  : batch.columns[static_cast<size_t>(options_.order_columns[0])];
    Columns results = calls_.Compute(batch, batch.num_rows, sort, order_values, &partitions);
    batch.columns.resize(static_cast<size_t>(options_.num_output_columns));
    batch.columns.insert(batch.columns.end(), results.begin(), results.end());
    EmitInPieces(Take(batch, order), out);
  }

  const OverOptions options_;
  OverCalls calls_;
  const std::vector<int> state_keys_, partition_keys_;
  KeyBatch keys_;
  KeyedLog waiting_;  // by window end
  RowCodec codec_;
  KeyBatch group_keys_;
  KeyedMap groups_;
  int64_t watermark_us_ = kMinWatermark;
};

// ---- by row time
// --------------------------------------------------------------------------------------------------

/// Rows wait until the watermark has passed them. What later rows need of the rows before them: running
/// values per key in `running_`, and rows that a frame or LAG may still reach in `history_`.
class TimeOver final : public Operator {
 public:
  explicit TimeOver(OverOptions options)
      : options_(std::move(options)),
        calls_(options_),
        history_expires_(HistoryExpires(options_)),
        has_running_(HasRunning(options_)),
        keys_(PickTypes(options_.input, options_.keys)),
        waiting_(PickTypes(options_.input, options_.keys), {.expires = true}),
        history_(PickTypes(options_.input, options_.keys), {.expires = history_expires_}),
        running_(PickTypes(options_.input, options_.keys), calls_.accumulators().record_bytes()),
        codec_(AllTypes(options_.input)),
        groups_(PickTypes(options_.input, options_.keys), 0) {}

  ~TimeOver() override {
    if (!calls_.accumulators().owns_memory()) return;
    for (const uint32_t slot : running_.LiveSlots()) calls_.accumulators().Destroy(running_.record(slot));
  }

  std::vector<StateTableSpec> state_tables() const override {
    const std::string layout = Layout(options_, options_.keys);
    const std::vector<Field> keys = PickFields(options_.input, options_.keys);
    std::vector<StateTableSpec> tables{LogTable("waiting", layout, keys, options_.input.fields),
                                       LogTable("history", layout, keys, options_.input.fields,
                                                HistoryExpires(options_) ? Type::Timestamp() : Type::Int64()),
                                       ProgressTable()};
    if (!has_running_) return tables;
    std::vector<StatePart> value = calls_.accumulators().StateParts();
    value.insert(value.begin(), StatePart::Plain({{"touched", Type::Timestamp()},
                                                  {"rows", Type::Int64()},
                                                  {"peer_groups", Type::Int64()}}));
    tables.push_back(
        {"running", 1, "-> " + calls_.accumulators().Layout(), {StatePart::Key(keys)}, std::move(value)});
    return tables;
  }

  void Open(const OperatorContext& context) override {
    Operator::Open(context);
    next_sweep_us_ = context_.clock->now_us() + SweepInterval();
  }

  void OnBatch(int, Batch batch, Output&) override {
    const RowTimes times(batch.columns[static_cast<size_t>(options_.time_column)]);
    std::vector<int32_t> rows;
    int64_t bad = 0;
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      if (times.IsNull(row)) {
        ++bad;
      } else if (times[row] >= watermark_us_) {
        rows.push_back(static_cast<int32_t>(row));
      }
    }
    const auto count = static_cast<int64_t>(rows.size());
    context_.metrics->bad_records.Add(bad);
    context_.metrics->late_rows.Add(batch.num_rows - bad - count);
    if (count == 0) return;
    keys_.Assign(PickColumns(batch, options_.keys), batch.num_rows);
    std::vector<uint32_t> slots(rows.size());
    waiting_.FindOrInsertKeys(keys_, rows.data(), count, slots.data());
    ByteStrings encoded;
    codec_.Encode(batch.columns, rows.data(), count, &encoded);
    for (size_t i = 0; i < rows.size(); ++i) {
      waiting_.Append(slots[i], times[rows[i]], 1, encoded[static_cast<int64_t>(i)]);
    }
  }

  /// Rows at the watermark wait on: peers of them may follow.
  void OnWatermark(int64_t watermark_us, Output& out) override {
    watermark_us_ = watermark_us;
    ByteStrings due;
    std::vector<int64_t> times;
    waiting_.ExpireBefore(watermark_us, [&](const LogRow& row) {
      due.Append(row.bytes());
      times.push_back(row.time);
    });
    for (size_t begin = 0; begin < times.size();) {
      size_t end = std::min(begin + kChunkRows, times.size());
      while (end < times.size() && times[end] == times[end - 1]) ++end;
      std::vector<std::string_view> rows;
      for (size_t i = begin; i < end; ++i) rows.push_back(due[static_cast<int64_t>(i)]);
      ComputeRows(std::move(rows), times[end - 1], out);
      begin = end;
    }
    if (history_expires_ && watermark_us > kMinWatermark + *options_.preceding) {
      history_.ExpireBefore(watermark_us - *options_.preceding, nullptr);
    }
    out.EmitWatermark(watermark_us);
  }

  void OnFlush(Output&) override {
    waiting_.Maintain();
    history_.Maintain();
    running_.Compact();
    context_.metrics->state_rows.Set(waiting_.size() + history_.size() + running_.size());
  }

  std::optional<int64_t> next_timer_us() const override {
    return has_ttl() ? std::optional<int64_t>(next_sweep_us_) : std::nullopt;
  }
  void OnTimer(int64_t now_us, Output&) override {
    next_sweep_us_ = now_us + SweepInterval();
    DropExpired(now_us);
  }

  void Snapshot(SnapshotWriter& writer) override {
    waiting_.Snapshot(writer, "waiting");
    history_.Snapshot(writer, "history");
    SnapshotProgress(writer, watermark_us_);
    if (!has_running_) return;
    running_.Snapshot(writer, "running", [this](uint32_t slot, std::string* out) {
      out->append(reinterpret_cast<const char*>(running_.record(slot)), kHeaderBytes);
      calls_.accumulators().Serialize(running_.record(slot), out);
    });
  }
  void Restore(const SnapshotReader& reader) override {
    waiting_.Restore(reader, "waiting");
    history_.Restore(reader, "history");
    watermark_us_ = RestoreProgress(reader);
    if (!has_running_) return;
    running_.Restore(reader, "running", [this](uint32_t slot, const StateEntry& entry) {
      LAMINAR_CHECK(entry.value.size() >= static_cast<size_t>(kHeaderBytes), "a state entry is too short");
      std::memcpy(running_.record(slot), entry.value.data(), kHeaderBytes);
      calls_.accumulators().Deserialize(entry.value.substr(kHeaderBytes), running_.record(slot));
    });
  }

 private:
  static bool HasLag(const OverOptions& options) {
    return std::any_of(options.calls.begin(), options.calls.end(),
                       [](const OverSpec& call) { return call.function == OverFunction::kLag; });
  }
  /// Rows leave the history by their time alone. Otherwise a kept row's time is its position in the
  /// partition.
  static bool HistoryExpires(const OverOptions& options) {
    return options.preceding && !options.rows_frame && !HasLag(options);
  }
  static bool HasRunning(const OverOptions& options) {
    if (!options.preceding) return true;
    return std::any_of(options.calls.begin(), options.calls.end(), [](const OverSpec& call) {
      return call.function == OverFunction::kRowNumber || call.function == OverFunction::kRank ||
             call.function == OverFunction::kDenseRank || call.function == OverFunction::kLag;
    });
  }
  bool has_ttl() const { return options_.ttl_us > 0 && !options_.preceding; }
  int64_t SweepInterval() const { return std::max<int64_t>(options_.ttl_us / kSweepsPerTtl, 1000); }

  /// `rows`: due, in order, with all of their peers. `last_time`: of the last one.
  void ComputeRows(std::vector<std::string_view> rows, int64_t last_time, Output& out) {
    const auto num_due = static_cast<int64_t>(rows.size());
    Columns key_columns;
    if (!options_.keys.empty()) key_columns = codec_.DecodeColumns(rows, options_.keys);
    std::vector<Partition> partitions = GroupRows(key_columns, num_due, &keys_, &groups_);
    std::vector<int32_t> first_rows;
    for (const Partition& partition : partitions) first_rows.push_back(partition.rows[0]);
    std::vector<uint32_t> running;
    if (has_running_) FindRunning(first_rows, &running, &partitions);
    const std::vector<std::vector<LogRow*>> history = TakeHistory(first_rows, &rows, &partitions);

    Batch batch;
    batch.num_rows = static_cast<int64_t>(rows.size());
    batch.columns = codec_.Decode(rows);
    const auto& times = batch.columns[static_cast<size_t>(options_.time_column)];
    ByteStrings sort;
    EncodeSortKeys({times}, {SortColumn{}}, batch.num_rows, &sort);
    Columns results = calls_.Compute(batch, num_due, sort, times, &partitions);
    NoteRunning(running, partitions);
    Keep(batch, rows, last_time, first_rows, history, partitions);

    Batch sent = Slice(batch, 0, num_due);  // the rest are rows of the history
    sent.columns.resize(static_cast<size_t>(options_.num_output_columns));
    sent.columns.insert(sent.columns.end(), results.begin(), results.end());
    EmitInPieces(sent, out);
  }

  void FindRunning(const std::vector<int32_t>& first_rows, std::vector<uint32_t>* slots,
                   std::vector<Partition>* partitions) {
    slots->resize(first_rows.size());
    std::vector<uint32_t> inserted;
    running_.FindOrInsert(keys_, first_rows.data(), static_cast<int64_t>(first_rows.size()), slots->data(),
                          &inserted);
    for (const uint32_t slot : inserted) calls_.accumulators().Init(running_.record(slot));
    running_.MarkDirty(slots->data(), static_cast<int64_t>(slots->size()));
    for (size_t p = 0; p < partitions->size(); ++p) (*partitions)[p].running = running_.record((*slots)[p]);
  }

  void NoteRunning(const std::vector<uint32_t>& slots, const std::vector<Partition>& partitions) {
    const int64_t now_us = has_ttl() ? context_.clock->now_us() : 0;
    for (size_t p = 0; p < slots.size(); ++p) {
      const Partition& partition = partitions[p];
      Number(partition.running, 0) = now_us;
      Number(partition.running, kRowsOffset) += static_cast<int64_t>(partition.rows.size() - partition.first);
      for (size_t i = partition.first; i < partition.rows.size(); ++i) {
        if (partition.peers_begin[i] == i) ++Number(partition.running, kGroupsOffset);
      }
    }
  }

  /// Puts the kept rows of each partition in front of its due ones; their bytes go behind `rows`.
  std::vector<std::vector<LogRow*>> TakeHistory(const std::vector<int32_t>& first_rows,
                                                std::vector<std::string_view>* rows,
                                                std::vector<Partition>* partitions) {
    std::vector<uint32_t> slots(first_rows.size());
    history_.FindKeys(keys_, first_rows.data(), static_cast<int64_t>(first_rows.size()), slots.data());
    std::vector<std::vector<LogRow*>> history(first_rows.size());
    for (size_t p = 0; p < partitions->size(); ++p) {
      Partition& partition = (*partitions)[p];
      std::vector<int32_t> kept;
      for (LogRow* row = history_.first(slots[p]); row; row = row->next) {
        history[p].push_back(row);
        partition.positions.push_back(row->time);
        kept.push_back(static_cast<int32_t>(rows->size()));
        rows->push_back(row->bytes());
      }
      partition.first = kept.size();
      int64_t position = partition.running ? Number(partition.running, kRowsOffset) : 0;
      for (size_t i = 0; i < partition.rows.size(); ++i) partition.positions.push_back(position++);
      partition.rows.insert(partition.rows.begin(), kept.begin(), kept.end());
    }
    return history;
  }

  /// Moves what later rows may reach to the history, and drops what they cannot.
  void Keep(const Batch& batch, const std::vector<std::string_view>& rows, int64_t last_time,
            const std::vector<int32_t>& first_rows, const std::vector<std::vector<LogRow*>>& history,
            const std::vector<Partition>& partitions) {
    const RowTimes times(batch.columns[static_cast<size_t>(options_.time_column)]);
    std::vector<std::vector<bool>> needed(partitions.size());
    std::vector<int32_t> keeping_rows;  // the first due row of each partition that keeps some
    std::vector<size_t> keeping;
    for (size_t p = 0; p < partitions.size(); ++p) {
      needed[p] = Needed(batch, times, last_time, partitions[p]);
      for (size_t i = 0; i < partitions[p].first; ++i) {
        if (!needed[p][i]) history_.Remove(history[p][i]);
      }
      if (std::find(needed[p].begin() + static_cast<int64_t>(partitions[p].first), needed[p].end(), true) ==
          needed[p].end())
        continue;
      keeping.push_back(p);
      keeping_rows.push_back(first_rows[p]);
    }
    std::vector<uint32_t> slots(keeping.size());
    history_.FindOrInsertKeys(keys_, keeping_rows.data(), static_cast<int64_t>(keeping.size()), slots.data());
    for (size_t k = 0; k < keeping.size(); ++k) {
      const Partition& partition = partitions[keeping[k]];
      for (size_t i = partition.first; i < partition.rows.size(); ++i) {
        if (!needed[keeping[k]][i]) continue;
        const int32_t row = partition.rows[i];
        history_.Append(slots[k], history_expires_ ? times[row] : partition.positions[i], 1,
                        rows[static_cast<size_t>(row)]);
      }
    }
  }

  std::vector<bool> Needed(const Batch& batch, const RowTimes& times, int64_t last_time,
                           const Partition& partition) const {
    const auto count = static_cast<int64_t>(partition.rows.size());
    std::vector<bool> needed(partition.rows.size());
    auto need_last = [&](int64_t n) {
      for (int64_t i = std::max<int64_t>(count - n, 0); i < count; ++i) needed[static_cast<size_t>(i)] = true;
    };
    // The first (last) n rows with a value.
    auto need_values = [&](const OverSpec& call, bool from_front, int64_t n) {
      const auto& values = *batch.columns[static_cast<size_t>(call.args.at(0))];
      for (int64_t k = 0; k < count && n > 0; ++k) {
        const auto i = static_cast<size_t>(from_front ? k : count - 1 - k);
        if (call.ignore_nulls && values.IsNull(partition.rows[i])) continue;
        needed[i] = true;
        --n;
      }
    };
    for (const OverSpec& call : options_.calls) {
      if (call.function == OverFunction::kLag) need_values(call, false, call.offset);
      if (options_.preceding) continue;
      if (call.function == OverFunction::kFirstValue) need_values(call, true, 1);
      if (call.function == OverFunction::kNthValue) need_values(call, true, call.offset);
      if (call.function == OverFunction::kLastValue && call.ignore_nulls) need_values(call, false, 1);
    }
    if (options_.preceding && options_.rows_frame) need_last(*options_.preceding);
    if (options_.preceding && !options_.rows_frame) {
      for (size_t i = 0; i < partition.rows.size(); ++i) {
        if (last_time - times[partition.rows[i]] <= *options_.preceding) needed[i] = true;
      }
    }
    return needed;
  }

  void DropExpired(int64_t now_us) {
    std::vector<uint32_t> expired;
    for (const uint32_t slot : running_.LiveSlots()) {
      if (now_us - Number(running_.record(slot), 0) >= options_.ttl_us) expired.push_back(slot);
    }
    if (expired.empty()) return;
    const auto count = static_cast<int64_t>(expired.size());
    running_.ExportKeys(expired.data(), count, &keys_);
    std::vector<uint32_t> slots(expired.size());
    history_.FindKeys(keys_, nullptr, count, slots.data());
    for (const uint32_t slot : slots) {
      while (LogRow* row = history_.first(slot)) history_.Remove(row);
    }
    for (const uint32_t slot : expired) {
      running_.Preserve(slot);
      calls_.accumulators().Destroy(running_.record(slot));
      running_.Remove(slot);
    }
    context_.metrics->expired_keys.Add(count);
  }

  const OverOptions options_;
  OverCalls calls_;
  const bool history_expires_, has_running_;
  KeyBatch keys_;
  KeyedLog waiting_;  // by row time
  KeyedLog history_;
  KeyedMap running_;
  RowCodec codec_;
  KeyedMap groups_;
  int64_t watermark_us_ = kMinWatermark;
  int64_t next_sweep_us_ = 0;
};

void CheckUnwindowed(const OverOptions& options) {
  auto refuse = [](const std::string& what) {
    throw UserError(Reason::kOverNeedsWindow, {},
                    what + " needs the whole partition, which has no end without a window")
        .Hint("add window_start and window_end of a windowed input to PARTITION BY");
  };
  if (options.whole_partition) refuse("OVER without ORDER BY");
  for (const OverSpec& call : options.calls) {
    if (call.function == OverFunction::kLead) refuse("LEAD");
    if (call.function == OverFunction::kNtile) refuse("NTILE");
    if (call.function == OverFunction::kPercentRank) refuse("PERCENT_RANK");
    if (call.function == OverFunction::kCumeDist) refuse("CUME_DIST");
  }
}

void CheckCalls(const OverOptions& options) {
  for (const OverSpec& call : options.calls) {
    const bool from_one = call.function == OverFunction::kNtile || call.function == OverFunction::kNthValue;
    if (call.offset >= (from_one ? 1 : 0)) continue;
    throw UserError(Reason::kTypeError, {},
                    std::string(call.function == OverFunction::kNtile ? "NTILE" : "window function") +
                        " of " + std::to_string(call.offset) + ": expected a number of at least " +
                        (from_one ? "1" : "0"));
  }
  if (!options.preceding || options.rows_frame || options.whole_partition || !options.per_window) return;
  const bool by_time =
      options.order_columns.size() == 1 &&
      options.input.fields[options.order_columns[0]].type.arrow_type()->id() == arrow::Type::TIMESTAMP;
  if (!by_time) {
    throw UserError(Reason::kUnsupported, {},
                    "a RANGE frame with a distance needs ORDER BY one TIMESTAMP column")
        .Hint("use a ROWS frame");
  }
}

}  // namespace

std::unique_ptr<Operator> MakeOver(OverOptions options) {
  CheckCalls(options);
  if (options.per_window) return std::make_unique<WindowOver>(std::move(options));
  CheckUnwindowed(options);
  return std::make_unique<TimeOver>(std::move(options));
}

}  // namespace laminar

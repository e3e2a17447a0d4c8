#include "jobs/capture.h"

#include <arrow/array.h>

#include <algorithm>

#include "formats/json_encoder.h"

namespace laminar {

namespace {

// As many rows as the server's ring holds can come at once; then a sample of the stream.
constexpr int64_t kBurstRows = 10'000;
constexpr int64_t kRowsPerSecond = 20'000;

}  // namespace

struct CaptureBuffer::Shared {
  std::mutex mutex;
  std::map<std::pair<int, int>, CapturedRows> outputs;  // by output and subtask; guarded by mutex
  std::atomic<bool> limit_reached{false};
  std::function<void()> on_rows;  // set before there are any
};

namespace {

/// Past the value that begins at `at` of valid JSON.
size_t EndOfValue(std::string_view json, size_t at) {
  int depth = 0;
  for (bool in_string = false; at < json.size(); ++at) {
    const char c = json[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == ',' || c == '}' || c == ']') && depth == 0) {
      break;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return at;
}

/// A member's value as it is written in a compact object, so that no digit goes through a double. Empty:
/// none.
std::string_view MemberText(std::string_view object, std::string_view name) {
  for (size_t at = 1; at < object.size();) {
    const size_t end_of_name = object.find('"', at + 1);
    if (end_of_name == std::string_view::npos) return {};
    const size_t begin = end_of_name + 2;
    const size_t end = EndOfValue(object, begin);
    if (object.substr(at + 1, end_of_name - at - 1) == name) return object.substr(begin, end - begin);
    at = end + 1;
  }
  return {};
}

class CaptureSink final : public Sink {
 public:
  CaptureSink(std::shared_ptr<CaptureBuffer::Shared> shared, Schema columns, bool encoded, int number,
              int64_t limit)
      : shared_(std::move(shared)), encoded_(encoded), number_(number), limit_(limit) {
    if (!encoded_) writer_ = std::make_unique<JsonObjectWriter>(columns, JsonWriteOptions{});
  }

  void Write(const Batch& batch) override {
    if (limit_ > 0 && total_ >= limit_) return;
    const int64_t now_us = context_.clock->now_us();
    Refill(now_us);
    int64_t rows = batch.num_rows;
    if (limit_ > 0) rows = std::min(rows, limit_ - total_);
    const int64_t kept = std::min(rows, budget_);
    budget_ -= kept;
    std::vector<CapturedRow> captured = encoded_ ? Records(batch, kept) : Rows(batch, kept);
    for (CapturedRow& row : captured) row.timestamp_ms = now_us / 1000;
    bool first;
    {
      std::lock_guard lock(shared_->mutex);
      CapturedRows& out = shared_->outputs[{number_, context_.subtask}];
      first = out.rows.empty();
      if (first) out.first = total_;
      out.output = number_;
      out.subtask = context_.subtask;
      out.rows.insert(out.rows.end(), std::make_move_iterator(captured.begin()),
                      std::make_move_iterator(captured.end()));
      if (out.rows.size() > kBurstRows) {  // the reporter is behind: the oldest go
        const auto drop = static_cast<std::ptrdiff_t>(out.rows.size() - kBurstRows);
        out.rows.erase(out.rows.begin(), out.rows.begin() + drop);
        out.first += drop;
      }
      out.total = total_ + rows;
    }
    total_ += rows;
    if (first && shared_->on_rows) shared_->on_rows();
    if (limit_ > 0 && total_ >= limit_) {
      shared_->limit_reached = true;
      if (context_.finish_upstream) context_.finish_upstream();
    }
  }

 private:
  void Refill(int64_t now_us) {
    if (last_us_ > 0)
      budget_ = std::min(kBurstRows, budget_ + (now_us - last_us_) * kRowsPerSecond / 1'000'000);
    if (budget_ > 0 || last_us_ == 0) last_us_ = now_us;
  }

  std::vector<CapturedRow> Rows(const Batch& batch, int64_t count) {
    std::vector<CapturedRow> out(static_cast<size_t>(count));
    if (count == 0) return out;
    writer_->Bind(batch.columns);
    for (int64_t row = 0; row < count; ++row) {
      buffer_.Resize(0);
      writer_->Write(row, &buffer_);
      out[row].record = std::string(buffer_.view());
      out[row].op = batch.weight(row) < 0 ? 'd' : 'c';
    }
    return out;
  }

  /// Changes arrive as debezium records.
  std::vector<CapturedRow> Records(const Batch& batch, int64_t count) {
    const auto& records = static_cast<const arrow::BinaryArray&>(*batch.columns[0]);
    std::vector<CapturedRow> out(static_cast<size_t>(count));
    for (int64_t row = 0; row < count; ++row) {
      const std::string_view change = records.GetView(row);
      const std::string_view op = MemberText(change, "op");  // with its quotes
      out[row].op = op.size() < 2 || op[1] == 'r' ? 'c' : op[1];
      const auto text = [&](const char* member) {
        const std::string_view found = MemberText(change, member);
        return found == "null" ? std::string() : std::string(found);
      };
      out[row].record = text(out[row].op == 'd' ? "before" : "after");
      if (out[row].op == 'u') out[row].before = text("before");
    }
    return out;
  }

  const std::shared_ptr<CaptureBuffer::Shared> shared_;
  const bool encoded_;
  const int number_;
  const int64_t limit_;
  std::unique_ptr<JsonObjectWriter> writer_;
  TextBuffer buffer_;
  int64_t total_ = 0;
  int64_t budget_ = kBurstRows;
  int64_t last_us_ = 0;
};

}  // namespace

CaptureBuffer::~CaptureBuffer() = default;

void CaptureBuffer::OnRows(std::function<void()> call) {
  if (!shared_) shared_ = std::make_shared<Shared>();
  shared_->on_rows = std::move(call);
}

sql::PreviewSink CaptureBuffer::MakeSink(const FormatRegistry& formats, const Schema& columns, bool changelog,
                                         int number) {
  if (!shared_) shared_ = std::make_shared<Shared>();
  sql::PreviewSink out;
  if (changelog) out.format = formats.Find("debezium_json");
  out.make = [shared = shared_, columns, changelog, number, limit = limit_] {
    return std::make_unique<CaptureSink>(shared, columns, changelog, number, limit);
  };
  return out;
}

std::vector<CapturedRows> CaptureBuffer::Take() {
  std::vector<CapturedRows> out;
  if (!shared_) return out;
  std::lock_guard lock(shared_->mutex);
  for (auto& [key, rows] : shared_->outputs) {
    if (rows.rows.empty()) continue;
    out.push_back(std::move(rows));
    rows.rows.clear();
    rows.first = rows.total = out.back().total;
  }
  return out;
}

bool CaptureBuffer::limit_reached() const { return shared_ && shared_->limit_reached; }

}  // namespace laminar

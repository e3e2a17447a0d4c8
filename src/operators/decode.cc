#include "operators/decode.h"

#include <arrow/array.h>

#include <utility>
#include <vector>

#include "base/error.h"

namespace laminar {

namespace {

class Decode final : public Operator {
 public:
  explicit Decode(DecodeOptions options)
      : options_(std::move(options)),
        decoder_(options_.make_decoder()),
        bad_(options_.bad_data, options_.source_name) {}

  void Open(const OperatorContext& context) override {
    Operator::Open(context);
    bad_.Open(context_);
  }

  void OnBatch(int, Batch batch, Output& out) override {
    const auto& payloads = static_cast<const arrow::BinaryArray&>(*batch.columns[0]);
    for (int64_t record = 0; record < batch.num_rows; ++record) {
      if (payloads.IsValid(record)) DecodeRecord(payloads.GetView(record), record, batch, out);
    }
    Send(batch, out);
  }

 private:
  void DecodeRecord(std::string_view block, int64_t record, const Batch& batch, Output& out) {
    context_.metrics->bytes_in.Add(static_cast<int64_t>(block.size()));
    const int64_t size = static_cast<int64_t>(block.size());
    int64_t done = 0;
    do {
      DecodeResult result =
          decoder_->Decode(block.substr(static_cast<size_t>(done)), options_.rows_max - pending_rows_);
      // Good rows first: with `fail` they belong to what was read before the bad one.
      if (!result.batch.empty()) {
        pending_rows_ += result.batch.num_rows;
        from_record_.resize(static_cast<size_t>(pending_rows_), static_cast<int32_t>(record));
        pending_.push_back(std::move(result.batch));
      }
      for (const BadRecord& bad : result.bad) {
        bad_.Add(bad.bytes, bad.error, PositionText(batch, done + bad.position));
      }
      const bool stuck = result.consumed == 0;
      done += result.consumed;
      if (pending_rows_ >= options_.rows_max) {
        Send(batch, out);
      } else if (stuck) {
        LAMINAR_CHECK(done >= size || !result.bad.empty(),
                      "the decoder of " + options_.source_name + " used nothing");
        break;
      }
    } while (done < size);
  }

  static std::string PositionText(const Batch& batch, int64_t byte) {
    if (!batch.origin) return "byte " + std::to_string(byte);
    return "byte " + std::to_string(batch.origin->byte + byte) + " of " + batch.origin->split;
  }

  void Send(const Batch& batch, Output& out) {
    bad_.Send(out);
    if (pending_.empty()) return;
    Batch rows = pending_.size() == 1 ? std::move(pending_[0]) : Concat(pending_);
    rows.split = batch.split;
    AppendMetadata(batch, &rows);
    pending_.clear();
    pending_rows_ = 0;
    from_record_.clear();
    out.Emit(std::move(rows));
  }

  void AppendMetadata(const Batch& batch, Batch* rows) const {
    if (batch.columns.size() == 1) return;
    Batch metadata;
    metadata.num_rows = batch.num_rows;
    metadata.columns.assign(batch.columns.begin() + 1, batch.columns.end());
    // One row from each record: nothing to repeat.
    const bool one_to_one =
        rows->num_rows == batch.num_rows && from_record_.back() == batch.num_rows - 1 && IsRising();
    if (!one_to_one) metadata = Take(metadata, from_record_);
    for (auto& column : metadata.columns) rows->columns.push_back(std::move(column));
  }

  bool IsRising() const {
    for (size_t i = 0; i < from_record_.size(); ++i) {
      if (from_record_[i] != static_cast<int32_t>(i)) return false;
    }
    return true;
  }

  const DecodeOptions options_;
  std::unique_ptr<Decoder> decoder_;
  BadRecords bad_;
  // Decoded and not sent; views into the input batch live only during its OnBatch, at whose end this is
  // empty.
  std::vector<Batch> pending_;
  std::vector<int32_t> from_record_;  ///< [pending_rows_]: the input row
  int64_t pending_rows_ = 0;
};

}  // namespace

std::unique_ptr<Operator> MakeDecode(DecodeOptions options) {
  return std::make_unique<Decode>(std::move(options));
}

}  // namespace laminar

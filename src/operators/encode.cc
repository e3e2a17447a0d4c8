#include "operators/encode.h"

#include <arrow/array.h>

#include <utility>

#include "base/error.h"
#include "operators/change_folder.h"

namespace laminar {

namespace {

/// Rows given to an encoder at once: keeps the records of one call far below the 2 GiB of a Binary array.
constexpr int64_t kEncodeRowsMax = 8192;

class Encode final : public Operator {
 public:
  explicit Encode(EncodeOptions options)
      : options_(std::move(options)), encoder_(options_.make_encoder()), changes_(options_.primary_key) {
    LAMINAR_CHECK(!options_.changelog || options_.time_column < 0, "row time of a changelog's records");
  }

  void OnBatch(int, Batch batch, Output& out) override {
    if (!options_.changelog) {
      LAMINAR_CHECK(!batch.weights, "a changelog into an append-only format");
      return EncodeInPieces(batch, out);
    }
    changes_.Add(std::move(batch));
    if (changes_.num_rows() >= options_.held_rows_max || changes_.num_bytes() >= options_.held_bytes_max)
      OnFlush(out);
  }

  void OnFlush(Output& out) override {
    if (changes_.num_rows() == 0) return;
    const Batch folded = changes_.Fold();
    if (!folded.empty()) EncodeInPieces(folded, out);
  }

 private:
  void EncodeInPieces(const Batch& batch, Output& out) {
    for (int64_t begin = 0; begin < batch.num_rows;) {
      int64_t end = std::min(begin + kEncodeRowsMax, batch.num_rows);
      // An update's two halves stay together.
      if (end < batch.num_rows && batch.weight(end - 1) < 0) ++end;
      EncodePiece(Slice(batch, begin, end - begin), out);
      begin = end;
    }
  }

  void EncodePiece(const Batch& batch, Output& out) {
    Batch records;
    records.split = batch.split;
    const std::shared_ptr<arrow::BinaryArray> encoded = encoder_->Encode(Selected(batch));
    records.num_rows = encoded->length();
    records.columns.push_back(encoded);
    if (options_.time_column >= 0) {
      LAMINAR_CHECK(encoded->length() == batch.num_rows, "one record per row");
      records.columns.push_back(batch.columns[static_cast<size_t>(options_.time_column)]);
    }
    if (records.num_rows > 0) out.Emit(std::move(records));
  }

  Batch Selected(const Batch& batch) const {
    if (options_.columns.empty()) return batch;
    Batch selected = batch;
    selected.columns.clear();
    for (int column : options_.columns)
      selected.columns.push_back(batch.columns[static_cast<size_t>(column)]);
    return selected;
  }

  const EncodeOptions options_;
  std::unique_ptr<Encoder> encoder_;
  ChangeFolder changes_;
};

}  // namespace

std::unique_ptr<Operator> MakeEncode(EncodeOptions options) {
  return std::make_unique<Encode>(std::move(options));
}

}  // namespace laminar

#include "operators/change_folder.h"

#include <cstdlib>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "runtime/channel.h"
#include "types/row_codec.h"

namespace laminar {

namespace {

/// Gives equal keys one number, in order of first appearance. [num_rows]
std::vector<int32_t> Number(const ByteStrings& keys, int32_t* count) {
  std::unordered_map<std::string_view, int32_t> numbers;
  numbers.reserve(static_cast<size_t>(keys.size()));
  std::vector<int32_t> number_of(static_cast<size_t>(keys.size()));
  for (int64_t row = 0; row < keys.size(); ++row) {
    number_of[static_cast<size_t>(row)] =
        numbers.try_emplace(keys[row], static_cast<int32_t>(numbers.size())).first->second;
  }
  *count = static_cast<int32_t>(numbers.size());
  return number_of;
}

/// A distinct row with what its weights add up to.
struct Net {
  int32_t row;
  int64_t weight;
};

/// Appends −old, +new in turn, then what is left of either.
void AppendChanges(const std::vector<Net>& nets, std::vector<int32_t>* rows, std::vector<int32_t>* weights) {
  std::vector<int32_t> old_rows, new_rows;
  for (const Net& net : nets) {
    auto& side = net.weight < 0 ? old_rows : new_rows;
    side.insert(side.end(), static_cast<size_t>(std::abs(net.weight)), net.row);
  }
  for (size_t i = 0; i < std::max(old_rows.size(), new_rows.size()); ++i) {
    if (i < old_rows.size()) {
      rows->push_back(old_rows[i]);
      weights->push_back(-1);
    }
    if (i < new_rows.size()) {
      rows->push_back(new_rows[i]);
      weights->push_back(1);
    }
  }
}

}  // namespace

ChangeFolder::ChangeFolder(std::vector<int> key_columns) : key_columns_(std::move(key_columns)) {}

void ChangeFolder::Add(Batch batch) {
  num_rows_ += batch.num_rows;
  num_bytes_ += EstimateBytes(batch);
  batches_.push_back(std::move(batch));
}

Batch ChangeFolder::Fold() {
  if (batches_.empty()) return {};
  const Batch all = Concat(std::exchange(batches_, {}));
  num_rows_ = 0;
  num_bytes_ = 0;

  ByteStrings row_bytes, key_bytes;
  EncodeKeys(all.columns, all.num_rows, &row_bytes);
  int32_t num_distinct, num_keys;
  const std::vector<int32_t> distinct_of = Number(row_bytes, &num_distinct);
  std::vector<std::shared_ptr<arrow::Array>> key_columns;
  for (int column : key_columns_) key_columns.push_back(all.columns[static_cast<size_t>(column)]);
  if (!key_columns.empty()) EncodeKeys(key_columns, all.num_rows, &key_bytes);
  const std::vector<int32_t> key_of = key_columns.empty() ? distinct_of : Number(key_bytes, &num_keys);
  if (key_columns.empty()) num_keys = num_distinct;

  // The last of equal rows stands for them; which one is the same to any reader of values.
  std::vector<Net> nets(static_cast<size_t>(num_distinct), {-1, 0});
  for (int64_t row = 0; row < all.num_rows; ++row) {
    Net& net = nets[static_cast<size_t>(distinct_of[static_cast<size_t>(row)])];
    net.row = static_cast<int32_t>(row);
    net.weight += all.weight(row);
  }
  std::vector<std::vector<Net>> by_key(static_cast<size_t>(num_keys));
  for (const Net& net : nets) {
    if (net.weight != 0) by_key[static_cast<size_t>(key_of[static_cast<size_t>(net.row)])].push_back(net);
  }
  std::vector<int32_t> rows, weights;
  for (const std::vector<Net>& changes : by_key) AppendChanges(changes, &rows, &weights);
  if (rows.empty()) return {};
  Batch folded = Take(all, rows);
  folded.weights = MakeWeights(weights);
  folded.split = -1;
  return folded;
}

}  // namespace laminar

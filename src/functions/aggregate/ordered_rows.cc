#include "functions/aggregate/ordered_rows.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "functions/aggregate/accumulate.h"

namespace laminar {

void CollectedRows::Add(std::string_view order, std::string_view value, int64_t weight) {
  for (int64_t i = 0; i < weight; ++i) {
    orders_.Append(order);
    values_.Append(value);
  }
}

void CollectedRows::Add(const CollectedRows& other) {
  for (int64_t i = 0; i < other.values_.size(); ++i) Add(other.orders_[i], other.values_[i], 1);
}

void CollectedRows::AppendTo(std::vector<std::string_view>* values) const {
  std::vector<int64_t> by_order(static_cast<size_t>(values_.size()));
  std::iota(by_order.begin(), by_order.end(), 0);
  if (!orders_.data.empty()) {
    std::stable_sort(by_order.begin(), by_order.end(),
                     [this](int64_t a, int64_t b) { return orders_[a] < orders_[b]; });
  }
  for (int64_t row : by_order) values->push_back(values_[row]);
}

void CollectedRows::Serialize(std::string* out) const {
  for (int64_t i = 0; i < values_.size(); ++i) {
    PutBytes(out, orders_[i]);
    PutBytes(out, values_[i]);
  }
}

void CollectedRows::Deserialize(ByteReader& in) {
  while (!in.empty()) {
    const std::string_view order = in.Bytes();
    Add(order, in.Bytes(), 1);
  }
}

size_t RetractableRows::HashOf(std::string_view order, std::string_view value) {
  const std::hash<std::string_view> hash;
  return hash(order) * 0x9E3779B97F4A7C15u + hash(value);
}

void RetractableRows::Insert(std::string_view order, uint64_t arrival, std::string_view value,
                             int64_t count) {
  auto row = rows_.emplace(Key(order, arrival), Row{std::string(value), count}).first;
  by_bytes_[HashOf(order, value)].push_back(row);
}

void RetractableRows::Erase(Rows::iterator row, size_t hash) {
  auto found = by_bytes_.find(hash);
  std::erase(found->second, row);
  if (found->second.empty()) by_bytes_.erase(found);
  rows_.erase(row);
}

void RetractableRows::Add(std::string_view order, std::string_view value, int64_t weight) {
  // First against what is there with the other sign, the latest first.
  const size_t hash = HashOf(order, value);
  while (weight != 0) {
    auto found = by_bytes_.find(hash);
    if (found == by_bytes_.end()) break;
    auto match = std::find_if(found->second.rbegin(), found->second.rend(), [&](const Rows::iterator& row) {
      return (row->second.count < 0) != (weight < 0) && row->first.first == order &&
             row->second.value == value;
    });
    if (match == found->second.rend()) break;
    const Rows::iterator row = *match;
    const int64_t taken = std::min(std::abs(row->second.count), std::abs(weight)) * (weight < 0 ? -1 : 1);
    row->second.count += taken;
    weight -= taken;
    if (row->second.count == 0) Erase(row, hash);
  }
  if (weight != 0) Insert(order, next_arrival_++, value, weight);
}

void RetractableRows::Add(const RetractableRows& other) {
  std::vector<Rows::const_iterator> by_arrival;
  for (auto row = other.rows_.begin(); row != other.rows_.end(); ++row) by_arrival.push_back(row);
  std::sort(by_arrival.begin(), by_arrival.end(),
            [](const auto& a, const auto& b) { return a->first.second < b->first.second; });
  for (const auto& row : by_arrival) Add(row->first.first, row->second.value, row->second.count);
}

void RetractableRows::AppendTo(std::vector<std::string_view>* values) const {
  for (const auto& [key, row] : rows_) {
    for (int64_t i = 0; i < row.count; ++i) values->push_back(row.value);
  }
}

const std::string* RetractableRows::First() const {
  for (auto row = rows_.begin(); row != rows_.end(); ++row) {
    if (row->second.count > 0) return &row->second.value;
  }
  return nullptr;
}

const std::string* RetractableRows::Last() const {
  for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) {
    if (row->second.count > 0) return &row->second.value;
  }
  return nullptr;
}

void RetractableRows::Serialize(std::string* out) const {
  if (rows_.empty()) return;
  PutFixed(out, next_arrival_);
  for (const auto& [key, row] : rows_) {
    PutBytes(out, key.first);
    PutFixed(out, key.second);
    PutBytes(out, row.value);
    PutFixed(out, row.count);
  }
}

void RetractableRows::Deserialize(ByteReader& in) {
  next_arrival_ = in.Fixed<uint64_t>();
  while (!in.empty()) {
    const std::string_view order = in.Bytes();
    const auto arrival = in.Fixed<uint64_t>();
    const std::string_view value = in.Bytes();
    Insert(order, arrival, value, in.Fixed<int64_t>());
  }
  for (auto& [hash, rows] :
       by_bytes_) {  // rows_ is by (order, arrival): equal rows are in order, others need not be
    std::sort(rows.begin(), rows.end(),
              [](const auto& a, const auto& b) { return a->first.second < b->first.second; });
  }
}

void EncodeOrder(const AggregateInput& input, const RowColumns& columns, ByteStrings* out) {
  if (columns.order.empty()) return;
  std::vector<std::shared_ptr<arrow::Array>> order;
  for (size_t column : columns.order) order.push_back(input.args[column]);
  EncodeSortKeys(order, columns.sort, order[0]->length(), out);
}

EncodedRows EncodeInput(const AggregateInput& input, const RowColumns& columns, const RowCodec& codec) {
  EncodedRows out;
  std::vector<std::shared_ptr<arrow::Array>> values, not_null;
  for (size_t column : columns.values) values.push_back(input.args[column]);
  for (size_t column : columns.not_null) not_null.push_back(input.args[column]);
  const ValidRows valid(not_null, not_null.size());
  std::vector<int32_t> rows;
  for (int64_t i = 0; i < input.count; ++i) {
    const int64_t row = input.row(i);
    if (!valid[row]) continue;
    out.entries.push_back(static_cast<int32_t>(i));
    rows.push_back(static_cast<int32_t>(row));
  }
  codec.Encode(values, rows.data(), static_cast<int64_t>(rows.size()), &out.values);
  EncodeOrder(input, columns, &out.orders);
  return out;
}

}  // namespace laminar

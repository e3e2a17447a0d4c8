#include "operators/join_rows.h"

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>

#include "base/arrow_result.h"
#include "base/error.h"
#include "operators/accumulator_set.h"

namespace laminar {
namespace {

void CollectColumns(const Expression& expression, std::vector<int>* out) {
  if (const auto* column = dynamic_cast<const ColumnExpression*>(&expression))
    out->push_back(column->index());
  for (const ExpressionPtr& child : expression.children()) CollectColumns(*child, out);
}

void SortUnique(std::vector<int>* values) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
}

std::vector<std::shared_ptr<arrow::DataType>> TypesOf(const Schema& schema, const std::vector<int>& columns) {
  std::vector<std::shared_ptr<arrow::DataType>> types;
  for (int column : columns) types.push_back(schema.fields[static_cast<size_t>(column)].type.arrow_type());
  return types;
}

bool IsIdentity(const std::vector<int32_t>& rows, int64_t num_rows) {
  if (static_cast<int64_t>(rows.size()) != num_rows) return false;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != static_cast<int32_t>(i)) return false;
  }
  return true;
}

/// −1 becomes NULL, which Take turns into a NULL row.
std::shared_ptr<arrow::Array> TakeIndices(const std::vector<int32_t>& rows) {
  const bool has_nulls = std::find(rows.begin(), rows.end(), -1) != rows.end();
  if (!has_nulls)
    return std::make_shared<arrow::Int32Array>(static_cast<int64_t>(rows.size()), arrow::Buffer::Wrap(rows));
  std::vector<bool> valid;
  valid.reserve(rows.size());
  for (int32_t row : rows) valid.push_back(row >= 0);
  arrow::Int32Builder builder;
  OrThrow(builder.AppendValues(rows, valid));
  return OrThrow(builder.Finish());
}

}  // namespace

bool IsPadded(JoinKind kind, int input) {
  if (kind == JoinKind::kFull) return true;
  return input == kLeftInput ? kind == JoinKind::kLeft : kind == JoinKind::kRight;
}

JoinRows::JoinRows(JoinSpec spec, bool keep_keys) : spec_(std::move(spec)) {
  LAMINAR_CHECK(!spec_.left_keys.empty() && spec_.left_keys.size() == spec_.right_keys.size(),
                "a join without equal keys");
  const auto left_types = TypesOf(spec_.left, spec_.left_keys),
             right_types = TypesOf(spec_.right, spec_.right_keys);
  for (size_t i = 0; i < left_types.size(); ++i) {
    LAMINAR_CHECK(left_types[i]->Equals(*right_types[i]),
                  "join of keys " + left_types[i]->ToString() + " and " + right_types[i]->ToString());
  }
  if (spec_.predicate) CollectColumns(*spec_.predicate, &predicate_columns_);
  SortUnique(&predicate_columns_);
  if (keep_keys) {
    kept_[kLeftInput] = spec_.left_keys;
    kept_[kRightInput] = spec_.right_keys;
  }
  for (const auto* columns : {&spec_.output, &predicate_columns_}) {
    for (int column : *columns) {
      const int input = InputOf(column);
      kept_[input].push_back(input == kLeftInput ? column : column - num_left());
    }
  }
  kept_position_.assign(static_cast<size_t>(num_left() + spec_.right.num_columns()), -1);
  for (int input : {kLeftInput, kRightInput}) {
    SortUnique(&kept_[input]);
    for (size_t i = 0; i < kept_[input].size(); ++i) {
      const int joined = kept_[input][i] + (input == kLeftInput ? 0 : num_left());
      kept_position_[static_cast<size_t>(joined)] = static_cast<int>(i);
    }
    codecs_.emplace_back(TypesOf(input == kLeftInput ? spec_.left : spec_.right, kept_[input]));
  }
}

std::vector<std::shared_ptr<arrow::Array>> JoinRows::KeyColumns(int input, const Batch& batch) const {
  std::vector<std::shared_ptr<arrow::Array>> out;
  for (int column : keys(input)) out.push_back(batch.columns[static_cast<size_t>(column)]);
  return out;
}

std::vector<std::shared_ptr<arrow::DataType>> JoinRows::KeyTypes() const {
  return TypesOf(spec_.left, spec_.left_keys);
}

void JoinRows::RowsWithKey(int input, const Batch& batch, std::vector<int32_t>* out, bool* all) const {
  out->clear();
  const auto columns = KeyColumns(input, batch);
  *all = std::all_of(columns.begin(), columns.end(),
                     [](const auto& column) { return column->null_count() == 0; });
  if (*all) return;
  std::vector<bool> has_null;
  AnyNull(columns, batch.num_rows, &has_null);
  for (int64_t row = 0; row < batch.num_rows; ++row) {
    if (!has_null[static_cast<size_t>(row)]) out->push_back(static_cast<int32_t>(row));
  }
}

void JoinRows::Encode(int input, const Batch& batch, const int32_t* rows, int64_t n, ByteStrings* out) const {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (int column : kept_[input]) columns.push_back(batch.columns[static_cast<size_t>(column)]);
  codecs_[static_cast<size_t>(input)].Encode(columns, rows, n, out);
}

Batch JoinRows::Decode(int input, const std::vector<std::string_view>& rows) const {
  Batch out;
  out.num_rows = static_cast<int64_t>(rows.size());
  const Schema& schema = input == kLeftInput ? spec_.left : spec_.right;
  out.columns.assign(schema.fields.size(), nullptr);
  const auto decoded = codecs_[static_cast<size_t>(input)].Decode(rows);
  for (size_t i = 0; i < decoded.size(); ++i) out.columns[static_cast<size_t>(kept_[input][i])] = decoded[i];
  for (auto& column : out.columns) {
    if (!column) column = std::make_shared<arrow::NullArray>(out.num_rows);
  }
  return out;
}

std::vector<std::shared_ptr<arrow::Array>> JoinRows::Columns(int live_input, const Batch& live,
                                                             const JoinPairs& pairs,
                                                             const std::vector<int>& columns) const {
  std::vector<std::shared_ptr<arrow::Array>> out(columns.size());
  std::vector<int> stored;        // indices into the other input's kept columns
  std::vector<size_t> stored_at;  // where they go
  std::shared_ptr<arrow::Array> indices;
  const bool identity = IsIdentity(pairs.live, live.num_rows);
  for (size_t i = 0; i < columns.size(); ++i) {
    const int input = InputOf(columns[i]);
    if (input != live_input) {
      stored.push_back(kept_position_[static_cast<size_t>(columns[i])]);
      stored_at.push_back(i);
      continue;
    }
    const auto& column =
        live.columns[static_cast<size_t>(input == kLeftInput ? columns[i] : columns[i] - num_left())];
    if (identity) {
      out[i] = column;
      continue;
    }
    if (!indices) indices = TakeIndices(pairs.live);
    out[i] = OrThrow(arrow::compute::Take(*column, *indices, arrow::compute::TakeOptions::NoBoundsCheck()),
                     "take");
  }
  if (stored.empty()) return out;
  const auto decoded = codecs_[static_cast<size_t>(1 - live_input)].DecodeColumns(pairs.stored, stored);
  for (size_t i = 0; i < decoded.size(); ++i) out[stored_at[i]] = decoded[i];
  return out;
}

void JoinRows::Passing(int live_input, const Batch& live, const JoinPairs& pairs, const EvalContext& context,
                       std::vector<int32_t>* out) const {
  if (!spec_.predicate) {
    out->resize(static_cast<size_t>(pairs.size()));
    std::iota(out->begin(), out->end(), 0);
    return;
  }
  Batch joined;
  joined.num_rows = pairs.size();
  // Columns that the predicate does not read stand there for their number only.
  joined.columns.assign(kept_position_.size(), std::make_shared<arrow::NullArray>(pairs.size()));
  auto columns = Columns(live_input, live, pairs, predicate_columns_);
  for (size_t i = 0; i < columns.size(); ++i)
    joined.columns[static_cast<size_t>(predicate_columns_[i])] = columns[i];
  EvaluateFilter(*spec_.predicate, joined, context, out);
}

Batch JoinRows::Output(int live_input, const Batch& live, const JoinPairs& pairs) const {
  Batch out;
  out.num_rows = pairs.size();
  out.columns = Columns(live_input, live, pairs, spec_.output);
  return out;
}

StateTableSpec JoinRows::Table(std::string name, int input, int num_keys) const {
  const Schema& schema = input == kLeftInput ? spec_.left : spec_.right;
  std::vector<int> key_columns = keys(input);
  if (num_keys >= 0) key_columns.resize(static_cast<size_t>(num_keys));
  return LogTable(std::move(name), Layout(input), PickFields(schema, key_columns),
                  PickFields(schema, kept_[input]));
}

std::string JoinRows::Layout(int input) const {
  const Schema& schema = input == kLeftInput ? spec_.left : spec_.right;
  std::string text;
  for (int key : keys(input))
    text += (text.empty() ? "" : ", ") + schema.fields[static_cast<size_t>(key)].type.ToString();
  text += " ->";
  for (int column : kept_[input]) {
    const Field& field = schema.fields[static_cast<size_t>(column)];
    text += (text.back() == '>' ? " " : ", ") + field.name + " " + field.type.ToString();
  }
  return text;
}

}  // namespace laminar

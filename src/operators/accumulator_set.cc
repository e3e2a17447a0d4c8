#include "operators/accumulator_set.h"

#include <arrow/array.h>
#include <arrow/util/bit_util.h>

#include <cstring>

#include "base/error.h"
#include "state/row_bytes.h"

namespace laminar {

AccumulatorSet::AccumulatorSet(std::vector<AggregateSpec> specs, int64_t offset)
    : specs_(std::move(specs)), record_bytes_(offset) {
  for (const AggregateSpec& spec : specs_) {
    offsets_.push_back(record_bytes_);
    record_bytes_ += spec.function->state_bytes();
    owns_memory_ = owns_memory_ || spec.function->owns_memory();
  }
}

void AccumulatorSet::Init(uint8_t* record) const {
  for (size_t i = 0; i < specs_.size(); ++i) specs_[i].function->Init(record + offsets_[i]);
}

void AccumulatorSet::Destroy(uint8_t* record) const {
  if (!owns_memory_) return;
  for (size_t i = 0; i < specs_.size(); ++i) specs_[i].function->Destroy(record + offsets_[i]);
}

const std::vector<int32_t>& AccumulatorSet::Selected(const Batch& batch, int filter, const int32_t* rows,
                                                     int64_t count) {
  for (const Selection& selection : selections_) {
    if (selection.filter == filter) return selection.entries;
  }
  selections_.push_back({filter, {}});
  SelectTrue(*batch.columns[filter], rows, count, &selections_.back().entries);
  return selections_.back().entries;
}

void AccumulatorSet::Update(const Batch& batch, const int32_t* rows, int64_t count, uint8_t* const* records) {
  selections_.clear();
  const int32_t* weights = batch.weights ? batch.weights->raw_values() : nullptr;
  AggregateInput input;
  input.weights = weights;
  for (size_t call = 0; call < specs_.size(); ++call) {
    const AggregateSpec& spec = specs_[call];
    if (spec.distinct) continue;
    input.rows = rows;
    input.count = count;
    if (spec.filter >= 0) {
      const std::vector<int32_t>& entries = Selected(batch, spec.filter, rows, count);
      if (entries.empty()) continue;
      input.count = static_cast<int64_t>(entries.size());
      states_.resize(entries.size());
      rows_.resize(entries.size());
      for (size_t i = 0; i < entries.size(); ++i) {
        states_[i] = records[entries[i]] + offsets_[call];
        rows_[i] = rows ? rows[entries[i]] : entries[i];
      }
      input.rows = rows_.data();
    } else {
      states_.resize(static_cast<size_t>(count));
      for (int64_t i = 0; i < count; ++i) states_[i] = records[i] + offsets_[call];
    }
    input.args.clear();
    for (const int column : spec.args) input.args.push_back(batch.columns[column]);
    for (const int column : spec.order) input.args.push_back(batch.columns[column]);
    spec.function->Update(states_.data(), input);
  }
}

void AccumulatorSet::UpdateCall(size_t call, const std::vector<std::shared_ptr<arrow::Array>>& args,
                                const int32_t* rows, int64_t count, uint8_t* const* records,
                                const int32_t* weights) {
  if (count == 0) return;
  states_.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) states_[i] = records[i] + offsets_[call];
  AggregateInput input;
  input.count = count;
  input.rows = rows;
  input.args = args;
  input.weights = weights;
  specs_[call].function->Update(states_.data(), input);
}

void AccumulatorSet::Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) {
  states_.resize(static_cast<size_t>(count));
  from_.resize(static_cast<size_t>(count));
  for (size_t call = 0; call < specs_.size(); ++call) {
    for (int64_t i = 0; i < count; ++i) {
      states_[i] = into[i] + offsets_[call];
      from_[i] = const_cast<uint8_t*>(from[i]) + offsets_[call];
    }
    specs_[call].function->Merge(states_.data(), from_.data(), count);
  }
}

std::vector<std::shared_ptr<arrow::Array>> AccumulatorSet::Finish(const uint8_t* const* records,
                                                                  int64_t count) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  columns.reserve(specs_.size());
  states_.resize(static_cast<size_t>(count));
  for (size_t call = 0; call < specs_.size(); ++call) {
    for (int64_t i = 0; i < count; ++i) states_[i] = const_cast<uint8_t*>(records[i]) + offsets_[call];
    columns.push_back(specs_[call].function->Finish(states_.data(), count));
  }
  return columns;
}

void AccumulatorSet::Serialize(const uint8_t* record, std::string* out) const {
  if (!owns_memory_ && !specs_.empty()) {
    out->append(reinterpret_cast<const char*>(record + offsets_[0]), plain_bytes());
    return;
  }
  for (size_t call = 0; call < specs_.size(); ++call) {
    const AggregateFunction& function = *specs_[call].function;
    if (!function.owns_memory()) {
      function.Serialize(record + offsets_[call], out);
      continue;
    }
    const size_t begin = out->size();
    AppendPlain<uint32_t>(0, out);
    function.Serialize(record + offsets_[call], out);
    const size_t bytes = out->size() - begin - sizeof(uint32_t);
    LAMINAR_CHECK(bytes <= UINT32_MAX, "an accumulator of more than 4 GiB");
    const auto length = static_cast<uint32_t>(bytes);
    std::memcpy(out->data() + begin, &length, sizeof length);
  }
}

void AccumulatorSet::Deserialize(std::string_view bytes, uint8_t* record) const {
  if (!owns_memory_ && !specs_.empty()) {
    LAMINAR_CHECK(bytes.size() >= plain_bytes(), "a state entry is too short");
    std::memcpy(record + offsets_[0], bytes.data(), plain_bytes());
    return;
  }
  for (size_t call = 0; call < specs_.size(); ++call) {
    const AggregateFunction& function = *specs_[call].function;
    const size_t length =
        function.owns_memory() ? TakePlain<uint32_t>(&bytes) : static_cast<size_t>(function.state_bytes());
    LAMINAR_CHECK(bytes.size() >= length, "a state entry is too short");
    function.Deserialize(bytes.substr(0, length), record + offsets_[call]);
    bytes.remove_prefix(length);
  }
}

std::string AccumulatorSet::Layout() const {
  std::string text;
  for (const AggregateSpec& spec : specs_) {
    if (!text.empty()) text += ", ";
    text += spec.function->result().ToString() + ":" + std::to_string(spec.function->state_bytes());
    if (spec.distinct) text += " DISTINCT";
  }
  return text;
}

std::vector<StatePart> AccumulatorSet::StateParts() const {
  std::vector<StatePart> parts;
  for (size_t call = 0; call < specs_.size(); ++call) {
    const AggregateFunction& function = *specs_[call].function;
    const std::string name = specs_[call].name.empty() ? "call" + std::to_string(call) : specs_[call].name;
    if (function.owns_memory()) {
      parts.push_back(StatePart::Sized({StatePart::Bytes(name)}));
      continue;
    }
    const std::vector<Field> fields = function.state_fields();
    if (fields.empty()) parts.push_back(StatePart::Bytes(name, function.state_bytes()));
    for (const Field& field : fields) {
      const int64_t width = std::max(1, field.type.arrow_type()->bit_width() / 8);
      parts.push_back(StatePart::Plain({{field.name.empty() ? name : name + "_" + field.name, field.type}}));
      if (width % 8 != 0) parts.push_back(StatePart::Skip(8 - width % 8));
    }
  }
  return parts;
}

void SelectTrue(const arrow::Array& column, const int32_t* rows, int64_t count,
                std::vector<int32_t>* entries) {
  entries->clear();
  const auto& bits = static_cast<const arrow::BooleanArray&>(column);
  const bool nulls = bits.null_count() > 0;
  const uint8_t* values = bits.values() ? bits.values()->data() : nullptr;
  const int64_t offset = bits.offset();
  entries->resize(static_cast<size_t>(count));
  int64_t passed = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = rows ? rows[i] : i;
    (*entries)[passed] = static_cast<int32_t>(i);
    passed += arrow::bit_util::GetBit(values, offset + row) && !(nulls && bits.IsNull(row));
  }
  entries->resize(static_cast<size_t>(passed));
}

std::vector<std::shared_ptr<arrow::Array>> PickColumns(const Batch& batch, const std::vector<int>& indices) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  columns.reserve(indices.size());
  for (const int index : indices) columns.push_back(batch.columns[index]);
  return columns;
}

std::vector<std::shared_ptr<arrow::DataType>> PickTypes(const Schema& schema,
                                                        const std::vector<int>& indices) {
  std::vector<std::shared_ptr<arrow::DataType>> types;
  for (const int index : indices) types.push_back(schema.fields[index].type.arrow_type());
  return types;
}

std::vector<Field> PickFields(const Schema& schema, const std::vector<int>& indices) {
  std::vector<Field> fields;
  for (const int index : indices) {
    fields.push_back(schema.fields[static_cast<size_t>(index)]);
    std::string& name = fields.back().name;
    // A plan may name a column of its input `k#1`.
    const size_t number = name.rfind('#');
    const bool is_reference = number != std::string::npos && number > 0 && number + 1 < name.size() &&
                              name.find_first_not_of("0123456789", number + 1) == std::string::npos;
    if (is_reference) name.resize(number);
  }
  return fields;
}

std::vector<std::shared_ptr<arrow::DataType>> AllTypes(const Schema& schema) {
  std::vector<std::shared_ptr<arrow::DataType>> types;
  for (const Field& field : schema.fields) types.push_back(field.type.arrow_type());
  return types;
}

}  // namespace laminar

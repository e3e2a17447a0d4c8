#include "functions/nested/array_building.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>

namespace laminar {

int ArrayBuilding::AddSource(std::shared_ptr<arrow::ArrayData> elements) {
  inputs_.push_back(std::move(elements));
  return static_cast<int>(inputs_.size()) - 1;
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> ArrayBuilding::TakeElements(
    const std::shared_ptr<arrow::DataType>& type) const {
  arrow::ArrayVector arrays;
  std::vector<int64_t> starts;
  int64_t total = 0;
  for (const auto& input : inputs_) {
    starts.push_back(total);
    // Names and nullability of nested types may differ between sources; the memory is the same.
    auto data = input->Copy();
    if (!data->type->Equals(*type)) data->type = type;
    arrays.push_back(arrow::MakeArray(data));
    total += input->length;
  }
  const int64_t count = static_cast<int64_t>(elements_.size());
  auto indices = AllocateBytes(count * 8);
  auto valid = AllocateBits(count, true);
  int64_t nulls = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t source = sources_[static_cast<size_t>(i)];
    reinterpret_cast<int64_t*>(indices->mutable_data())[i] =
        source < 0 ? 0 : starts[static_cast<size_t>(source)] + elements_[static_cast<size_t>(i)];
    if (source < 0) {
      arrow::bit_util::ClearBit(valid->mutable_data(), i);
      ++nulls;
    }
  }
  if (arrays.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto empty, arrow::MakeArrayOfNull(type, count));
    return empty->data();
  }
  const arrow::Int64Array at(count, indices, nulls ? valid : nullptr, nulls);
  std::shared_ptr<arrow::Array> all = arrays[0];
  if (arrays.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(all, arrow::Concatenate(arrays));
  }
  ARROW_ASSIGN_OR_RAISE(auto taken,
                        arrow::compute::Take(*all, at, arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken->data();
}

arrow::Result<arrow::Datum> ArrayBuilding::Finish(const CallShape& shape,
                                                  const std::shared_ptr<arrow::DataType>& type,
                                                  std::shared_ptr<arrow::Buffer> valid) {
  if (elements_.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return arrow::Status::Invalid("arrays of one batch have ", elements_.size(), " elements: more than 2^31");
  }
  ARROW_ASSIGN_OR_RAISE(auto elements, TakeElements(static_cast<const arrow::ListType&>(*type).value_type()));
  const int64_t nulls = valid ? arrow::kUnknownNullCount : 0;
  auto data = arrow::ArrayData::Make(type, shape.rows,
                                     {std::move(valid), arrow::Buffer::FromVector(std::move(offsets_))},
                                     {std::move(elements)}, nulls);
  return FinishArray(shape, arrow::MakeArray(data));
}

namespace {

/// Appends to the row's array what an argument gives: its elements, or itself.
class Appender {
 public:
  Appender(const arrow::Datum& argument, bool is_array, ArrayBuilding* out)
      : view_(argument), is_array_(is_array), out_(out) {
    if (is_array_) lists_.emplace(view_);
    source_ = out_->AddSource(is_array_ ? lists_->elements() : view_.data());
  }
  void Append(int64_t row) {
    if (is_array_) {
      out_->AppendSpan(source_, (*lists_)[row]);
    } else if (view_.IsNull(row)) {
      out_->AppendNull();
    } else {
      out_->Append(source_, view_.is_constant() ? 0 : row);
    }
  }

 private:
  ColumnView view_;
  std::optional<ListReader> lists_;
  bool is_array_;
  ArrayBuilding* out_;
  int source_;
};

}  // namespace

std::optional<BoundScalar> BindArrayConcat(const BindArguments& arguments) {
  if (arguments.size() != 2) return std::nullopt;
  const Type& a = arguments.types[0];
  const Type& b = arguments.types[1];
  const bool a_array = a.id() == TypeId::kArray;
  const bool b_array = b.id() == TypeId::kArray;
  if (!a_array && !b_array) return std::nullopt;
  std::optional<Type> element;
  bool both = false;
  if (a_array && b_array) {
    element = CommonType(a.element(), b.element());
    both = element.has_value();
  }
  // An array beside an array of arrays is one of its elements.
  if (!element && a_array) element = CommonType(a.element(), b);
  const bool a_is_array = both || (element && a_array && CommonType(a.element(), b));
  if (!element && b_array) element = CommonType(a, b.element());
  if (!element) return std::nullopt;
  const bool b_is_array = both || !a_is_array;
  const Type array = Type::Array(*element);
  auto kernel = [=, type = array.arrow_type()](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    std::vector<arrow::Datum> arrays;
    if (a_is_array) arrays.push_back(call.args[0]);
    if (b_is_array) arrays.push_back(call.args[1]);
    CallShape shape = ShapeOf(arrays, call.num_rows);
    if (shape.all_null) return NullDatum(type);
    shape.constant = call.args[0].is_scalar() && call.args[1].is_scalar();
    shape.rows = shape.constant ? 1 : call.num_rows;
    ArrayBuilding building(shape.rows);
    Appender left(call.args[0], a_is_array, &building);
    Appender right(call.args[1], b_is_array, &building);
    for (int64_t row = 0; row < shape.rows; ++row) {
      if (shape.IsValid(row)) {
        left.Append(row);
        right.Append(row);
      }
      building.EndRow();
    }
    return building.Finish(shape, type, shape.valid);
  };
  return BoundScalar{{a_is_array ? array : *element, b_is_array ? array : *element}, array, kernel};
}

}  // namespace laminar

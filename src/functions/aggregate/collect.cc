/// ARRAY_AGG, STRING_AGG and NTH_VALUE: all rows of the group, in the order of ORDER BY and then of arrival.

#include "functions/aggregate/collect.h"

#include <arrow/array.h>
#include <arrow/scalar.h>

#include "base/arrow_result.h"
#include "base/error.h"
#include "functions/aggregate/column_values.h"
#include "functions/aggregate/definitions.h"
#include "functions/aggregate/ordered_rows.h"

namespace laminar {
namespace {

template <typename Rows>
class ArrayAgg final : public CollectBase<Rows> {
 public:
  ArrayAgg(const Type& element, const RowColumns& columns)
      : CollectBase<Rows>(Type::Array(element), {element.arrow_type()}, columns) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    const GroupedValues groups = this->Gather(states, count);
    const auto elements = this->codec().Decode(groups.values)[0];
    return MakeLists(this->result().arrow_type(), groups.offsets, elements->data());
  }
};

template <typename Rows>
class StringAgg final : public CollectBase<Rows> {
 public:
  StringAgg(const RowColumns& columns, std::string separator)
      : CollectBase<Rows>(Type::Text(), {Type::Text().arrow_type()}, columns),
        separator_(std::move(separator)) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    const GroupedValues groups = this->Gather(states, count);
    const auto texts = this->codec().Decode(groups.values)[0];
    const ColumnValues<std::string_view> parts(*texts);
    std::vector<std::string> joined(static_cast<size_t>(count));
    ResultValues<std::string_view> out(count);
    for (int64_t i = 0; i < count; ++i) {
      if (groups.empty(i)) continue;
      std::string& text = joined[static_cast<size_t>(i)];
      for (int32_t part = groups.offsets[i]; part < groups.offsets[i + 1]; ++part) {
        if (part > groups.offsets[i]) text += separator_;
        text += parts[part];
      }
      out.Set(i, text);
    }
    return out.ToArray(Type::Text());
  }

 private:
  std::string separator_;
};

template <typename Rows>
class NthValue final : public CollectBase<Rows> {
 public:
  NthValue(const Type& type, const RowColumns& columns, int64_t n)
      : CollectBase<Rows>(type, {type.arrow_type()}, columns), n_(n) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    std::vector<std::string_view> found(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      std::vector<std::string_view> values;
      if (const Rows* rows = this->Find(states[i])) rows->AppendTo(&values);
      if (n_ <= static_cast<int64_t>(values.size()))
        found[static_cast<size_t>(i)] = values[static_cast<size_t>(n_ - 1)];
    }
    return this->codec().Decode(found)[0];
  }

 private:
  int64_t n_;
};

BoundAggregate BindArrayAgg(const AggregateBindArguments& args) {
  RequireArgumentCount("array_agg", args, 1, 1);
  const Type type = KnownType(args.types[0]);
  const RowColumns columns = FirstColumnOrdered(args, args.ignore_nulls);
  if (args.retractable) return {{type}, std::make_shared<ArrayAgg<RetractableRows>>(type, columns)};
  return {{type}, std::make_shared<ArrayAgg<CollectedRows>>(type, columns)};
}

std::string ConstantText(const char* name, const std::shared_ptr<arrow::Scalar>& value) {
  if (!value) throw UserError(Reason::kTypeError, {}, std::string(name) + " takes a constant separator");
  return value->is_valid ? value->ToString() : "";
}

BoundAggregate BindStringAgg(const char* name, const AggregateBindArguments& args) {
  RequireArgumentCount(name, args, 1, 2);
  if (args.types[0].is_nested()) ThrowArgumentType(name, "text", args.types[0]);
  std::string separator = args.types.size() > 1 ? ConstantText(name, args.constants[1]) : ",";
  const RowColumns columns = FirstColumnOrdered(args, /*ignore_nulls=*/true);
  std::vector<Type> parameters(args.types.size(), Type::Text());
  if (args.retractable) return {parameters, std::make_shared<StringAgg<RetractableRows>>(columns, separator)};
  return {parameters, std::make_shared<StringAgg<CollectedRows>>(columns, separator)};
}

BoundAggregate BindNthValue(const AggregateBindArguments& args) {
  RequireArgumentCount("nth_value", args, 2, 2);
  const auto& constant = args.constants[1];
  if (!args.types[1].is_integer() || !constant || !constant->is_valid) {
    throw UserError(Reason::kTypeError, {}, "nth_value takes a constant row number as its second argument");
  }
  const auto n =
      std::static_pointer_cast<arrow::Int64Scalar>(OrThrow(constant->CastTo(arrow::int64()), "nth_value"));
  if (n->value < 1) {
    throw UserError(Reason::kTypeError, {},
                    "nth_value takes a row number from 1 on, not " + constant->ToString());
  }
  const Type type = KnownType(args.types[0]);
  const RowColumns columns = FirstColumnOrdered(args, args.ignore_nulls);
  if (args.retractable)
    return {{type, args.types[1]}, std::make_shared<NthValue<RetractableRows>>(type, columns, n->value)};
  return {{type, args.types[1]}, std::make_shared<NthValue<CollectedRows>>(type, columns, n->value)};
}

}  // namespace

void AddCollect(AggregateDefinitionList* out) {
  out->push_back({.names = {"array_agg", "collect"},
                  .doc = {"Aggregate", "array_agg(x [ORDER BY …]) → array",
                          "All values, NULLs included, by ORDER BY, else by arrival. NULL without rows.",
                          "array_agg(x ORDER BY x DESC)", "[3,2,1]"},
                  .takes_distinct = true,
                  .takes_order_by = true,
                  .bind = BindArrayAgg});
  out->push_back(
      {.names = {"string_agg", "listagg", "group_concat"},
       .doc =
           {"Aggregate", "string_agg(x, separator? [ORDER BY …]) → text",
            "The non-NULL values as text, with the separator (a constant; a comma by default) between them. "
            "NULL without values.",
            "string_agg(x, '-' ORDER BY x)", "\"1-2-3\""},
       .takes_distinct = true,
       .takes_order_by = true,
       .bind = [](const AggregateBindArguments& args) { return BindStringAgg("string_agg", args); }});
  out->push_back(
      {.names = {"nth_value"},
       .doc =
           {"Aggregate", "nth_value(x, n [ORDER BY …]) → type of x",
            "x of the n-th row (from 1) by ORDER BY, else by arrival; NULL when there are fewer rows. n is a "
            "constant. `IGNORE NULLS` skips rows where x is NULL.",
            "nth_value(x, 2 ORDER BY x DESC)", "2"},
       .takes_distinct = false,
       .takes_order_by = true,
       .bind = BindNthValue});
}

}  // namespace laminar

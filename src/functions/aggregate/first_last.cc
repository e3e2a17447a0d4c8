/// FIRST_VALUE, LAST_VALUE, ANY_VALUE, ARG_MIN and ARG_MAX: one row of the group, by ORDER BY columns or by
/// arrival. Over append-only input only the best row so far is kept; of a batch, only the rows that win are
/// encoded. Under retraction all rows are kept.

#include <arrow/array.h>

#include "base/error.h"
#include "functions/aggregate/accumulate.h"
#include "functions/aggregate/definitions.h"
#include "functions/aggregate/inline_bytes.h"
#include "functions/aggregate/one_row.h"
#include "functions/aggregate/ordered_rows.h"

namespace laminar {
namespace {

struct BestRowState {
  InlineBytes order;
  InlineBytes value;
  int64_t seen = 0;
  int64_t winner = -1;  // inside Update: the row of this batch whose value is yet to be encoded
};

/// `kLast`: of rows with equal order the last to arrive, and the greatest order wins; else the first and the
/// least.
class BestRow final : public PlainAggregate<BestRowState> {
 public:
  BestRow(Type result, const RowColumns& columns, bool last)
      : PlainAggregate(std::move(result)),
        columns_(columns),
        last_(last),
        codec_({this->result().arrow_type()}) {}

  bool owns_memory() const override { return true; }
  void Destroy(uint8_t* state) const override {
    auto* best = reinterpret_cast<BestRowState*>(state);
    best->order.Free();
    best->value.Free();
    Init(state);
  }

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    std::vector<std::shared_ptr<arrow::Array>> not_null;
    for (size_t column : columns_.not_null) not_null.push_back(input.args[column]);
    const ValidRows valid(not_null, not_null.size());
    ByteStrings orders;
    EncodeOrder(input, columns_, &orders);
    const bool ordered = orders.size() > 0;
    for (int64_t i = 0; i < input.count; ++i) {
      const int64_t row = input.row(i);
      if (!valid[row]) continue;
      BestRowState& best = At(states, i);
      if (!Wins(best, ordered ? orders[row] : std::string_view())) continue;
      if (ordered) best.order.Assign(orders[row]);
      best.seen = 1;
      best.winner = row;
    }
    EncodeWinners(states, input);
  }

  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      const BestRowState& other = At(from, i);
      BestRowState& best = At(into, i);
      if (!other.seen || !Wins(best, other.order.view())) continue;
      best.order.Assign(other.order.view());
      best.value.Assign(other.value.view());
      best.seen = 1;
    }
  }

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    std::vector<std::string_view> values(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      if (At(states, i).seen) values[static_cast<size_t>(i)] = At(states, i).value.view();
    }
    return codec_.Decode(values)[0];
  }

  void Serialize(const uint8_t* state, std::string* out) const override {
    const auto* best = reinterpret_cast<const BestRowState*>(state);
    if (!best->seen) return;
    PutBytes(out, best->order.view());
    PutBytes(out, best->value.view());
  }
  void Deserialize(std::string_view bytes, uint8_t* state) const override {
    Init(state);
    if (bytes.empty()) return;
    auto* best = reinterpret_cast<BestRowState*>(state);
    ByteReader in(bytes);
    best->order.Assign(in.Bytes());
    best->value.Assign(in.Bytes());
    best->seen = 1;
  }

 private:
  bool Wins(const BestRowState& best, std::string_view order) const {
    if (!best.seen) return true;
    return last_ ? order >= best.order.view() : order < best.order.view();
  }
  void EncodeWinners(uint8_t* const* states, const AggregateInput& input) const {
    std::vector<int32_t> rows;
    std::vector<BestRowState*> winners;
    for (int64_t i = 0; i < input.count; ++i) {
      BestRowState& best = At(states, i);
      if (best.winner < 0) continue;
      rows.push_back(static_cast<int32_t>(best.winner));
      winners.push_back(&best);
      best.winner = -1;
    }
    ByteStrings values;
    codec_.Encode({input.args[columns_.values[0]]}, rows.data(), static_cast<int64_t>(rows.size()), &values);
    for (size_t i = 0; i < winners.size(); ++i) winners[i]->value.Assign(values[static_cast<int64_t>(i)]);
  }

  RowColumns columns_;
  bool last_;
  RowCodec codec_;
};

class RetractableRow final : public RowsAggregate<RetractableRows> {
 public:
  RetractableRow(Type result, const RowColumns& columns, bool last)
      : RowsAggregate(result, {result.arrow_type()}, columns), last_(last) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    std::vector<std::string_view> values(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      const RetractableRows* rows = Find(states[i]);
      const std::string* row = !rows ? nullptr : last_ ? rows->Last() : rows->First();
      if (row) values[static_cast<size_t>(i)] = *row;
    }
    return codec().Decode(values)[0];
  }

 private:
  bool last_;
};

BoundAggregate BindByOrder(const char* name, bool last, const AggregateBindArguments& args,
                           bool ignore_nulls) {
  RequireArgumentCount(name, args, 1, 1);
  RowColumns columns;
  columns.values = {0};
  for (size_t i = 0; i < args.order_types.size(); ++i) columns.order.push_back(1 + i);
  columns.sort = args.order;
  if (ignore_nulls) columns.not_null = {0};
  const Type type = KnownType(args.types[0]);
  return {{type}, MakeOneRow(type, columns, last, args.retractable)};
}

/// The value of x where y is least (`greatest`: greatest); of equal ones the first to arrive.
BoundAggregate BindByArgument(const char* name, bool greatest, const AggregateBindArguments& args) {
  RequireArgumentCount(name, args, 2, 2);
  RowColumns columns;
  columns.values = {0};
  columns.order = {1};
  columns.sort = {SortColumn{.descending = greatest, .nulls_first = false}};
  columns.not_null = {1};
  const Type type = KnownType(args.types[0]);
  return {{type, KnownType(args.types[1])}, MakeOneRow(type, columns, /*last=*/false, args.retractable)};
}

AggregateDefinition ByOrderDefinition(const char* name, std::vector<std::string> names, bool last,
                                      bool skip_nulls, std::string description, std::string example,
                                      std::string result) {
  return {.names = std::move(names),
          .doc = {"Aggregate", std::string(name) + "(x [ORDER BY …]) → type of x", std::move(description),
                  std::move(example), std::move(result)},
          .takes_distinct = false,
          .takes_order_by = true,
          .bind = [name, last, skip_nulls](const AggregateBindArguments& args) {
            return BindByOrder(name, last, args, skip_nulls || args.ignore_nulls);
          }};
}

AggregateDefinition ByArgumentDefinition(const char* name, const char* alias, bool greatest,
                                         std::string description, std::string example, std::string result) {
  return {.names = {name, alias},
          .doc = {"Aggregate", std::string(name) + "(x, y) → type of x", std::move(description),
                  std::move(example), std::move(result)},
          .takes_distinct = false,
          .takes_order_by = false,
          .bind = [name, greatest](const AggregateBindArguments& args) {
            return BindByArgument(name, greatest, args);
          }};
}

}  // namespace

std::shared_ptr<const AggregateFunction> MakeOneRow(const Type& type, const RowColumns& columns, bool last,
                                                    bool retractable) {
  if (retractable) return std::make_shared<RetractableRow>(type, columns, last);
  return std::make_shared<BestRow>(type, columns, last);
}

void AddFirstLast(AggregateDefinitionList* out) {
  out->push_back(
      ByOrderDefinition("first_value", {"first_value", "first"}, false, false,
                        "x of the first row by ORDER BY, else by arrival; may be NULL. `IGNORE NULLS` skips "
                        "rows where x is NULL.",
                        "first_value(x ORDER BY x DESC)", "3"));
  out->push_back(
      ByOrderDefinition("last_value", {"last_value", "last"}, true, false,
                        "x of the last row by ORDER BY, else by arrival; may be NULL. `IGNORE NULLS` skips "
                        "rows where x is NULL.",
                        "last_value(x)", "3"));
  out->push_back(ByOrderDefinition("any_value", {"any_value"}, false, true,
                                   "Some non-NULL value of the group.", "any_value(x * 0)", "0"));
  out->push_back(ByArgumentDefinition(
      "arg_min", "min_by", false,
      "x of the row where y is least, the first one of several; rows where y is NULL are "
      "skipped.",
      "arg_min(x * 10, x)", "10"));
  out->push_back(
      ByArgumentDefinition("arg_max", "max_by", true,
                           "x of the row where y is greatest, the first one of several; rows where y is NULL "
                           "are skipped.",
                           "arg_max(x * 10, x)", "30"));
}

}  // namespace laminar

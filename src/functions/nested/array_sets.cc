/// Arrays as sets and in order: sort, distinct, union, intersect, except. Order of first appearance is kept.

#include <algorithm>

#include "base/error.h"
#include "functions/nested/array_argument.h"
#include "functions/nested/register_nested.h"
#include "functions/overload.h"

namespace laminar {

namespace {

/// Elements of several sources, compared across them: NULL equals NULL and comes last.
class ElementOrder {
 public:
  ElementOrder(std::vector<ColumnView> sources, const Type& element) : sources_(std::move(sources)) {
    for (const ColumnView& a : sources_) {
      for (const ColumnView& b : sources_) compare_.push_back(MakeRowCompare(a, b, element));
    }
  }
  struct Ref {
    int source;
    int64_t index;
  };
  bool IsNull(Ref a) const { return sources_[static_cast<size_t>(a.source)].IsNull(a.index); }
  int Compare(Ref a, Ref b) const {
    const bool a_null = IsNull(a);
    const bool b_null = IsNull(b);
    if (a_null || b_null) return static_cast<int>(a_null) - static_cast<int>(b_null);
    return compare_[static_cast<size_t>(a.source) * sources_.size() + static_cast<size_t>(b.source)](a.index,
                                                                                                     b.index);
  }

 private:
  std::vector<ColumnView> sources_;
  std::vector<RowCompare> compare_;
};
using Ref = ElementOrder::Ref;

/// The first of equal elements, in order of appearance.
std::vector<Ref> Distinct(const std::vector<Ref>& elements, const ElementOrder& order) {
  std::vector<size_t> sorted(elements.size());
  for (size_t i = 0; i < sorted.size(); ++i) sorted[i] = i;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](size_t a, size_t b) { return order.Compare(elements[a], elements[b]) < 0; });
  std::vector<bool> keep(elements.size(), false);
  for (size_t i = 0; i < sorted.size(); ++i) {
    keep[sorted[i]] = i == 0 || order.Compare(elements[sorted[i - 1]], elements[sorted[i]]) != 0;
  }
  std::vector<Ref> out;
  for (size_t i = 0; i < elements.size(); ++i) {
    if (keep[i]) out.push_back(elements[i]);
  }
  return out;
}

std::vector<Ref> Elements(int source, ListSpan span) {
  std::vector<Ref> out;
  for (int64_t i = 0; i < span.length; ++i) out.push_back({source, span.begin + i});
  return out;
}

void AppendAll(const std::vector<Ref>& elements, ArrayBuilding* out) {
  for (const Ref& element : elements) out->Append(element.source, element.index);
}

/// f(spans of the row's arrays, order) → elements of the result.
template <typename F>
ScalarKernel SetKernel(const Type& element, F f) {
  return [element, f,
          type = Type::Array(element).arrow_type()](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(type);
    std::vector<ArrayArgument> arrays;
    std::vector<ColumnView> sources;
    ArrayBuilding building(shape.rows);
    for (const arrow::Datum& arg : call.args) {
      arrays.emplace_back(arg);
      sources.push_back(arrays.back().elements);
      building.AddSource(arrays.back().lists.elements());
    }
    const ElementOrder order(sources, element);
    std::vector<ListSpan> spans(arrays.size());
    for (int64_t row = 0; row < shape.rows; ++row) {
      if (shape.IsValid(row)) {
        for (size_t i = 0; i < arrays.size(); ++i) spans[i] = arrays[i][row];
        AppendAll(f(spans, order), &building);
      }
      building.EndRow();
    }
    return building.Finish(shape, type, shape.valid);
  };
}

BoundScalar BindDistinct(const Type& element) {
  return {{},
          Type::Array(element),
          SetKernel(element, [](const std::vector<ListSpan>& spans, const ElementOrder& order) {
            return Distinct(Elements(0, spans[0]), order);
          })};
}

BoundScalar BindUnion(const Type& element) {
  return {{},
          Type::Array(element),
          SetKernel(element, [](const std::vector<ListSpan>& spans, const ElementOrder& order) {
            std::vector<Ref> all = Elements(0, spans[0]);
            const std::vector<Ref> second = Elements(1, spans[1]);
            all.insert(all.end(), second.begin(), second.end());
            return Distinct(all, order);
          })};
}

/// Elements of the first array that are (or are not) in the second.
ScalarBinder BindFilter(bool keep_common) {
  return ArrayAndArray([keep_common](const Type& element) -> BoundScalar {
    return {{},
            Type::Array(element),
            SetKernel(element, [keep_common](const std::vector<ListSpan>& spans, const ElementOrder& order) {
              std::vector<Ref> second = Elements(1, spans[1]);
              auto less = [&](const Ref& a, const Ref& b) { return order.Compare(a, b) < 0; };
              std::sort(second.begin(), second.end(), less);
              std::vector<Ref> kept;
              for (const Ref& element : Distinct(Elements(0, spans[0]), order)) {
                if (std::binary_search(second.begin(), second.end(), element, less) == keep_common)
                  kept.push_back(element);
              }
              return kept;
            })};
  });
}

/// The constant 'ASC' / 'DESC' or 'NULLS FIRST' / 'NULLS LAST' at `index`; `otherwise` when it is left out.
bool ConstantFlag(const BindArguments& arguments, size_t index, const char* yes, const char* no,
                  bool otherwise) {
  if (index >= arguments.size()) return otherwise;
  const auto text = ConstantText(arguments, index);
  if (text && EqualsIgnoreCase(*text, yes)) return true;
  if (text && EqualsIgnoreCase(*text, no)) return false;
  throw UserError(Reason::kTypeError, {},
                  std::string("argument ") + std::to_string(index + 1) + " of array_sort must be '" + yes +
                      "' or '" + no + "'");
}

/// (array[, 'ASC'|'DESC'[, 'NULLS FIRST'|'NULLS LAST']])
std::optional<BoundScalar> BindSort(const BindArguments& arguments) {
  if (arguments.size() == 0 || arguments.size() > 3) return std::nullopt;
  const auto element = SharedElement(arguments.types[0], Type::Null());
  if (!element) return std::nullopt;
  const bool descending = ConstantFlag(arguments, 1, "DESC", "ASC", false);
  const bool nulls_first = ConstantFlag(arguments, 2, "NULLS FIRST", "NULLS LAST", descending);
  auto sort = SetKernel(*element, [=](const std::vector<ListSpan>& spans, const ElementOrder& order) {
    std::vector<Ref> elements = Elements(0, spans[0]);
    std::stable_sort(elements.begin(), elements.end(), [&](const Ref& a, const Ref& b) {
      if (order.IsNull(a) || order.IsNull(b))
        return nulls_first ? order.Compare(b, a) < 0 : order.Compare(a, b) < 0;
      return descending ? order.Compare(b, a) < 0 : order.Compare(a, b) < 0;
    });
    return elements;
  });
  std::vector<Type> parameters(arguments.size(), Type::Text());
  parameters[0] = Type::Array(*element);
  return BoundScalar{std::move(parameters), Type::Array(*element), [sort](const ScalarCall& call) {
                       const std::vector<arrow::Datum> args = {call.args[0]};
                       return sort({args, call.num_rows, call.context});
                     }};
}

}  // namespace

void RegisterArraySets(FunctionRegistry& registry) {
  AddArrayFunction(registry, {"array_sort", "list_sort"},
                   "array_sort(array[, 'ASC'|'DESC'[, 'NULLS FIRST'|'NULLS LAST']]) → array",
                   "In order; NULLs last, or first when descending.", "array_sort([3, NULL, 1])",
                   "[1,3,null]", {BindSort});
  AddArrayFunction(registry, {"array_distinct", "list_distinct"}, "array_distinct(array) → array",
                   "Each value once, where it came first; NULL counts as a value.",
                   "array_distinct([2, 1, 2, NULL, NULL])", "[2,1,null]",
                   {ArrayAndFixed({}, 0, BindDistinct)});
  AddArrayFunction(registry, {"array_union", "list_union"}, "array_union(a, b) → array",
                   "Each value of both arrays once.", "array_union([1, 2], [2, 3])", "[1,2,3]",
                   {ArrayAndArray(BindUnion)});
  AddArrayFunction(registry, {"array_intersect", "list_intersect"}, "array_intersect(a, b) → array",
                   "Each value that is in both arrays, once.", "array_intersect([1, 2, 2], [2, 3])", "[2]",
                   {BindFilter(true)});
  AddArrayFunction(registry, {"array_except", "list_except"}, "array_except(a, b) → array",
                   "Each value of a that is not in b, once.", "array_except([1, 2, 3], [2])", "[1,3]",
                   {BindFilter(false)});
}

}  // namespace laminar

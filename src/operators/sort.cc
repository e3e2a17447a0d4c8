#include "operators/sort.h"
#include "base/error.h"
namespace laminar {
std::unique_ptr<Operator> MakeSort(SortOptions) { throw UserError(Reason::kUnsupported, {}, "sort is being written"); }
}  // namespace laminar

#include "operators/deduplicate.h"
#include "base/error.h"
namespace laminar {
std::unique_ptr<Operator> MakeDeduplicate(DeduplicateOptions) { throw UserError(Reason::kUnsupported, {}, "deduplicate is being written"); }
}  // namespace laminar

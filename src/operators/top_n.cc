#include "operators/top_n.h"
#include "base/error.h"
namespace laminar {
std::unique_ptr<Operator> MakeTopN(TopNOptions) { throw UserError(Reason::kUnsupported, {}, "top_n is being written"); }
}  // namespace laminar

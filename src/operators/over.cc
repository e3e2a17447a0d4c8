#include "operators/over.h"
#include "base/error.h"
namespace laminar {
std::unique_ptr<Operator> MakeOver(OverOptions) { throw UserError(Reason::kUnsupported, {}, "over is being written"); }
}  // namespace laminar

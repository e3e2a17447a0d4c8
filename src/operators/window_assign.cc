#include "operators/window_assign.h"
#include "base/error.h"
namespace laminar {
std::unique_ptr<Operator> MakeWindowAssign(WindowAssignOptions) { throw UserError(Reason::kUnsupported, {}, "window_assign is being written"); }
}  // namespace laminar

#include "register_all.h"

#include <arrow/compute/initialize.h>

#include "base/arrow_result.h"
#include "connectors/register_connectors.h"
#include "formats/register_formats.h"
#include "functions/register_aggregates.h"
#include "functions/register_scalar_core.h"
#include "functions/register_text.h"

namespace laminar {

const Registries& AllRegistries() {
  static const Registries* registries = [] {
    OrThrow(arrow::compute::Initialize(), "arrow compute");
    auto* all = new Registries;
    RegisterCoreFunctions(all->functions);
    RegisterTextFunctions(all->functions);
    RegisterAggregateFunctions(all->functions);
    RegisterAllFormats(all->formats);
    RegisterAllConnectors(all->connectors);
    return all;
  }();
  return *registries;
}

}  // namespace laminar

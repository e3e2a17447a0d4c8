#include "connectors/register_connectors.h"

#include "connectors/blackhole/connector.h"
#include "connectors/datagen/connector.h"
#include "connectors/described/connectors.h"
#include "connectors/filesystem/connector.h"
#include "connectors/impulse/connector.h"
#include "connectors/nexmark/connector.h"
#include "connectors/single_file/connector.h"
#include "connectors/stdout/connector.h"

namespace laminar {

void RegisterAllConnectors(ConnectorRegistry& registry) {
  RegisterBlackhole(registry);
  RegisterDatagen(registry);
  RegisterDescribed(registry);
  RegisterFilesystem(registry);
  RegisterImpulse(registry);
  RegisterNexmark(registry);
  RegisterSingleFile(registry);
  RegisterStdout(registry);
}

}  // namespace laminar

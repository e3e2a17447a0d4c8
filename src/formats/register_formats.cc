#include "formats/register_formats.h"

namespace laminar {

void RegisterAllFormats(FormatRegistry& registry) {
  RegisterJson(registry);
  RegisterDebeziumJson(registry);
  RegisterCsv(registry);
  RegisterParquet(registry);
  RegisterRaw(registry);
}

}  // namespace laminar

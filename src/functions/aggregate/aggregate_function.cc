#include <cstring>

#include "base/error.h"
#include "functions/aggregate.h"

namespace laminar {

void AggregateFunction::Deserialize(std::string_view bytes, uint8_t* state) const {
  LAMINAR_CHECK(
      static_cast<int64_t>(bytes.size()) == state_bytes_,
      "accumulator of " + std::to_string(bytes.size()) + " bytes, expected " + std::to_string(state_bytes_));
  std::memcpy(state, bytes.data(), bytes.size());
}

}  // namespace laminar

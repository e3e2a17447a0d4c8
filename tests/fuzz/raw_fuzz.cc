// Any bytes as raw_string and raw_bytes, by lines and as messages.

#include "fuzz/decode_anything.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace laminar;
  static const Schema text = ColumnsOf("value TEXT"), bytes = ColumnsOf("value BYTEA");
  for (const bool one_message : {false, true}) {
    DecodeAnything("raw_string", text, SpecOf({}, one_message), Bytes(data, size));
    DecodeAnything("raw_bytes", bytes, SpecOf({}, one_message), Bytes(data, size));
  }
  return 0;
}

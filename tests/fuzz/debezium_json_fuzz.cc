// Any bytes as Debezium envelopes, into flat, nested and no columns, with and without a key.

#include "fuzz/decode_anything.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace laminar;
  static const Schema schemas[] = {ColumnsOf(kFlatColumns), ColumnsOf(kNestedColumns), Schema{}};
  const std::string_view input = Bytes(data, size);
  for (const Schema& columns : schemas) {
    FormatSpec spec = SpecOf({});
    DecodeAnything("debezium_json", columns, spec, input);
    spec.one_message = true;
    if (!columns.fields.empty()) spec.primary_key = {0};
    DecodeAnything("debezium_json", columns, spec, input);
  }
  FormatNamed("debezium_json").infer(SpecOf({}), input);
  return 0;
}

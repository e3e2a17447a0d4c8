// Any bytes as JSON records, into flat, nested and no columns, as blocks of a file and as messages.

#include "fuzz/decode_anything.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace laminar;
  static const Schema schemas[] = {ColumnsOf(kFlatColumns), ColumnsOf(kNestedColumns), Schema{}};
  const std::string_view input = Bytes(data, size);
  for (const Schema& columns : schemas) {
    DecodeAnything("json", columns, SpecOf({}), input);
    DecodeAnything("json", columns, SpecOf({}, /*one_message=*/true), input);
  }
  DecodeAnything("json", ColumnsOf("value JSON"), SpecOf({{"unstructured", "true"}}), input);
  FormatNamed("json").infer(SpecOf({}), input);
  return 0;
}

// Any bytes as CSV: with and without header, doubled and escaped quotes, all columns and some of them; where
// a connector would cut the text into blocks, the pieces must hold the same bytes.

#include "fuzz/decode_anything.h"

namespace {

using namespace laminar;

void CheckCuts(const FormatSpec& spec, std::string_view input) {
  const int64_t header = FormatNamed("csv").header_bytes(spec, input);
  const int64_t cut = FormatNamed("csv").last_record_end(spec, input);
  LAMINAR_CHECK(header >= 0 && header <= static_cast<int64_t>(input.size()), "a header longer than the text");
  LAMINAR_CHECK(cut >= 0 && cut <= static_cast<int64_t>(input.size()), "a cut behind the text");
  LAMINAR_CHECK(cut == 0 || input[static_cast<size_t>(cut) - 1] == '\n', "a cut that is no end of a line");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Schema all = ColumnsOf(kFlatColumns), some = ColumnsOf("name TEXT, ok BOOLEAN");
  const std::string_view input = Bytes(data, size);
  const FormatSpec specs[] = {
      SpecOf({}), SpecOf({{"header", "false"}, {"escape", "\\"}}),
      SpecOf({{"header", "true"}, {"delimiter", ";"}, {"quote", "'"}, {"null_string", "NULL"}},
             /*one_message=*/true)};
  for (FormatSpec spec : specs) {
    DecodeAnything("csv", all, spec, input);
    spec.table_columns = all;
    DecodeAnything("csv", some, spec, input);
    CheckCuts(spec, input);
  }
  FormatNamed("csv").infer(SpecOf({}), input);
  return 0;
}

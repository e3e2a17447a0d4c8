// Any bytes as a Parquet file: read whole, or refused with an error of the file. (The reader itself is
// Arrow's.)

#include <arrow/buffer.h>
#include <arrow/io/memory.h>

#include "fuzz/decode_anything.h"

namespace {

using namespace laminar;

void ReadFile(const Schema& columns, std::string_view input) {
  auto file = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(std::string(input)));
  try {
    auto reader = FormatNamed("parquet").open_file(SpecOf({}), file, columns);
    CheckWhole(reader->Next(1));
    reader->SkipRows(1);
    for (int i = 0; i < 100; ++i) {
      const Batch batch = reader->Next(100);
      if (batch.empty()) return;
      CheckWhole(batch);
    }
  } catch (const ExternalError&) {
  } catch (const QueryError&) {
  } catch (const UserError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Schema schemas[] = {
      ColumnsOf("id BIGINT, name TEXT, tags TEXT[], s STRUCT<a INT>"),
      ColumnsOf("id TEXT, name BYTEA, tags JSON, price DECIMAL(20,4), ts TIMESTAMP"), Schema{}};
  for (const Schema& columns : schemas) ReadFile(columns, Bytes(data, size));
  return 0;
}

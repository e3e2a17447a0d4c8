#pragma once

/// The options that `json` and `debezium_json` share.

#include "formats/format.h"
#include "formats/json_encoder.h"
#include "formats/json_record_reader.h"

namespace laminar {

/// What the two formats do when nothing is said.
struct JsonDefaults {
  const char* format = "json";
  TimestampStyle timestamps = TimestampStyle::kText;
  DecimalStyle decimals = DecimalStyle::kNumber;
  bool takes_unstructured = true;
};

JsonReadOptions ReadOptionsOf(const FormatSpec& spec, const JsonDefaults& defaults);
JsonWriteOptions WriteOptionsOf(const FormatSpec& spec, const JsonDefaults& defaults);

/// Columns of a JSON sample, in the order in which they first appear: integers BIGINT, other numbers DOUBLE,
/// strings that are all timestamps TIMESTAMP, other strings TEXT, objects STRUCT, arrays ARRAY, mixtures
/// JSON. Records that are not objects, and a last one that is cut off, are passed over. No columns: nothing
/// could be learned.
Schema InferJsonSchema(std::string_view sample, bool lines);

}  // namespace laminar

#pragma once

/// Key columns for tests of keyed state.

#include <arrow/api.h>

#include <memory>
#include <string>
#include <vector>

#include "base/arrow_result.h"

namespace laminar {

using Columns = std::vector<std::shared_ptr<arrow::Array>>;
using Types = std::vector<std::shared_ptr<arrow::DataType>>;

/// Key columns of rows with values 0..n−1, NULL for a multiple of 13.
inline Columns KeysOf(const Types& types, const std::vector<int>& values) {
  Columns columns;
  for (const auto& type : types) {
    auto builder = OrThrow(arrow::MakeBuilder(type));
    OrThrow(builder->AppendNull());  // the slice below leaves this out
    for (const int value : values) {
      if (value % 13 == 12) {
        OrThrow(builder->AppendNull());
      } else if (type->id() == arrow::Type::STRING) {
        const std::string text =
            (value % 2 ? "a long key that is not kept in place " : "k") + std::to_string(value);
        OrThrow(static_cast<arrow::StringBuilder*>(builder.get())->Append(text));
      } else {
        OrThrow(builder->AppendScalar(*OrThrow(arrow::MakeScalar(int64_t{value})->CastTo(type))));
      }
    }
    columns.push_back(OrThrow(builder->Finish())->Slice(1));
  }
  return columns;
}

inline const std::vector<Types>& KeyShapes() {
  static const std::vector<Types> shapes = {{arrow::int64()},
                                            {arrow::int32()},
                                            {arrow::int64(), arrow::int64()},
                                            {arrow::int16(), arrow::int64()},
                                            {arrow::utf8()},
                                            {arrow::int64(), arrow::utf8()},
                                            {arrow::int64(), arrow::int64(), arrow::float64()}};
  return shapes;
}

/// What the canonical key of a value is a stand-in for in the models below. NULLs are all one key.
inline int KeyId(int value) { return value % 13 == 12 ? -1 : value; }

}  // namespace laminar

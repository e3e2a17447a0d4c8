#include "jobs/exact_numbers.h"

#include <gtest/gtest.h>

namespace laminar {
namespace {

const nlohmann::json kColumns = {{{"name", "id"}, {"data_type", "BIGINT"}},
                                 {{"name", "price"}, {"data_type", "DECIMAL(38, 10)"}},
                                 {{"name", "n"}, {"data_type", "INT"}},
                                 {{"name", "s"}, {"data_type", "STRUCT<a BIGINT>"}}};

TEST(ExactNumbers, ColumnsOfThoseTypesBecomeTextWithAllDigits) {
  EXPECT_EQ(WithExactNumbers(R"({"id":7,"price":12345678901234567890.0123456789,"n":3,"t":"a\"b","x":null})",
                             kColumns, 1),
            R"({"id":"7","price":"12345678901234567890.0123456789","n":3,"t":"a\"b","x":null})");
}

TEST(ExactNumbers, LargeIntegersAnywhereInARow) {
  EXPECT_EQ(
      WithExactNumbers(R"({"s":{"a":9007199254740993,"b":[1,18446744073709551615]},"n":1.50})", kColumns, 1),
      R"({"s":{"a":"9007199254740993","b":[1,"18446744073709551615"]},"n":1.50})");
}

TEST(ExactNumbers, OutsideOfRowsNothingChanges) {
  EXPECT_EQ(
      WithExactNumbers(
          R"({"start_id":9007199254740993,"records":[{"timestamp":1,"record":{"id":1}},{"record":{"id":2}}]})",
          kColumns, 4),
      R"({"start_id":9007199254740993,"records":[{"timestamp":1,"record":{"id":"1"}},{"record":{"id":"2"}}]})");
}

TEST(ExactNumbers, WhatIsNoJsonStaysAsItIs) { EXPECT_EQ(WithExactNumbers("{", kColumns, 1), "{"); }

}  // namespace
}  // namespace laminar

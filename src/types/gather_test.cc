#include "types/gather.h"

#include <arrow/api.h>
#include <arrow/compute/api_vector.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "base/arrow_result.h"

namespace laminar {
namespace {

std::shared_ptr<arrow::Array> Json(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return OrThrow(arrow::json::ArrayFromJSONString(type, json));
}

/// Gathers from the array and from a slice of it, and compares with Arrow's own kernel.
void Check(const std::shared_ptr<arrow::Array>& column) {
  for (const std::vector<int32_t>& rows :
       {std::vector<int32_t>{}, {0}, {2, 2, 0}, {1, 0, 2, 1, 0, 2, 1, 0, 2, 1, 0}, {2, 1, 0}}) {
    for (const auto& from : {column, column->Slice(1), column->Slice(1, 3)}) {
      const auto got = Gather(from, rows.data(), static_cast<int64_t>(rows.size()));
      ASSERT_TRUE(got->ValidateFull().ok()) << column->type()->ToString();
      const arrow::Int32Array indices(static_cast<int64_t>(rows.size()), arrow::Buffer::Wrap(rows));
      const auto expected = OrThrow(arrow::compute::Take(*from, indices));
      EXPECT_TRUE(got->Equals(*expected)) << column->ToString() << got->ToString();
      EXPECT_EQ(got->null_count(), expected->null_count());
    }
  }
}

TEST(Gather, AgreesWithArrowForEveryType) {
  Check(Json(arrow::int64(), "[1, -2, 3, 4]"));
  Check(Json(arrow::int64(), "[1, null, 3, null]"));
  Check(Json(arrow::int8(), "[1, null, 3, 4]"));
  Check(Json(arrow::uint16(), "[1, 2, 3, 4]"));
  Check(Json(arrow::float32(), "[1.5, null, 3, 4]"));
  Check(Json(arrow::float64(), "[1.5, -0.0, null, 4]"));
  Check(Json(arrow::boolean(), "[true, false, null, true]"));
  Check(Json(arrow::boolean(), "[true, false, true, true]"));
  Check(Json(arrow::utf8(), R"(["a", "", null, "Ωmega"])"));
  Check(Json(arrow::utf8(), R"(["", "", "", ""])"));
  Check(Json(arrow::binary(), R"(["a", "bc", "def", ""])"));
  Check(Json(arrow::decimal128(20, 2), R"(["1.00", "-2.50", null, "4.00"])"));
  Check(Json(arrow::timestamp(arrow::TimeUnit::MICRO), "[1, null, -3, 4]"));
  Check(Json(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[1, 2, -3, 4]"));
  Check(Json(arrow::date32(), "[1, null, -3, 4]"));
  Check(Json(arrow::month_day_nano_interval(), "[[1, 2, 3], null, [4, 5, 6], [0, 0, 1]]"));
  Check(Json(arrow::list(arrow::int64()), "[[1, 2], null, [], [3]]"));
  Check(Json(arrow::map(arrow::utf8(), arrow::int64()), R"([[["a", 1]], null, [], [["b", null]]])"));
  Check(Json(arrow::struct_({arrow::field("a", arrow::int64())}),
             R"([{"a": 1}, null, {"a": null}, {"a": 4}])"));
  Check(Json(arrow::null(), "[null, null, null, null]"));
  Check(Json(arrow::fixed_size_binary(3), R"(["abc", "def", null, "ghi"])"));
  Check(Json(arrow::int64(), "[null, null, null, null]"));
}

}  // namespace
}  // namespace laminar

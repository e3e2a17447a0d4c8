#include "functions/elementwise.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace laminar {
namespace {

std::shared_ptr<arrow::Array> Texts(const std::vector<std::optional<std::string>>& values) {
  arrow::StringBuilder builder;
  for (const auto& value : values) EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return *builder.Finish();
}

std::shared_ptr<arrow::Array> Ints(const std::vector<std::optional<int64_t>>& values) {
  arrow::Int64Builder builder;
  for (const auto& value : values) EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return *builder.Finish();
}

const EvalContext kContext;

TEST(ElementwiseTest, NullsAndSlices) {
  std::vector<arrow::Datum> args = {Texts({"x", "ab", std::nullopt, "abc", "d"})->Slice(1, 3),
                                    Ints({9, 9, 1, 2, std::nullopt})->Slice(2, 3)};
  auto result = Map<std::string_view, int64_t>(
      {args, 3, kContext}, arrow::int64(),
      [](std::string_view s, int64_t n) { return static_cast<int64_t>(s.size()) * 10 + n; });
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->make_array()->Equals(*Ints({21, std::nullopt, std::nullopt})));
}

TEST(ElementwiseTest, AllConstantGivesScalar) {
  std::vector<arrow::Datum> args = {arrow::Datum(arrow::MakeScalar(int64_t{2})),
                                    arrow::Datum(arrow::MakeScalar(int64_t{3}))};
  auto result = Map<int64_t, int64_t>({args, 100, kContext}, arrow::int64(),
                                      [](int64_t a, int64_t b) { return a * b; });
  ASSERT_TRUE(result.ok());
  ASSERT_TRUE(result->is_scalar());
  EXPECT_TRUE(result->scalar()->Equals(*arrow::MakeScalar(int64_t{6})));
}

TEST(ElementwiseTest, NullConstantNullsAll) {
  std::vector<arrow::Datum> args = {arrow::Datum(arrow::MakeNullScalar(arrow::int64())), Ints({1, 2})};
  auto result =
      Map<int64_t, int64_t>({args, 2, kContext}, arrow::int64(), [](int64_t, int64_t, BatchError& error) {
        error.Fail("never called");
        return int64_t{0};
      });
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->scalar()->is_valid);
}

TEST(ElementwiseTest, OptionalResultIsNull) {
  std::vector<arrow::Datum> args = {Ints({1, std::nullopt, 3})};
  auto result = Map<int64_t>({args, 3, kContext}, arrow::boolean(), [](int64_t a) -> std::optional<bool> {
    if (a == 3) return std::nullopt;
    return true;
  });
  ASSERT_TRUE(result.ok());
  const auto array = result->make_array();
  EXPECT_EQ(array->null_count(), 2);
  EXPECT_TRUE(static_cast<const arrow::BooleanArray&>(*array).Value(0));
}

TEST(ElementwiseTest, FirstErrorOfTheBatch) {
  std::vector<arrow::Datum> args = {Ints({1, 0, -5})};
  auto result = Map<int64_t>({args, 3, kContext}, arrow::int64(), [](int64_t a, BatchError& error) {
    if (a <= 0) error.Fail([&] { return "bad value " + std::to_string(a); });
    return a;
  });
  EXPECT_EQ(result.status().message(), "bad value 0");
}

TEST(ElementwiseTest, TextGrowsAndSkipsNulls) {
  std::vector<arrow::Datum> args = {Texts({"ab", std::nullopt, "", "xyz"}),
                                    arrow::Datum(arrow::MakeScalar(int64_t{40}))};
  auto result = MapText<std::string_view, int64_t>(
      {args, 4, kContext}, arrow::utf8(),
      [](std::string_view s, int64_t n, TextWriter& out) {
        if (s == "xyz") return false;
        for (int64_t i = 0; i < n; ++i) out.Append(s);
        return true;
      },
      1);
  ASSERT_TRUE(result.ok());
  std::string repeated;
  for (int i = 0; i < 40; ++i) repeated += "ab";
  EXPECT_TRUE(result->make_array()->Equals(*Texts({repeated, std::nullopt, "", std::nullopt})));
  EXPECT_TRUE(result->make_array()->ValidateFull().ok());
}

TEST(ElementwiseTest, TotalWithConstantsAndSlices) {
  auto sliced = Ints({0, 1, std::nullopt, 3})->Slice(1, 3);
  const arrow::Datum ten(arrow::MakeScalar(int64_t{10}));
  auto minus = [](int64_t a, int64_t b) { return a - b; };
  std::vector<arrow::Datum> right = {sliced, ten};
  std::vector<arrow::Datum> left = {ten, sliced};
  std::vector<arrow::Datum> both = {sliced, sliced};
  auto run = [&](const std::vector<arrow::Datum>& args) {
    return (*MapTotal<int64_t, int64_t>({args, 3, kContext}, arrow::int64(), minus)).make_array();
  };
  EXPECT_TRUE(run(right)->Equals(*Ints({-9, std::nullopt, -7})));
  EXPECT_TRUE(run(left)->Equals(*Ints({9, std::nullopt, 7})));
  EXPECT_TRUE(run(both)->Equals(*Ints({0, std::nullopt, 0})));
}

TEST(ElementwiseTest, EmptyBatch) {
  std::vector<arrow::Datum> args = {Texts({})};
  auto result = Map<std::string_view>({args, 0, kContext}, arrow::utf8(),
                                      [](std::string_view s) { return std::string(s); });
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->make_array()->length(), 0);
}

TEST(ElementwiseTest, Utf8CodePoints) {
  TextWriter writer(1, 0);
  for (uint32_t c : {0x41u, 0xE9u, 0x20ACu, 0x1F600u}) writer.AppendCodePoint(c);
  EXPECT_EQ(writer.row(), "Aé€😀");
}

}  // namespace
}  // namespace laminar

#include "operators/unnest.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "support/collect_output.h"
#include "support/operator_context.h"

namespace laminar {
namespace {

std::shared_ptr<arrow::Array> Json(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return OrThrow(arrow::json::ArrayFromJSONString(type, json));
}

Batch Input(const std::string& lists) {
  Batch batch;
  batch.columns = {Json(arrow::int64(), "[1, 2, 3, 4, 5]"), Json(arrow::list(arrow::utf8()), lists)};
  batch.num_rows = 5;
  return batch;
}

TEST(Unnest, GivesARowPerElementAndNoneForNullAndEmpty) {
  OperatorBench bench;
  CollectingOutput out;
  auto unnest = bench.Open(MakeUnnest({.column = 1, .keep = {0}, .with_ordinality = true}));
  unnest->OnBatch(0, Input(R"([["a", "b"], null, [], [null], ["c"]])"), out);
  EXPECT_EQ(out.TakeText(), "+ 1 a 1\n+ 1 b 2\n+ 4 NULL 1\n+ 5 c 1\n");
}

TEST(Unnest, SendsNothingForAllEmpty) {
  OperatorBench bench;
  CollectingOutput out;
  auto unnest = bench.Open(MakeUnnest({.column = 1}));
  unnest->OnBatch(0, Input("[[], null, [], null, []]"), out);
  EXPECT_TRUE(out.batches.empty());
}

TEST(Unnest, SlicedInputAndWeights) {
  OperatorBench bench;
  CollectingOutput out;
  auto unnest = bench.Open(MakeUnnest({.column = 1, .keep = {0}}));
  Batch batch = Input(R"([["a", "b"], ["c"], [], ["d", "e"], ["f"]])");
  batch.weights = MakeWeights({1, -1, 1, 1, 2});
  batch.split = 7;
  unnest->OnBatch(0, Slice(batch, 1, 4), out);
  ASSERT_EQ(out.batches.size(), 1u);
  EXPECT_EQ(out.batches[0].split, 7);
  EXPECT_EQ(out.TakeText(), "- 2 c\n+ 4 d\n+ 4 e\n+2 5 f\n");
}

TEST(Unnest, ANullArrayMayHideValues) {
  // [["a"], NULL over "b", "c", ["d"]]
  auto values = Json(arrow::utf8(), R"(["a", "b", "c", "d"])");
  auto offsets = Json(arrow::int32(), "[0, 1, 3, 4]");
  const uint8_t valid[] = {0b101};
  auto list = std::make_shared<arrow::ListArray>(arrow::list(arrow::utf8()), 3, offsets->data()->buffers[1],
                                                 values, arrow::Buffer::Wrap(valid, 1), 1);
  Batch batch;
  batch.columns = {list};
  batch.num_rows = 3;
  OperatorBench bench;
  CollectingOutput out;
  bench.Open(MakeUnnest({.column = 0}))->OnBatch(0, batch, out);
  EXPECT_EQ(out.TakeText(), "+ a\n+ d\n");
}

TEST(Unnest, AMapGivesKeyAndValue) {
  Batch batch;
  batch.columns = {
      Json(arrow::map(arrow::utf8(), arrow::int64()), R"([[["x", 1]], [["a", 1], ["b", null]], null])")};
  batch.num_rows = 3;
  OperatorBench bench;
  CollectingOutput out;
  bench.Open(MakeUnnest({.column = 0}))->OnBatch(0, Slice(batch, 1, 2), out);
  EXPECT_EQ(out.TakeText(), "+ a 1\n+ b NULL\n");
}

TEST(Unnest, CutsLargeOutputs) {
  std::string json = "[";
  for (int row = 0; row < 5; ++row) {
    json += row ? ",[" : "[";
    for (int i = 0; i < 10'000; ++i) json += i ? ",\"v\"" : "\"v\"";
    json += "]";
  }
  OperatorBench bench;
  CollectingOutput out;
  bench.Open(MakeUnnest({.column = 1, .keep = {0}}))->OnBatch(0, Input(json + "]"), out);
  EXPECT_EQ(out.num_rows(), 50'000);
  EXPECT_EQ(out.batches.size(), 3u);
}

}  // namespace
}  // namespace laminar

#include "operators/decode.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/collect_output.h"
#include "support/operator_context.h"

namespace laminar {
namespace {

using ::testing::HasSubstr;

/// Lines of integers; '!' before one takes it back.
class NumberDecoder final : public Decoder {
 public:
  DecodeResult Decode(std::string_view block, int64_t rows_max) override {
    DecodeResult result;
    arrow::Int64Builder builder;
    std::vector<int32_t> weights;
    bool weighted = false;
    size_t at = 0;
    while (at < block.size() && builder.length() < rows_max) {
      const size_t end = std::min(block.find('\n', at), block.size());
      std::string_view line = block.substr(at, end - at);
      const std::string_view whole = line;
      const bool minus = !line.empty() && line[0] == '!';
      if (minus) line.remove_prefix(1);
      if (line.empty() || line.find_first_not_of("0123456789") != std::string_view::npos) {
        result.bad.push_back({whole, static_cast<int64_t>(at), "not a number"});
      } else {
        OrThrow(builder.Append(std::stoll(std::string(line))));
        weights.push_back(minus ? -1 : 1);
        weighted = weighted || minus;
      }
      at = std::min(end + 1, block.size());
    }
    result.consumed = static_cast<int64_t>(at);
    result.batch.num_rows = builder.length();
    result.batch.columns = {OrThrow(builder.Finish())};
    if (weighted) result.batch.weights = MakeWeights(weights);
    return result;
  }
};

const Schema kRecords{{{"payload", Type::Bytes()}, {"offset", Type::Int64()}}};

Batch Records(const std::vector<std::optional<std::string>>& payloads) {
  arrow::BinaryBuilder payload;
  arrow::Int64Builder offset;
  for (size_t i = 0; i < payloads.size(); ++i) {
    OrThrow(payloads[i] ? payload.Append(*payloads[i]) : payload.AppendNull());
    OrThrow(offset.Append(100 + static_cast<int64_t>(i)));
  }
  Batch batch;
  batch.num_rows = static_cast<int64_t>(payloads.size());
  batch.columns = {OrThrow(payload.Finish()), OrThrow(offset.Finish())};
  batch.split = 3;
  return batch;
}

/// Keeps the side output apart.
class TwoOutputs final : public Output {
 public:
  void Emit(Batch batch) override { main.Emit(std::move(batch)); }
  void EmitTo(int output, Batch batch) override { (output == 0 ? main : side).Emit(std::move(batch)); }
  void EmitWatermark(int64_t watermark_us) override { main.EmitWatermark(watermark_us); }
  void EmitIdle(bool idle) override { main.EmitIdle(idle); }
  void EmitSplit(const SplitEvent& event) override { main.EmitSplit(event); }
  CollectingOutput main, side;
};

class DecodeTest : public ::testing::Test {
 protected:
  std::unique_ptr<Operator> Open(BadDataPolicy policy, int64_t rows_max = 8192) {
    return bench_.Open(
        MakeDecode({[] { return std::make_unique<NumberDecoder>(); }, policy, "numbers", rows_max}));
  }
  OperatorBench bench_;
  TwoOutputs out_;
};

TEST_F(DecodeTest, RepeatsMetadataForEachRowOfARecord) {
  auto decode = Open(BadDataPolicy::kFail);
  decode->OnBatch(0, Records({"1\n2\n", std::nullopt, "", "3"}), out_);
  ASSERT_EQ(out_.main.batches.size(), 1u);
  EXPECT_EQ(out_.main.batches[0].split, 3);
  EXPECT_EQ(out_.main.TakeText(), "+ 1 100\n+ 2 100\n+ 3 103\n");
  EXPECT_EQ(bench_.metrics.bytes_in.value(), 5);
  decode->OnBatch(0, Slice(Records({"1\n2\n", "7", "8"}), 1, 2), out_);
  EXPECT_EQ(out_.main.TakeText(), "+ 7 101\n+ 8 102\n");
}

TEST_F(DecodeTest, CutsLargeBlocksAndJoinsSmallOnes) {
  auto decode = Open(BadDataPolicy::kFail, 3);
  decode->OnBatch(0, Records({"1\n2\n3\n4\n5\n6\n7\n", "8", "9"}), out_);
  EXPECT_EQ(out_.main.batches.size(), 3u);
  EXPECT_EQ(out_.main.TakeText(),
            "+ 1 100\n+ 2 100\n+ 3 100\n+ 4 100\n+ 5 100\n+ 6 100\n+ 7 100\n+ 8 101\n+ 9 102\n");
}

TEST_F(DecodeTest, KeepsTheWeightsOfChangelogs) {
  auto decode = Open(BadDataPolicy::kFail);
  decode->OnBatch(0, Records({"1", "!1\n2"}), out_);
  EXPECT_EQ(out_.main.TakeText(), "+ 1 100\n- 1 101\n+ 2 101\n");
}

TEST_F(DecodeTest, ABadRecordFails) {
  auto decode = Open(BadDataPolicy::kFail);
  try {
    decode->OnBatch(0, Records({"1\nx\n2"}), out_);
    FAIL();
  } catch (const QueryError& error) {
    EXPECT_STREQ(error.what(), "bad record of numbers at byte 2: not a number: x");
  }
}

TEST_F(DecodeTest, ABadRecordIsDroppedAndCounted) {
  auto decode = Open(BadDataPolicy::kDrop);
  decode->OnBatch(0, Records({"1\nx\n2", "y"}), out_);
  EXPECT_EQ(out_.main.TakeText(), "+ 1 100\n+ 2 100\n");
  EXPECT_EQ(bench_.metrics.bad_records.value(), 2);
  EXPECT_TRUE(out_.side.batches.empty());
}

TEST_F(DecodeTest, ADeadLetterLeavesByTheSideOutput) {
  bench_.clock.Set(5'000'000);
  auto decode = Open(BadDataPolicy::kDeadLetter, 2);
  decode->OnBatch(0, Records({"1\n2\n3\nx\n4", "y"}), out_);
  EXPECT_EQ(out_.main.TakeText(), "+ 1 100\n+ 2 100\n+ 3 100\n+ 4 100\n");
  EXPECT_EQ(out_.side.TakeText(),
            "+ x 'not a number' numbers 'byte 6' 00:00:05\n+ y 'not a number' numbers 'byte 0' 00:00:05\n");
  EXPECT_EQ(bench_.metrics.bad_records.value(), 2);
}

}  // namespace
}  // namespace laminar

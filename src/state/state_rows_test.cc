#include "state/state_rows.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "state/keyed_log.h"
#include "state/row_bytes.h"
#include "types/row_codec.h"

namespace laminar {
namespace {

std::vector<std::string> NamesOf(const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields) names.push_back(field.name);
  return names;
}

std::string Cell(const Batch& rows, size_t column, int64_t row) {
  const auto scalar = rows.columns[column]->GetScalar(row);
  return (*scalar)->is_valid ? (*scalar)->ToString() : "NULL";
}

TEST(StateRows, PartsOfEveryForm) {
  const StateTableSpec spec{
      "t",
      1,
      "",
      {StatePart::Sequence({{"start", Type::Timestamp()}}), StatePart::Sized({StatePart::Text("owner")}),
       StatePart::Text("rest")},
      {StatePart::Plain({{"small", Type::Int32()}, {"flag", Type::Boolean()}, {"at", Type::Timestamp()}}),
       StatePart::Skip(3), StatePart::Bytes("opaque"), StatePart::Plain({{"last", Type::Int64()}})}};
  std::string key, value;
  AppendSequence(-5, &key);
  AppendPlain(uint32_t{2}, &key);
  key +=
      "ab"
      "c";
  AppendPlain(int32_t{-7}, &value);
  value += '\1';
  AppendPlain(INT64_MIN, &value);
  value +=
      "xyz"
      "\1\2";
  AppendPlain(int64_t{9}, &value);

  // The manifest keeps what was said.
  StateTableSpec kept = spec;
  kept.key = StatePartsFromText(StatePartsToText(spec.key));
  kept.value = StatePartsFromText(StatePartsToText(spec.value));
  StateRows rows(kept);
  EXPECT_THAT(NamesOf(rows.schema()), testing::ElementsAre("key_group", "start", "owner", "rest", "small",
                                                           "flag", "at", "opaque", "last"));
  rows.Add({3, key, value});
  rows.Add({kEverySubtask, key, value});
  const Batch batch = rows.Take();
  EXPECT_EQ(batch.num_rows, 2);
  EXPECT_EQ(Cell(batch, 0, 0), "3");
  EXPECT_EQ(Cell(batch, 0, 1), "NULL");
  EXPECT_EQ(Cell(batch, 1, 0), "1969-12-31 23:59:59.999995");
  EXPECT_EQ(Cell(batch, 2, 0), "ab");
  EXPECT_EQ(Cell(batch, 3, 0), "c");
  EXPECT_EQ(Cell(batch, 4, 0), "-7");
  EXPECT_EQ(Cell(batch, 5, 0), "true");
  EXPECT_EQ(Cell(batch, 6, 0), "NULL");
  EXPECT_EQ(Cell(batch, 8, 0), "9");
  EXPECT_EQ(rows.Take().num_rows, 0);
  EXPECT_THROW(rows.Add({3, key, "short"}), ExternalError);
}

TEST(StateRows, RowsOfALog) {
  KeyedLog log({arrow::int64()});
  arrow::Int64Builder keys;
  ASSERT_TRUE(keys.AppendValues({1, 2}).ok());
  const std::shared_ptr<arrow::Array> column = *keys.Finish();
  KeyBatch batch({arrow::int64()});
  batch.Assign({column}, 2);
  uint32_t slots[2];
  log.FindOrInsertKeys(batch, nullptr, 2, slots);
  const RowCodec codec({arrow::int64()});
  ByteStrings bytes;
  codec.Encode({column}, nullptr, 2, &bytes);
  log.Append(slots[1], 1'000'000, 2, bytes[1]);
  MemorySnapshot snapshot;
  log.Snapshot(*snapshot.Writer(), "rows");

  StateRows rows(LogTable("rows", "", {{"k", Type::Int64()}}, {{"k", Type::Int64()}}));
  EXPECT_THAT(NamesOf(rows.schema()),
              testing::ElementsAre("key_group", "k", "sequence", "time", "weight", "matches", "k_2"));
  for (const auto& [key, value] : snapshot.tables().at("rows")) rows.Add({key.first, key.second, value});
  const Batch read = rows.Take();
  ASSERT_EQ(read.num_rows, 1);
  EXPECT_EQ(Cell(read, 1, 0), "2");
  EXPECT_EQ(Cell(read, 3, 0), "1970-01-01 00:00:01.000000");
  EXPECT_EQ(Cell(read, 4, 0), "2");
  EXPECT_EQ(Cell(read, 6, 0), "2");
}

TEST(StateRows, WhatSaysNothingOfItsBytes) {
  StateRows rows(StateTableSpec{"old", 1, "TEXT -> BIGINT"});
  rows.Add({1, "a", std::string("\0\xff", 2)});
  const Batch batch = rows.Take();
  EXPECT_EQ(Cell(batch, 1, 0), "a");
  EXPECT_EQ(Cell(batch, 2, 0), "0x00ff");
  EXPECT_TRUE(StatePartsFromText(R"([{"form":"later"}])").empty());
}

}  // namespace
}  // namespace laminar

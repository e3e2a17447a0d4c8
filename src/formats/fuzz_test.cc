// Every decoder, fed with anything: it must neither crash nor read beyond its block, whatever comes. FuzzOne
// is what a fuzzing engine would call; here it runs over mutations of valid records from fixed seeds, so that
// a failure repeats.

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "formats/format_test_support.h"

namespace laminar {
namespace {

constexpr char kSchema[] =
    "id BIGINT NOT NULL, name TEXT, price DECIMAL(20,4), ok BOOLEAN, ts TIMESTAMP, ns TIMESTAMP(9), day "
    "DATE, t TIME, f FLOAT, "
    "d DOUBLE, u INT UNSIGNED, bytes BYTEA, iv INTERVAL, any JSON";
constexpr char kNestedSchema[] =
    "id BIGINT NOT NULL, name TEXT, any JSON, tags TEXT[], grid BIGINT[][], m MAP<TEXT, INT>, k MAP<INT, "
    "STRUCT<x INT>>, "
    "s STRUCT<a INT, b STRUCT<c TEXT, d DOUBLE[]>>, l STRUCT<x INT, y TEXT>[]";

/// Decodes a block to its end and checks what came out. The block is copied so that a sanitizer sees a read
/// past it.
void DecodeBlock(Decoder* decoder, std::string_view input, int64_t rows_max) {
  const std::unique_ptr<char[]> copy(new char[input.size()]);
  std::memcpy(copy.get(), input.data(), input.size());
  std::string_view block(copy.get(), input.size());
  while (true) {
    const DecodeResult result = decoder->Decode(block, rows_max);
    ASSERT_GE(result.consumed, 0);
    ASSERT_LE(result.consumed, static_cast<int64_t>(block.size()));
    for (const auto& column : result.batch.columns) {
      ASSERT_EQ(column->length(), result.batch.num_rows);
      ASSERT_TRUE(column->ValidateFull().ok()) << column->ValidateFull().ToString();
    }
    for (const BadRecord& bad : result.bad) {
      ASSERT_FALSE(bad.error.empty());
      ASSERT_GE(bad.bytes.data(), block.data());
      ASSERT_LE(bad.bytes.data() + bad.bytes.size(), block.data() + block.size());
    }
    block.remove_prefix(static_cast<size_t>(result.consumed));
    if (block.empty() || result.consumed == 0) break;
  }
  ASSERT_TRUE(block.empty()) << "the decoder does not come to the end";
}

void DecodeWith(const char* format, const char* schema, const FormatSpec& spec, std::string_view input) {
  auto decoder = FormatOf(format).make_decoder(spec, Columns(schema));
  DecodeBlock(decoder.get(), input, 3);
  DecodeBlock(decoder.get(), input, 1000);
  std::vector<int32_t> row_messages;
  const size_t half = input.size() / 2;
  const auto result =
      decoder->DecodeMessages({input.substr(0, half), input.substr(half)}, 1000, &row_messages);
  ASSERT_EQ(static_cast<int64_t>(row_messages.size()), result.batch.num_rows);
}

int FuzzOne(std::string_view input) {
  FormatSpec message = Spec();
  message.one_message = true;
  for (const char* schema : {kSchema, kNestedSchema, ""}) {
    DecodeWith("json", schema, Spec(), input);
    DecodeWith("json", schema, message, input);
    DecodeWith("debezium_json", schema, Spec(), input);
  }
  DecodeWith("json", "value JSON", Spec({{"unstructured", "true"}}), input);
  DecodeWith("csv", kSchema, Spec(), input);
  DecodeWith("csv", kSchema, Spec({{"header", "false"}, {"escape", "\\"}}), input);
  DecodeWith("raw_string", "value TEXT", Spec(), input);
  DecodeWith("raw_bytes", "value BYTEA", message, input);
  for (const char* format : {"json", "csv", "debezium_json"}) FormatOf(format).infer(Spec(), input);
  FormatOf("csv").last_record_end(Spec(), input);
  FormatOf("csv").header_bytes(Spec(), input);
  return 0;
}

const char* const kSeeds[] = {
    R"({"id":1,"name":"é\ud83d\ude00","price":12.5,"ok":true,"ts":"2023-09-18T14:23:10.5Z","day":"2023-09-18","t":"01:02:03","f":1.5,"d":-1e-7,"u":7,"bytes":"aGk=","iv":"P1DT2H","any":{"x":[1,null,"y"]}}
{"id":"2","name":17,"price":"0.001","ok":"false","ts":1695046990123,"ns":"1677-09-21T00:12:43.145224192","day":-1,"f":"NaN","d":"Infinity","any":[]}
{"id":-9223372036854775808,"tags":["a",null],"grid":[[1],[],null],"m":{"a":1,"a":2},"k":{"1":{"x":1}},"s":{"a":1,"b":{"c":"x","d":[1,2.5]}},"l":[{"x":1},null]}
)",
    R"({"before":null,"after":{"id":1,"name":"x"},"op":"c"}
{"schema":{},"payload":{"before":{"id":1},"after":{"id":2,"any":{}},"op":"u"}}
{"before":{"id":2,"price":"BNI="},"op":"d"}
null
)",
    "id,name,price,ok,ts,ns,day,t,f,d,u,bytes,iv,any\r\n1,\"a,\"\"b\"\"\nc\",1.5,true,2023-09-18 "
    "14:23:10,,2023-09-18,01:02:03,1,.5,7,aGk=,P1D,\"{\"\"x\"\":1}\"\n"
    "2,,,,1695046990,,,,nan,-inf,+1,,,12\n,short\n",
};

std::string Mutate(std::string text, std::mt19937_64* random) {
  auto pick = [&](size_t bound) { return bound == 0 ? 0 : static_cast<size_t>((*random)() % bound); };
  constexpr char kInteresting[] = "{}[]\",:\\\n\r\t 0-1.eEn\0\x01\x7f\x80\xc3\xed\xff'tTzZ+";
  const size_t edits = 1 + pick(6);
  for (size_t i = 0; i < edits && !text.empty(); ++i) {
    const size_t at = pick(text.size());
    switch (pick(7)) {
      case 0:
        text[at] = kInteresting[pick(sizeof(kInteresting) - 1)];
        break;
      case 1:
        text[at] = static_cast<char>((*random)());
        break;
      case 2:
        text.erase(at, 1 + pick(20));
        break;
      case 3:
        text.insert(at, 1 + pick(3), kInteresting[pick(sizeof(kInteresting) - 1)]);
        break;
      case 4:
        text.insert(pick(text.size()), text.substr(at, pick(60)));
        break;
      case 5:
        text.resize(at);
        break;
      default:
        text.insert(at, std::string(1 + pick(100), kInteresting[pick(12)]));
        break;
    }
  }
  return text;
}

TEST(Fuzz, SeedsAreSound) {
  for (const char* seed : kSeeds) FuzzOne(seed);
  EXPECT_EQ(DecodeAll("json", kNestedSchema, kSeeds[0]).rows.size(), 3u);
  EXPECT_EQ(DecodeAll("csv", kSchema, kSeeds[2]).rows.size(), 2u);
}

/// LAMINAR_FUZZ_ROUNDS=100000 LAMINAR_FUZZ_SEED=5 for a long run.
uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(Fuzz, MutationsOfValidRecords) {
  std::mt19937_64 random(FromEnvironment("LAMINAR_FUZZ_SEED", 20231118));
  const uint64_t rounds = FromEnvironment("LAMINAR_FUZZ_ROUNDS", 60);
  for (uint64_t round = 0; round < rounds; ++round) {
    for (const char* seed : kSeeds) {
      const std::string input = Mutate(seed, &random);
      FuzzOne(input);
      if (HasFatalFailure()) FAIL() << "round " << round << " with input:\n" << input;
    }
  }
}

TEST(Fuzz, RandomBytes) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 100; ++round) {
    std::string input(random() % 200, '\0');
    for (char& c : input) c = static_cast<char>(random());
    FuzzOne(input);
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

TEST(Fuzz, DamagedParquetFiles) {
  const Schema columns = Columns("id BIGINT, name TEXT, tags TEXT[], s STRUCT<a INT>");
  const Batch batch =
      BatchOf(columns, "{\"id\":1,\"name\":\"x\",\"tags\":[\"a\"],\"s\":{\"a\":1}}\n{\"id\":2}\n");
  auto stream = *arrow::io::BufferOutputStream::Create();
  auto writer = FormatOf("parquet").create_file(Spec({{"compression", "none"}}), stream, columns);
  writer->Write(batch);
  writer->Close();
  const std::string file = (*stream->Finish())->ToString();
  std::mt19937_64 random(11);
  for (int round = 0; round < 200; ++round) {
    std::string damaged = file;
    for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    if (round % 5 == 0) damaged.resize(random() % damaged.size());
    try {
      auto reader = FormatOf("parquet").open_file(
          Spec(), std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(damaged)), columns);
      while (!reader->Next(100).empty()) {
      }
    } catch (const ExternalError&) {
    } catch (const QueryError&) {
    }
  }
}

}  // namespace
}  // namespace laminar

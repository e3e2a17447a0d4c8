// How fast JSON becomes columns, on one core: bench_json EVENTS.json (made by bench/gen.py, nested Nexmark
// events). Prints the best of several rounds; simdjson alone, walking to the same fields, is the yardstick.

#include <arrow/array.h>
#include <simdjson.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "formats/register_formats.h"

namespace {

using laminar::Batch;
using laminar::DecodeResult;
using laminar::Schema;

constexpr int kRounds = 7;
constexpr size_t kBlockBytes = 1 << 20;
constexpr int64_t kRows = 8192;

Schema Columns(const std::string& text) {
  return Schema{laminar::ParseTypeName("STRUCT<" + text + ">")->fields()};
}

/// CPU time of this thread: other work on the machine does not count.
double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void Measure(const char* name, size_t bytes, const std::function<int64_t()>& run) {
  double best = 1e9;
  int64_t rows = 0;
  for (int i = 0; i < kRounds; ++i) {
    const double start = CpuSeconds();
    rows = run();
    best = std::min(best, CpuSeconds() - start);
  }
  std::printf("%-44s %6.2f M rows/s  %5.2f GB/s  %6.1f ns/row\n", name,
              static_cast<double>(rows) / best / 1e6, static_cast<double>(bytes) / best / 1e9,
              best * 1e9 / static_cast<double>(rows));
}

/// Calls `take` with pieces of whole lines, as a file source hands them over.
void EachBlock(const std::string& text, const std::function<void(std::string_view)>& take) {
  std::string_view rest = text;
  while (!rest.empty()) {
    size_t end = rest.size();
    if (end > kBlockBytes) end = rest.rfind('\n', kBlockBytes) + 1;
    take(rest.substr(0, end));
    rest.remove_prefix(end);
  }
}

int64_t DecodeAll(const laminar::Format& json, const std::string& text, const Schema& columns) {
  auto decoder = json.make_decoder({}, columns);
  int64_t rows = 0;
  EachBlock(text, [&](std::string_view block) {
    while (!block.empty()) {
      const DecodeResult result = decoder->Decode(block, kRows);
      rows += result.batch.num_rows;
      block.remove_prefix(static_cast<size_t>(result.consumed));
      if (!result.bad.empty()) std::abort();
    }
  });
  return rows;
}

int64_t DecodeMessages(const laminar::Format& json, const std::vector<std::string_view>& messages,
                       const Schema& columns) {
  laminar::FormatSpec spec;
  spec.one_message = true;
  auto decoder = json.make_decoder(spec, columns);
  int64_t rows = 0;
  for (size_t i = 0; i < messages.size(); i += kRows) {
    const std::vector<std::string_view> part(
        messages.begin() + static_cast<long>(i),
        messages.begin() + static_cast<long>(std::min(i + kRows, messages.size())));
    rows += decoder->DecodeMessages(part, kRows, nullptr).batch.num_rows;
  }
  return rows;
}

/// simdjson's on-demand interface walking to five fields of `bid`, which it leaves as views and integers.
int64_t SimdjsonAlone(const std::string& text, uint64_t* sink) {
  simdjson::ondemand::parser parser;
  parser.threaded = false;  // its own thread for the index would not be counted
  auto stream = parser.iterate_many(text.data(), text.size() - simdjson::SIMDJSON_PADDING, 1 << 20);
  int64_t rows = 0;
  for (auto document : stream.value()) {
    simdjson::ondemand::object bid;
    if (!document["bid"].get_object().get(bid)) {
      int64_t number;
      std::string_view view;
      if (!bid["auction"].get(number)) *sink += static_cast<uint64_t>(number);
      if (!bid["bidder"].get(number)) *sink += static_cast<uint64_t>(number);
      if (!bid["price"].get(number)) *sink += static_cast<uint64_t>(number);
      if (!bid["channel"].get(view)) *sink += view.size();
      if (!bid["dateTime"].get(view)) *sink += view.size();
    }
    ++rows;
  }
  return rows;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_json EVENTS.json\n");
    return 2;
  }
  std::stringstream file;
  file << std::ifstream(argv[1], std::ios::binary).rdbuf();
  const std::string text = file.str();
  std::string padded = text;
  padded.append(simdjson::SIMDJSON_PADDING, ' ');
  laminar::FormatRegistry registry;
  laminar::RegisterJson(registry);
  const laminar::Format& json = *registry.Find("json");
  std::printf("simdjson: %s\n", simdjson::get_active_implementation()->name().c_str());

  uint64_t sink = 0;
  Measure("simdjson alone, 5 fields of bid", text.size(), [&] { return SimdjsonAlone(padded, &sink); });
  const Schema five =
      Columns("bid STRUCT<auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, `dateTime` TIMESTAMP>");
  Measure("decode, 5 fields of bid", text.size(), [&] { return DecodeAll(json, text, five); });
  Measure("decode, price only", text.size(),
          [&] { return DecodeAll(json, text, Columns("bid STRUCT<price BIGINT>")); });
  Measure("decode, no columns (count)", text.size(), [&] { return DecodeAll(json, text, Schema{}); });
  const Schema all = Columns(
      "event_type INT, person STRUCT<id BIGINT, name TEXT, `emailAddress` TEXT, `creditCard` TEXT, city "
      "TEXT, state TEXT, "
      "`dateTime` TIMESTAMP, extra TEXT>, auction STRUCT<id BIGINT, `itemName` TEXT, description TEXT, "
      "`initialBid` BIGINT, "
      "reserve BIGINT, `dateTime` TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra TEXT>, "
      "bid STRUCT<auction "
      "BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, `dateTime` TIMESTAMP, extra TEXT>");
  Measure("decode, all 26 fields", text.size(), [&] { return DecodeAll(json, text, all); });

  std::vector<std::string_view> messages;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    messages.push_back(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  Measure("decode messages, 5 fields of bid", text.size(),
          [&] { return DecodeMessages(json, messages, five); });
  std::vector<std::string_view> some(messages.begin(), messages.begin() + 200'000);
  auto single = json.make_decoder(
      [] {
        laminar::FormatSpec s;
        s.one_message = true;
        return s;
      }(),
      five);
  Measure("decode 200k messages one by one", text.size() / 5, [&] {
    for (auto message : some) single->Decode(message, 1);
    return static_cast<int64_t>(some.size());
  });

  // Encoding: the small rows of a typical sink.
  const Schema flat =
      Columns("auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, `dateTime` TIMESTAMP");
  auto decoder = json.make_decoder({}, five);
  std::vector<Batch> batches;
  EachBlock(text, [&](std::string_view block) {
    if (batches.size() >= 40) return;
    const Batch nested = decoder->Decode(block, kRows).batch;
    const auto& bid = static_cast<const arrow::StructArray&>(*nested.columns[0]);
    batches.push_back({nested.num_rows, bid.fields(), nullptr, -1});
  });
  auto encoder = json.make_encoder({}, flat);
  Measure("encode, 5 columns", 0, [&] {
    int64_t rows = 0;
    for (const Batch& batch : batches) rows += encoder->Encode(batch)->length();
    return rows;
  });
  return sink == 42 ? 1 : 0;
}

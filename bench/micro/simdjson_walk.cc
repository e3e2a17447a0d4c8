// The limit of the bytes: bench_simdjson EVENTS.json THREADS [BYTES_MAX]. simdjson alone, on so many threads,
// walks to the fields that Nexmark q0 reads (of each bid: auction, bidder, price, dateTime, extra; of the
// others the kind and the time) and keeps nothing. The text is in memory before the clock starts. Prints one
// line of JSON: the median of three runs after one to warm up.

#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr int kRuns = 3;
constexpr size_t kWindowBytes = 1 << 20;  // what simdjson indexes at once

struct Walked {
  int64_t events = 0;
  uint64_t sum = 0;  // of all that was read, so that no compiler leaves it out
};

void ReadNumber(simdjson::ondemand::object& object, std::string_view name, Walked* out) {
  int64_t number = 0;
  if (!object[name].get(number)) out->sum += static_cast<uint64_t>(number);
}

void ReadText(simdjson::ondemand::object& object, std::string_view name, Walked* out) {
  std::string_view text;
  if (!object[name].get(text)) out->sum += text.size();
}

/// `text` is followed by SIMDJSON_PADDING readable bytes.
Walked Walk(std::string_view text) {
  simdjson::ondemand::parser parser;
#ifdef SIMDJSON_THREADS_ENABLED
  parser.threaded = false;  // one core per piece of text
#endif
  auto stream = parser.iterate_many(text.data(), text.size(), kWindowBytes);
  Walked out;
  for (auto document : stream.value()) {
    ++out.events;
    int64_t kind = -1;
    if (document["event_type"].get(kind)) continue;
    simdjson::ondemand::object event;
    if (document[kind == 0 ? "person" : kind == 1 ? "auction" : "bid"].get_object().get(event)) continue;
    if (kind == 2) {
      ReadNumber(event, "auction", &out);
      ReadNumber(event, "bidder", &out);
      ReadNumber(event, "price", &out);
    }
    ReadText(event, "dateTime", &out);
    if (kind == 2) ReadText(event, "extra", &out);
  }
  return out;
}

/// So many pieces of whole lines, about equally long.
std::vector<std::string_view> Pieces(std::string_view text, int count) {
  std::vector<std::string_view> pieces;
  for (int left = count; left > 0; --left) {
    size_t end = text.size();
    if (left > 1) end = text.find('\n', text.size() / static_cast<size_t>(left)) + 1;
    pieces.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return pieces;
}

double SecondsOfRun(const std::vector<std::string_view>& pieces, std::vector<Walked>* walked) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (size_t i = 0; i < pieces.size(); ++i) {
    threads.emplace_back([&, i] { (*walked)[i] = Walk(pieces[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc >= 3 ? std::atoi(argv[2]) : 0;
  if (threads < 1) {
    std::fprintf(stderr, "usage: bench_simdjson EVENTS.json THREADS [BYTES_MAX]\n");
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary | std::ios::ate);
  if (!file) {
    std::fprintf(stderr, "cannot open '%s'\n", argv[1]);
    return 1;
  }
  size_t bytes = static_cast<size_t>(file.tellg());
  if (argc >= 4) bytes = std::min(bytes, static_cast<size_t>(std::strtoull(argv[3], nullptr, 10)));
  std::string text(bytes + simdjson::SIMDJSON_PADDING, ' ');
  file.seekg(0).read(text.data(), static_cast<std::streamsize>(bytes));
  const std::string_view lines(text.data(), text.rfind('\n', bytes - 1) + 1);

  const auto pieces = Pieces(lines, threads);
  std::vector<Walked> walked(pieces.size());
  std::vector<double> seconds;
  SecondsOfRun(pieces, &walked);
  for (int run = 0; run < kRuns; ++run) seconds.push_back(SecondsOfRun(pieces, &walked));
  std::sort(seconds.begin(), seconds.end());
  Walked all;
  for (const Walked& one : walked) {
    all.events += one.events;
    all.sum += one.sum;
  }
  std::printf(
      "{\"events\": %lld, \"bytes\": %zu, \"threads\": %d, \"seconds\": %.4f, \"sum\": %llu, \"kernel\": "
      "\"%s\"}\n",
      static_cast<long long>(all.events), lines.size(), threads, seconds[kRuns / 2],
      static_cast<unsigned long long>(all.sum), simdjson::get_active_implementation()->name().c_str());
  return 0;
}

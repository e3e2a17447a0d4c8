// Stands in for libFuzzer, which g++ has none of. It runs every file of the corpus, then damaged copies of
// them until the time is up, and goes on from those that reach something new:
//   1. g++'s -fsanitize-coverage=trace-pc calls __sanitizer_cov_trace_pc in each basic block. Two blocks in a
//   row make an
//      edge, edges are counted in `hits`, a count is rounded to a power of two: what one input lights up are
//      its features.
//   2. An input with a feature that none before it had joins the pool from which inputs are picked for
//   damage.
//   3. Texts that the code compared by memcmp (the sanitizer tells) are put into each other's place:
//   keywords, names.
//
// Flags as libFuzzer's: -max_total_time=SECONDS (default 0: only the corpus), -seed=N, -max_len=BYTES,
// -artifact_prefix=PATH, then files and folders. Inputs with new features are written into the first folder.
// An input that crashes, or takes longer than kSlowSeconds, is left in PATHcrash-input.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#define NOT_CHECKED __attribute__((no_sanitize("address", "undefined")))

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" __attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max,
                                                                unsigned int seed);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

constexpr int kSlowSeconds = 10;
constexpr size_t kEdges = 1 << 16;
constexpr size_t kComparisons = 512;  // the last so many, a ring
constexpr size_t kComparedMax = 32;   // bytes

uint8_t hits[kEdges];
uintptr_t last_block = 0;
uint8_t seen[kEdges];  // bit per rounded count

struct Comparison {
  uint8_t size = 0;
  char a[kComparedMax], b[kComparedMax];
};
std::array<Comparison, kComparisons> comparisons;
size_t comparisons_made = 0;
bool running = false;  // inside the code under test

std::string current_input;
std::string artifact_prefix = "./";

}  // namespace

extern "C" NOT_CHECKED void __sanitizer_cov_trace_pc() {
  const auto block = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  const size_t edge = ((block * 0x9E3779B97F4A7C15u) >> 40 ^ last_block) % kEdges;
  last_block = (block * 0x9E3779B97F4A7C15u) >> 41;
  if (hits[edge] != 255) ++hits[edge];
}

extern "C" NOT_CHECKED void __sanitizer_weak_hook_memcmp(void*, const void* a, const void* b, size_t size,
                                                         int result) {
  if (!running || result == 0 || size < 2 || size > kComparedMax) return;
  Comparison& comparison = comparisons[comparisons_made++ % kComparisons];
  comparison.size = static_cast<uint8_t>(size);
  for (size_t i = 0; i < size; ++i) {
    comparison.a[i] = static_cast<const char*>(a)[i];
    comparison.b[i] = static_cast<const char*>(b)[i];
  }
}

namespace {

void SaveInput() {
  const std::string path = artifact_prefix + "crash-input";
  if (std::FILE* file = std::fopen(path.c_str(), "wb")) {
    std::fwrite(current_input.data(), 1, current_input.size(), file);
    std::fclose(file);
    std::fprintf(stderr, "the input is in %s\n", path.c_str());
  }
}

void SaveInputAndDie(int signal) {
  if (signal == SIGALRM) std::fprintf(stderr, "an input takes more than %d s\n", kSlowSeconds);
  SaveInput();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Bit for 1, 2, 3, 4–7, 8–15, 16–31, 32–127, 128 and more.
uint8_t RoundedCount(uint8_t count) {
  if (count <= 3) return static_cast<uint8_t>(1 << (count - 1));
  if (count >= 128) return 128;
  return count >= 32 ? 64 : static_cast<uint8_t>(1 << (std::bit_width(count)));
}

/// Takes the features of the last run; true when one of them is new.
NOT_CHECKED bool TakeFeatures() {
  bool fresh = false;
  for (size_t i = 0; i < kEdges; ++i) {
    if (hits[i] == 0) continue;
    const uint8_t bit = RoundedCount(hits[i]);
    fresh = fresh || !(seen[i] & bit);
    seen[i] |= bit;
    hits[i] = 0;
  }
  return fresh;
}

/// True when the input reached something new.
bool RunOne(const std::string& input) {
  current_input = input;
  last_block = 0;
  alarm(kSlowSeconds);
  running = true;
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  running = false;
  return TakeFeatures();
}

class Mutator {
 public:
  Mutator(uint64_t seed, size_t size_max) : random_(seed), size_max_(size_max) {}

  size_t Below(size_t bound) { return bound == 0 ? 0 : static_cast<size_t>(random_() % bound); }

  std::string Mutate(const std::string& input, const std::string& other) {
    std::string out = input;
    if (LLVMFuzzerCustomMutator && Below(2) == 0) {
      out.resize(std::max(size_max_, input.size()));
      out.resize(LLVMFuzzerCustomMutator(reinterpret_cast<uint8_t*>(out.data()), input.size(), size_max_,
                                         static_cast<unsigned>(random_())));
    }
    for (size_t edits = Below(4) + 1; edits > 0; --edits) Edit(&out, other);
    if (out.size() > size_max_) out.resize(size_max_);
    return out;
  }

 private:
  void Edit(std::string* text, const std::string& other) {
    static constexpr char kInteresting[] = "{}[]\",:;'\\\n\r\t 0-1.eE+()\0\x01\x7f\x80\xc3\xed\xff";
    const size_t at = Below(text->size() + 1);
    switch (Below(9)) {
      case 0:
        if (at < text->size()) (*text)[at] = static_cast<char>(random_());
        break;
      case 1:
        if (at < text->size()) (*text)[at] = kInteresting[Below(sizeof kInteresting - 1)];
        break;
      case 2:
        text->insert(at, 1 + Below(3), kInteresting[Below(sizeof kInteresting - 1)]);
        break;
      case 3:
        text->erase(at, 1 + Below(20));
        break;
      case 4:  // a piece of itself, elsewhere
        text->insert(Below(text->size() + 1), text->substr(at, 1 + Below(60)));
        break;
      case 5:  // a piece of another
        text->insert(at, other.substr(Below(other.size() + 1), 1 + Below(60)));
        break;
      case 6:  // its front, another's end
        text->resize(at);
        text->append(other.substr(Below(other.size() + 1)));
        break;
      case 7:
        if (at < text->size()) (*text)[at] = static_cast<char>((*text)[at] + (Below(2) ? 1 : -1));
        break;
      default:
        PutCompared(text);
    }
  }

  void PutCompared(std::string* text) {
    if (comparisons_made == 0) return;
    const Comparison& comparison = comparisons[Below(std::min(comparisons_made, kComparisons))];
    std::string_view from(comparison.a, comparison.size), to(comparison.b, comparison.size);
    if (Below(2)) std::swap(from, to);
    const size_t at = text->find(from, Below(text->size() + 1));
    if (at != std::string::npos) {
      text->replace(at, from.size(), to);
    } else {
      text->insert(Below(text->size() + 1), to);
    }
  }

  std::mt19937_64 random_;
  const size_t size_max_;
};

void ReadFiles(const std::filesystem::path& path, std::vector<std::string>* inputs) {
  if (std::filesystem::is_directory(path)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) ReadFiles(entry.path(), inputs);
    }
    return;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(2);
  }
  inputs->emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void Keep(const std::string& folder, const std::string& input) {
  if (folder.empty()) return;
  char name[32];
  std::snprintf(name, sizeof name, "/found-%016zx", std::hash<std::string>{}(input));
  std::ofstream(folder + name, std::ios::binary) << input;
}

struct Arguments {
  double seconds = 0;
  uint64_t seed = std::random_device{}();
  size_t size_max = 4096;
  std::string folder;  // the first; empty: none
  std::vector<std::string> corpus;
};

Arguments Read(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const char* value = argv[i] + argument.find('=') + 1;
    if (argument.starts_with("-max_total_time=")) {
      out.seconds = std::atof(value);
    } else if (argument.starts_with("-seed=")) {
      out.seed = std::strtoull(value, nullptr, 10);
    } else if (argument.starts_with("-max_len=")) {
      out.size_max = std::strtoull(value, nullptr, 10);
    } else if (argument.starts_with("-artifact_prefix=")) {
      artifact_prefix = value;
    } else if (!argument.starts_with("-")) {
      if (out.folder.empty() && std::filesystem::is_directory(argv[i])) out.folder = argv[i];
      ReadFiles(argv[i], &out.corpus);
    }
  }
  // Small ones first: a large one then only counts for what it adds.
  std::stable_sort(out.corpus.begin(), out.corpus.end(),
                   [](const auto& a, const auto& b) { return a.size() < b.size(); });
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments = Read(argc, argv);
  for (int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGALRM}) std::signal(signal, SaveInputAndDie);
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(SaveInput);

  std::vector<std::string> pool;
  for (const std::string& input : arguments.corpus) {
    if (RunOne(input)) pool.push_back(input);
  }
  std::printf("%zu corpus files, %zu of use; seed %llu\n", arguments.corpus.size(), pool.size(),
              static_cast<unsigned long long>(arguments.seed));
  if (pool.empty()) pool = arguments.corpus;  // built without coverage: damage at random
  if (pool.empty()) pool.emplace_back();
  Mutator mutator(arguments.seed, arguments.size_max);
  const double end = Now() + arguments.seconds;
  uint64_t runs = 0, found = 0;
  for (; Now() < end; ++runs) {
    // Every second pick is from the newest: where something new was just found there is often more.
    const size_t newest = std::min<size_t>(pool.size(), 32);
    const size_t picked =
        mutator.Below(2) ? mutator.Below(pool.size()) : pool.size() - 1 - mutator.Below(newest);
    std::string input = mutator.Mutate(pool[picked], pool[mutator.Below(pool.size())]);
    if (!RunOne(input)) continue;
    Keep(arguments.folder, input);
    pool.push_back(std::move(input));
    ++found;
  }
  alarm(0);
  std::printf("%llu random inputs, %llu of them reached something new\n",
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(found));
  return 0;
}

// Stands in for libFuzzer where the compiler has none: runs every file of the corpus, then damaged copies of
// them until the time is up. No coverage guidance. Understands -max_total_time=SECONDS (default 0: only the
// corpus), -seed=N, -max_len=BYTES and files or folders; an input that crashes or takes longer than five
// seconds is left in ./crash-input.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" __attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max,
                                                                unsigned int seed);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

constexpr double kSlowSeconds = 5;
constexpr size_t kPoolMax = 2000;  // inputs kept for further damage

std::string current_input;

void SaveInput() {
  if (std::FILE* file = std::fopen("crash-input", "wb")) {
    std::fwrite(current_input.data(), 1, current_input.size(), file);
    std::fclose(file);
    std::fputs("the input is in ./crash-input\n", stderr);
  }
}

void SaveInputAndDie(int signal) {
  SaveInput();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void RunOne(const std::string& input) {
  current_input = input;
  const double start = Now();
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  if (Now() - start > kSlowSeconds) {
    std::fprintf(stderr, "an input of %zu bytes took %.1f s\n", input.size(), Now() - start);
    SaveInput();
    std::exit(1);
  }
}

std::string Mutate(std::mt19937_64& random, const std::string& input, size_t size_max) {
  std::string out = input;
  if (LLVMFuzzerCustomMutator) {
    out.resize(std::max(size_max, input.size()));
    out.resize(LLVMFuzzerCustomMutator(reinterpret_cast<uint8_t*>(out.data()), input.size(), size_max,
                                       static_cast<unsigned>(random())));
    return out;
  }
  for (size_t i = random() % 8 + 1; i > 0; --i) {
    const size_t at = random() % (out.size() + 1);
    if (random() % 2 || out.size() >= size_max) {
      if (at < out.size()) out[at] = static_cast<char>(random());
    } else {
      out.insert(at, 1, static_cast<char>(random()));
    }
  }
  return out;
}

void ReadFiles(const std::filesystem::path& path, std::vector<std::string>& inputs) {
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
  inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 0;
  uint64_t seed = std::random_device{}();
  size_t size_max = 4096;
  std::vector<std::string> inputs;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const char* value = argv[i] + argument.find('=') + 1;
    if (argument.starts_with("-max_total_time=")) {
      seconds = std::atof(value);
    } else if (argument.starts_with("-seed=")) {
      seed = std::strtoull(value, nullptr, 10);
    } else if (argument.starts_with("-max_len=")) {
      size_max = std::strtoull(value, nullptr, 10);
    } else if (!argument.starts_with("-")) {
      ReadFiles(argv[i], inputs);
    }
  }
  for (int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGILL, SIGBUS}) std::signal(signal, SaveInputAndDie);
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(SaveInput);

  for (const std::string& input : inputs) RunOne(input);
  std::printf("%zu corpus files; seed %llu\n", inputs.size(), static_cast<unsigned long long>(seed));
  inputs.emplace_back();
  std::mt19937_64 random(seed);
  const double end = Now() + seconds;
  uint64_t runs = 0;
  for (; Now() < end; ++runs) {
    std::string input = Mutate(random, inputs[random() % inputs.size()], size_max);
    RunOne(input);
    if (random() % 16 != 0) continue;
    if (inputs.size() < kPoolMax) {
      inputs.push_back(std::move(input));
    } else {
      inputs[random() % inputs.size()] = std::move(input);
    }
  }
  std::printf("%llu random inputs\n", static_cast<unsigned long long>(runs));
  return 0;
}

#include "cli/sql_test/test_file.h"

#include <cctype>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>

namespace laminar::cli {

namespace {

using Verb = TestStep::Verb;

std::optional<Verb> VerbOf(const std::string& word) {
  static const std::map<std::string, Verb> kVerbs = {
      {"input", Verb::kInput},     {"watermark", Verb::kWatermark}, {"idle", Verb::kIdle},
      {"end", Verb::kEnd},         {"clock", Verb::kClock},         {"barrier", Verb::kBarrier},
      {"crash", Verb::kCrash},     {"rescale", Verb::kRescale},     {"expect", Verb::kExpect},
      {"metric", Verb::kMetric},   {"error", Verb::kError},         {"fails", Verb::kFails},
      {"explain", Verb::kExplain}, {"warning", Verb::kWarning}};
  auto found = kVerbs.find(word);
  return found == kVerbs.end() ? std::nullopt : std::optional(found->second);
}

bool IsBlank(const std::string& line) {
  for (char c : line) {
    if (!std::isspace(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

std::string FirstWord(const std::string& line) {
  std::vector<bool> quoted;
  if (line.empty() || std::isspace(static_cast<unsigned char>(line[0]))) return "";
  auto words = SplitTestWords(line, &quoted);
  return words.empty() ? "" : words[0];
}

class Reader {
 public:
  explicit Reader(TestFile& file) : file_(file) {}

  void Read() {
    while (at_ < file_.text.size()) {
      const std::string& line = file_.text[at_];
      const std::string word = FirstWord(line);
      if (IsBlank(line) || line[0] == '#') {
        ++at_;
      } else if (word == "sql") {
        ReadSql();
      } else if (word == "only") {
        ReadOnly();
      } else if (auto verb = VerbOf(word)) {
        ReadStep(*verb);
      } else {
        Fail("expected a verb such as sql, input, expect, found '" + line + "'");
      }
    }
    if (file_.sql.empty()) Fail("the test has no sql block");
  }

 private:
  [[noreturn]] void Fail(const std::string& what) {
    throw std::runtime_error(file_.path + ":" + std::to_string(at_ + 1) + ": " + what);
  }

  /// The script ends before a verb that follows an empty line.
  void ReadSql() {
    file_.sql_line = static_cast<int>(at_) + 2;
    bool blank = false;
    for (++at_; at_ < file_.text.size(); ++at_) {
      const std::string& line = file_.text[at_];
      if (blank && (VerbOf(FirstWord(line)) || FirstWord(line) == "only")) break;
      blank = IsBlank(line);
      file_.sql += line + "\n";
    }
    if (IsBlank(file_.sql)) Fail("the sql block is empty");
  }

  void ReadOnly() {
    std::vector<bool> quoted;
    const auto words = SplitTestWords(file_.text[at_], &quoted);
    if (words.size() == 3 && words[1] == "parallelism")
      file_.only_parallelism = std::stoi(words[2]);
    else if (words.size() == 3 && words[1] == "batch")
      file_.only_batch = std::stoi(words[2]);
    else if (words.size() == 2 && words[1] == "undisturbed")
      file_.only_undisturbed = true;
    else
      Fail("'only' takes parallelism N, batch N or undisturbed");
    ++at_;
  }

  void ReadStep(Verb verb) {
    TestStep step;
    step.verb = verb;
    step.line = static_cast<int>(at_) + 1;
    std::vector<bool> quoted;
    step.words = SplitTestWords(file_.text[at_], &quoted);
    step.words.erase(step.words.begin());
    if (verb == Verb::kError || verb == Verb::kFails) {  // texts may hold quotes and #
      step.words.clear();
      std::string word;
      for (char c : file_.text[at_] + " ") {
        if (c != ' ')
          word.push_back(c);
        else if (!word.empty())
          step.words.push_back(std::move(word)), word.clear();
      }
      step.words.erase(step.words.begin());
    }
    ++at_;
    step.rows_begin = static_cast<int>(at_) + 1;
    const bool has_body = verb == Verb::kInput || verb == Verb::kExpect || verb == Verb::kExplain;
    while (has_body && at_ < file_.text.size() && !IsBlank(file_.text[at_])) {
      const std::string& line = file_.text[at_];
      if (verb == Verb::kExplain) {
        step.lines.push_back(line);
        ++at_;
        continue;
      }
      if (line[0] == '#') {
        ++at_;
        continue;
      }
      if (line[0] != '+' && line[0] != '-') break;
      TestRow row;
      row.line = static_cast<int>(at_) + 1;
      row.weight = line[0] == '+' ? 1 : -1;
      row.words = SplitTestWords(std::string_view(line).substr(1), &row.quoted);
      step.rows.push_back(std::move(row));
      ++at_;
    }
    step.rows_end = static_cast<int>(at_) + 1;
    if (verb == Verb::kExpect && !step.words.empty()) {
      step.exact = step.words[0] == "exact";
      if (!step.exact && step.words[0] != "nothing") {
        at_ = static_cast<size_t>(step.line - 1);
        Fail("expect takes nothing, exact, or rows");
      }
    }
    const size_t wanted =
        verb == Verb::kInput || verb == Verb::kIdle || verb == Verb::kRescale || verb == Verb::kWarning ? 1
        : verb == Verb::kMetric                                                                         ? 2
                                                                                                        : 0;
    if (step.words.size() < wanted || (verb == Verb::kWatermark && step.words.size() < 2)) {
      at_ = static_cast<size_t>(step.line - 1);
      Fail("too few words");
    }
    file_.steps.push_back(std::move(step));
  }

  TestFile& file_;
  size_t at_ = 0;
};

}  // namespace

std::vector<std::string> SplitTestWords(std::string_view line, std::vector<bool>* quoted) {
  std::vector<std::string> words;
  quoted->clear();
  for (size_t i = 0; i < line.size();) {
    if (std::isspace(static_cast<unsigned char>(line[i]))) {
      ++i;
      continue;
    }
    if (line[i] == '#') break;
    std::string word;
    const bool in_quotes = line[i] == '\'';
    if (in_quotes) {
      for (++i; i < line.size(); ++i) {
        if (line[i] == '\'') {
          if (i + 1 >= line.size() || line[i + 1] != '\'') {
            ++i;
            break;
          }
          ++i;
        }
        word.push_back(line[i]);
      }
    } else {
      while (i < line.size() && !std::isspace(static_cast<unsigned char>(line[i]))) word.push_back(line[i++]);
    }
    words.push_back(std::move(word));
    quoted->push_back(in_quotes);
  }
  return words;
}

TestFile ReadTestFile(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error(path + ": cannot open");
  TestFile file;
  file.path = path;
  for (std::string line; std::getline(in, line);) file.text.push_back(line);
  Reader(file).Read();
  return file;
}

void RewriteTestFile(const TestFile& file,
                     const std::vector<std::pair<bool, std::vector<std::string>>>& bodies) {
  std::vector<std::string> out;
  size_t next = 1;  // line of the file not yet copied
  auto copy_until = [&](int line) {
    for (; static_cast<int>(next) < line; ++next) out.push_back(file.text[next - 1]);
  };
  for (size_t i = 0; i < file.steps.size(); ++i) {
    const TestStep& step = file.steps[i];
    if (!bodies[i].first) continue;
    copy_until(step.line);
    if (step.verb == TestStep::Verb::kExpect) {
      const bool nothing = bodies[i].second.empty();
      std::string head = nothing ? "expect nothing" : step.exact ? "expect exact" : "expect";
      const size_t comment = file.text[step.line - 1].find('#');
      if (comment != std::string::npos) head += "  " + file.text[step.line - 1].substr(comment);
      out.push_back(head);
    } else {
      out.push_back(file.text[step.line - 1]);
    }
    for (const std::string& line : bodies[i].second) out.push_back(line);
    next = static_cast<size_t>(step.rows_end);
  }
  copy_until(static_cast<int>(file.text.size()) + 1);
  std::ofstream stream(file.path);
  for (const std::string& line : out) stream << line << "\n";
}

}  // namespace laminar::cli

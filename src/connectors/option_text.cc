#include "connectors/option_text.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <map>

#include "connectors/connector.h"

namespace laminar {

namespace {

std::string_view Trim(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

char LowerAscii(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

/// Takes a number without sign or exponent off the front of `text`; nullopt leaves `text` alone.
std::optional<double> TakeNumber(std::string_view* text) {
  if (text->empty() || !(std::isdigit(static_cast<unsigned char>(text->front())) || text->front() == '.')) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] =
      std::from_chars(text->data(), text->data() + text->size(), value, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return value;
}

std::string TakeWord(std::string_view* text) {
  std::string word;
  while (!text->empty() && std::isalpha(static_cast<unsigned char>(text->front()))) {
    word.push_back(LowerAscii(text->front()));
    text->remove_prefix(1);
  }
  return word;
}

/// Microseconds of a unit word; nullopt for an unknown one, and for months and years, which have no fixed
/// length.
std::optional<int64_t> UnitUs(const std::string& word) {
  static const std::map<std::string, int64_t> kUnits = {{"us", 1},
                                                        {"micro", 1},
                                                        {"micros", 1},
                                                        {"microsecond", 1},
                                                        {"microseconds", 1},
                                                        {"ms", 1'000},
                                                        {"milli", 1'000},
                                                        {"millis", 1'000},
                                                        {"millisecond", 1'000},
                                                        {"milliseconds", 1'000},
                                                        {"s", 1'000'000},
                                                        {"sec", 1'000'000},
                                                        {"secs", 1'000'000},
                                                        {"second", 1'000'000},
                                                        {"seconds", 1'000'000},
                                                        {"m", 60'000'000},
                                                        {"min", 60'000'000},
                                                        {"mins", 60'000'000},
                                                        {"minute", 60'000'000},
                                                        {"minutes", 60'000'000},
                                                        {"h", 3'600'000'000},
                                                        {"hour", 3'600'000'000},
                                                        {"hours", 3'600'000'000},
                                                        {"d", 86'400'000'000},
                                                        {"day", 86'400'000'000},
                                                        {"days", 86'400'000'000},
                                                        {"w", 604'800'000'000},
                                                        {"week", 604'800'000'000},
                                                        {"weeks", 604'800'000'000}};
  const auto found = kUnits.find(word);
  if (found == kUnits.end()) return std::nullopt;
  return found->second;
}

/// The rest of "02:30" or "02:30:15.5" after its first number, in seconds.
std::optional<double> TakeClock(double hours, std::string_view* text) {
  double seconds = hours * 3600;
  for (double unit = 60; unit >= 1 && !text->empty() && text->front() == ':'; unit /= 60) {
    text->remove_prefix(1);
    const auto part = TakeNumber(text);
    if (!part || *part >= 60) return std::nullopt;
    seconds += *part * unit;
  }
  return seconds;
}

std::optional<int64_t> Rounded(double value) {
  if (!(std::abs(value) < 9.2e18)) return std::nullopt;
  return static_cast<int64_t>(std::llround(value));
}

}  // namespace

std::string FoldOptionName(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (c != '_' && c != '-') folded.push_back(LowerAscii(c));
  }
  return folded;
}

std::optional<int64_t> ParseIntegerText(std::string_view text) {
  text = Trim(text);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  const auto real = ParseDoubleText(text);
  if (!real || std::trunc(*real) != *real || std::abs(*real) > 9007199254740992.0) return std::nullopt;
  return static_cast<int64_t>(*real);
}

std::optional<double> ParseDoubleText(std::string_view text) {
  text = Trim(text);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<bool> ParseBooleanText(std::string_view text) {
  text = Trim(text);
  if (EqualsIgnoreCase(text, "true")) return true;
  if (EqualsIgnoreCase(text, "false")) return false;
  return std::nullopt;
}

std::vector<std::string> ParseList(std::string_view text) {
  text = Trim(text);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = Trim(text.substr(1, text.size() - 2));
  }
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    std::string_view part = Trim(text.substr(0, comma));
    const bool quoted =
        part.size() >= 2 && part.front() == part.back() && (part[0] == '\'' || part[0] == '"');
    if (quoted) part = part.substr(1, part.size() - 2);
    if (!part.empty()) parts.emplace_back(part);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return parts;
}

std::optional<int64_t> ParseDurationUs(std::string_view text, int64_t bare_unit_us) {
  text = Trim(text);
  const bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  double total_us = 0;
  bool bare = false;
  while (!text.empty()) {
    if (bare) {
      return std::nullopt;  // "5 10s"
    }
    const auto number = TakeNumber(&text);
    if (!number) return std::nullopt;
    if (!text.empty() && text.front() == ':') {
      const auto seconds = TakeClock(*number, &text);
      if (!seconds) return std::nullopt;
      total_us += *seconds * 1e6;
    } else {
      text = Trim(text);
      const std::string word = TakeWord(&text);
      bare = word.empty();
      const auto unit = bare ? std::optional<int64_t>(bare_unit_us) : UnitUs(word);
      if (!unit || (bare && total_us != 0)) return std::nullopt;
      total_us += *number * static_cast<double>(*unit);
    }
    text = Trim(text);
    if (!text.empty() && text.front() == ',') text = Trim(text.substr(1));
  }
  return Rounded(negative ? -total_us : total_us);
}

std::optional<int64_t> ParseSizeBytes(std::string_view text) {
  text = Trim(text);
  const auto number = TakeNumber(&text);
  if (!number || *number < 0) return std::nullopt;
  text = Trim(text);
  const std::string word = TakeWord(&text);
  if (!text.empty()) return std::nullopt;
  static const std::map<std::string, double> kUnits = {{"", 1},
                                                       {"b", 1},
                                                       {"k", 1024.0},
                                                       {"kb", 1024.0},
                                                       {"kib", 1024.0},
                                                       {"m", 1048576.0},
                                                       {"mb", 1048576.0},
                                                       {"mib", 1048576.0},
                                                       {"g", 1073741824.0},
                                                       {"gb", 1073741824.0},
                                                       {"gib", 1073741824.0},
                                                       {"t", 1099511627776.0},
                                                       {"tb", 1099511627776.0},
                                                       {"tib", 1099511627776.0}};
  const auto unit = kUnits.find(word);
  if (unit == kUnits.end()) return std::nullopt;
  return Rounded(*number * unit->second);
}

}  // namespace laminar

#include "jobs/exact_numbers.h"

#include <set>
#include <vector>

namespace laminar {

namespace {

constexpr int64_t kExactMax = int64_t{1} << 53;

/// Writes what it reads, number by number from their text.
class Rewriter final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Rewriter(const nlohmann::json& columns, int depth) : depth_(depth) {
    for (const auto& column : columns) {
      const std::string type = column.value("data_type", "");
      if (type == "BIGINT" || type.ends_with("UNSIGNED") || type.starts_with("DECIMAL"))
        exact_.insert(column.value("name", ""));
    }
  }

  bool null() override { return Value("null"); }
  bool boolean(bool value) override { return Value(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    return Number(std::to_string(value), value > kExactMax || value < -kExactMax);
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Number(std::to_string(value), value > static_cast<uint64_t>(kExactMax));
  }
  bool number_float(number_float_t, const string_t& text) override { return Number(text, false); }
  bool string(string_t& value) override { return Value(Quoted(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open('{', true); }
  bool key(string_t& name) override {
    if (!first_.back()) out_ += ',';
    first_.back() = true;  // the value follows without a comma
    out_ += Quoted(name) + ":";
    if (static_cast<int>(first_.size()) == depth_) in_exact_ = exact_.count(name) > 0;
    return true;
  }
  bool end_object() override { return Close('}'); }
  bool start_array(std::size_t) override { return Open('[', false); }
  bool end_array() override { return Close(']'); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }
  std::string Take() { return std::move(out_); }

 private:
  static std::string Quoted(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  bool Number(const std::string& text, bool beyond) {
    const bool in_row = static_cast<int>(first_.size()) >= depth_;
    return Value(in_row && (in_exact_ || beyond) ? "\"" + text + "\"" : text);
  }
  bool Value(const std::string& text) {
    Comma();
    out_ += text;
    return true;
  }
  void Comma() {
    if (first_.empty()) return;
    if (!first_.back()) out_ += ',';
    first_.back() = false;
  }
  bool Open(char c, bool object) {
    Comma();
    out_ += c;
    first_.push_back(true);
    if (static_cast<int>(first_.size()) == depth_ && object) in_exact_ = false;
    return true;
  }
  bool Close(char c) {
    out_ += c;
    first_.pop_back();
    if (!first_.empty()) first_.back() = false;
    return true;
  }

  const int depth_;
  std::set<std::string> exact_;
  std::string out_;
  std::vector<bool> first_;  // by nesting: no member has been written yet
  bool in_exact_ = false;
};

}  // namespace

std::string WithExactNumbers(const std::string& text, const nlohmann::json& columns, int depth) {
  Rewriter rewriter(columns, depth);
  return nlohmann::json::sax_parse(text, &rewriter) ? rewriter.Take() : text;
}

}  // namespace laminar

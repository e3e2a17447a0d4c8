#pragma once

/// JSON paths: parsed once when the call is bound, then run over raw JSON text (json_scanner.h). The language
/// is that of RFC 9535 without functions (`$.a['b'][0,-1][1:3]..c[*][?@.x > 1 && @.y == 'z']`) plus what
/// SQL/JSON writes differently: the prefixes `lax` and `strict`, `[last]`, `[1 to 3]`, and a filter `?(…)`
/// outside brackets.
///
/// Two ways to run it:
///  - `FindJson` follows a chain of keys and indices in one pass over the text; most paths are no more than
///  that.
///  - otherwise `JsonPath` collects matches step by step.
/// An object's key that occurs twice: the last one counts.

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

/// A key of an object or an index of an array (0-based; negative counts from the end).
struct JsonKey {
  std::string_view name;
  int64_t index = 0;
  bool is_index = false;
  /// A name of digits that is an index when it meets an array: `#>` leaves open which.
  bool name_or_index = false;

  static JsonKey Name(std::string_view name) { return {name, 0, false, false}; }
  static JsonKey Index(int64_t index) { return {{}, index, true, false}; }
};

/// The value at the end of the chain; nullopt when a step does not fit or there is none. `json` must be
/// valid.
std::optional<std::string_view> FindJson(std::string_view json, std::span<const JsonKey> keys);

struct JsonFilter;

struct JsonSelector {
  enum class Kind { kName, kIndex, kWildcard, kSlice, kFilter };
  Kind kind = Kind::kWildcard;
  std::string name;
  int64_t index = 0;                  ///< kIndex
  bool from_last = false;             ///< kIndex: counted from the last element, 0 is the last
  std::optional<int64_t> begin, end;  ///< kSlice, `end` exclusive; negative counts from the end
  int64_t step = 1;
  std::shared_ptr<const JsonFilter> filter;
};

/// One `.x`, `[…]` or `..x`.
struct JsonStep {
  bool descend = false;  ///< `..`: from the value and all below it
  std::vector<JsonSelector> selectors;
};

class JsonPath {
 public:
  /// A text without `$` in front is a key. nullopt for a bad path; `*error` says what is wrong.
  static std::optional<JsonPath> Parse(std::string_view text, std::string* error);

  JsonPath(JsonPath&&) = default;
  JsonPath& operator=(JsonPath&&) = default;

  /// Calls nothing but names and indices, so that there is at most one match.
  bool is_chain() const { return chain_.size() == steps_.size(); }
  /// The steps as keys when is_chain(); lives as long as the path.
  std::span<const JsonKey> chain() const { return chain_; }
  bool is_strict() const { return strict_; }

  /// SQL/JSON: in lax mode a member step looks into the elements of an array, and an array step takes a
  /// scalar as an array of one. RFC: neither.
  enum class Semantics { kSql, kRfc };

  /// Raw texts of the matches in document order, at most `limit`; `out` is cleared first. `json` must be
  /// valid.
  void Find(std::string_view json, Semantics semantics, size_t limit,
            std::vector<std::string_view>* out) const;
  /// The quick way for is_chain(): one pass, no allocation. False: `json` has an array where lax mode must
  /// look into it (or takes a scalar as one), and Find has to be used; never in strict mode. Otherwise
  /// `*found` is the only match, if any.
  bool FindChain(std::string_view json, std::optional<std::string_view>* found) const;
  /// The first match. Allocates nothing when is_chain() and no array has to be unwrapped.
  std::optional<std::string_view> FindFirst(std::string_view json, Semantics semantics) const;

 private:
  JsonPath(std::vector<JsonStep> steps, bool strict);
  std::vector<JsonStep> steps_;
  std::vector<JsonKey> chain_;  // views into steps_; shorter than it when some step is no key
  bool strict_ = false;
};

}  // namespace laminar

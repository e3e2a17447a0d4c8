#include "functions/json/json_path.h"

#include <algorithm>
#include <charconv>

#include "functions/json/json_filter.h"
#include "functions/json/json_scanner.h"

namespace laminar {
namespace {

constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

// ---- chains ----

struct ChainResult {
  std::optional<std::string_view> found;
  bool misfit = false;  // a key met an array, or an index something else than one
};

/// Follows `keys` from the value under the cursor and leaves the cursor behind that value, whatever is found.
void FollowChain(JsonCursor& cursor, std::span<const JsonKey> keys, ChainResult* result);

void FollowMember(JsonCursor& cursor, std::span<const JsonKey> keys, ChainResult* result) {
  cursor.Take('{');
  while (cursor.Peek() == '"') {
    const std::string_view key = cursor.TakeString();
    const bool matches = JsonKeyEquals(key, cursor.last_string_escaped(), keys[0].name);
    cursor.Take(':');
    if (matches) {
      *result = {};
      FollowChain(cursor, keys.subspan(1), result);
    } else {
      cursor.TakeValue();
    }
    if (!cursor.Take(',')) break;
  }
  cursor.Take('}');
}

void FollowElement(JsonCursor& cursor, int64_t index, std::span<const JsonKey> rest, ChainResult* result) {
  if (index < 0) {
    JsonCursor counting = cursor;
    index += JsonLength(counting.TakeValue());
  }
  cursor.Take('[');
  if (!cursor.Take(']')) {
    int64_t i = 0;
    do {
      if (i++ == index) {
        FollowChain(cursor, rest, result);
      } else if (cursor.TakeValue().empty()) {
        break;
      }
    } while (cursor.Take(','));
    cursor.Take(']');
  }
}

void FollowChain(JsonCursor& cursor, std::span<const JsonKey> keys, ChainResult* result) {
  if (keys.empty()) {
    result->found = cursor.TakeValue();
    return;
  }
  const JsonKey& key = keys[0];
  const char first = cursor.Peek();
  if (first == '{' && !key.is_index) {
    FollowMember(cursor, keys, result);
  } else if (first == '[' && (key.is_index || key.name_or_index)) {
    FollowElement(cursor, key.index, keys.subspan(1), result);
  } else {
    result->misfit = first == '[' || key.is_index;
    cursor.TakeValue();
  }
}

ChainResult RunChain(std::string_view json, std::span<const JsonKey> keys) {
  JsonCursor cursor(json);
  ChainResult result;
  FollowChain(cursor, keys, &result);
  if (result.found && result.found->empty()) result.found.reset();
  return result;
}

// ---- scalars ----

std::optional<int64_t> AsInteger(std::string_view raw) {
  int64_t value = 0;
  const auto [end, code] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (code != std::errc() || end != raw.data() + raw.size()) return std::nullopt;
  return value;
}

double AsDouble(std::string_view raw) {
  double value = 0;
  const auto [end, code] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (code == std::errc::result_out_of_range) {
    // Too big or too small to tell apart: the sign and the exponent's sign decide.
    const size_t e = raw.find_first_of("eE");
    const bool tiny = e != std::string_view::npos && e + 1 < raw.size() && raw[e + 1] == '-';
    value = tiny ? 0.0 : std::numeric_limits<double>::infinity();
    if (raw[0] == '-') value = -value;
  }
  return value;
}

template <typename T>
int Order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

std::string StringValue(std::string_view raw) {
  return DecodeJsonEscapes(raw.size() < 2 ? raw : raw.substr(1, raw.size() - 2));
}

// ---- general paths ----

/// Walks steps depth-first and collects up to `limit` matches.
class PathWalk {
 public:
  PathWalk(std::string_view root, bool lax, size_t limit, std::vector<std::string_view>* out)
      : root_(root), lax_(lax), limit_(limit), out_(out) {}

  /// False: there are enough matches.
  bool Walk(std::string_view value, std::span<const JsonStep> steps) {
    if (steps.empty()) {
      out_->push_back(value);
      return out_->size() < limit_;
    }
    if (!steps[0].descend) return Select(value, steps, /*unwrap=*/true);
    return Descend(value, steps, 0);
  }

 private:
  bool Descend(std::string_view value, std::span<const JsonStep> steps, int depth) {
    if (!Select(value, steps, /*unwrap=*/false)) return false;
    if (depth >= kJsonNestingMax) return true;
    bool go_on = true;
    ForEachChild(value, [&](std::string_view child) { return go_on = Descend(child, steps, depth + 1); });
    return go_on;
  }

  bool Select(std::string_view value, std::span<const JsonStep> steps, bool unwrap) {
    for (const JsonSelector& selector : steps[0].selectors) {
      if (!Apply(selector, value, steps.subspan(1), unwrap && lax_)) return false;
    }
    return true;
  }

  bool Apply(const JsonSelector& selector, std::string_view value, std::span<const JsonStep> rest, bool lax) {
    switch (selector.kind) {
      case JsonSelector::Kind::kName:
        return ApplyName(selector, value, rest, lax);
      case JsonSelector::Kind::kIndex:
        return ApplyIndex(selector, value, rest, lax);
      case JsonSelector::Kind::kSlice:
        return ApplySlice(selector, value, rest, lax);
      case JsonSelector::Kind::kWildcard:
        if (lax && !IsContainer(value)) return Walk(value, rest);
        return ForEachChildWalk(value, [&](std::string_view child) { return Walk(child, rest); });
      case JsonSelector::Kind::kFilter:
        if (lax && KindOfJson(value) != JsonKind::kArray)
          return !Holds(*selector.filter, value) || Walk(value, rest);
        return ForEachChildWalk(value, [&](std::string_view child) {
          return !Holds(*selector.filter, child) || Walk(child, rest);
        });
    }
    return true;
  }

  bool ApplyName(const JsonSelector& selector, std::string_view value, std::span<const JsonStep> rest,
                 bool lax) {
    if (lax && KindOfJson(value) == JsonKind::kArray) {
      return ForEachChildWalk(
          value, [&](std::string_view child) { return ApplyName(selector, child, rest, false); });
    }
    const JsonKey key = JsonKey::Name(selector.name);
    const auto member = FindJson(value, {&key, 1});
    return !member || Walk(*member, rest);
  }

  bool ApplyIndex(const JsonSelector& selector, std::string_view value, std::span<const JsonStep> rest,
                  bool lax) {
    const int64_t index = selector.from_last ? -1 - selector.index : selector.index;
    if (KindOfJson(value) != JsonKind::kArray)
      return !lax || (index != 0 && index != -1) || Walk(value, rest);
    const JsonKey key = JsonKey::Index(index);
    const auto element = FindJson(value, {&key, 1});
    return !element || Walk(*element, rest);
  }

  bool ApplySlice(const JsonSelector& selector, std::string_view value, std::span<const JsonStep> rest,
                  bool lax) {
    if (KindOfJson(value) != JsonKind::kArray) {
      return !lax || selector.begin.value_or(0) > 0 || selector.end.value_or(1) < 1 || Walk(value, rest);
    }
    if (selector.step == 0) return true;
    std::vector<std::string_view> elements;
    ForEachElement(value, [&](std::string_view element) {
      elements.push_back(element);
      return true;
    });
    const auto length = static_cast<int64_t>(elements.size());
    const bool forward = selector.step > 0;
    auto place = [&](std::optional<int64_t> at, int64_t otherwise) {
      if (!at) return otherwise;
      const int64_t from_start = *at < 0 ? *at + length : *at;
      return forward ? std::clamp<int64_t>(from_start, 0, length)
                     : std::clamp<int64_t>(from_start, -1, length - 1);
    };
    const int64_t begin = place(selector.begin, forward ? 0 : length - 1);
    const int64_t end = place(selector.end, forward ? length : -1);
    for (int64_t i = begin; forward ? i < end : i > end;) {
      if (!Walk(elements[static_cast<size_t>(i)], rest)) return false;
      if (__builtin_add_overflow(i, selector.step, &i)) break;
    }
    return true;
  }

  static bool IsContainer(std::string_view value) {
    const JsonKind kind = KindOfJson(value);
    return kind == JsonKind::kObject || kind == JsonKind::kArray;
  }

  template <typename F>
  static void ForEachChild(std::string_view value, F f) {
    if (KindOfJson(value) == JsonKind::kObject) {
      ForEachMember(value, [&](std::string_view, bool, std::string_view child) { return f(child); });
    } else {
      ForEachElement(value, f);
    }
  }
  /// The same, and false when `f` stopped it.
  template <typename F>
  static bool ForEachChildWalk(std::string_view value, F f) {
    bool go_on = true;
    ForEachChild(value, [&](std::string_view child) { return go_on = f(child); });
    return go_on;
  }

  // ---- filters ----

  bool Holds(const JsonFilter& filter, std::string_view current) {
    using Kind = JsonFilter::Kind;
    auto holds = [&](const auto& child) { return Holds(*child, current); };
    switch (filter.kind) {
      case Kind::kOr:
        return std::any_of(filter.children.begin(), filter.children.end(), holds);
      case Kind::kAnd:
        return std::all_of(filter.children.begin(), filter.children.end(), holds);
      case Kind::kNot:
        return !holds(filter.children[0]);
      case Kind::kExists:
        return !Values(filter.left, current, 1).empty();
      case Kind::kNotEqual:
        return !AnyPair(filter, current, [](int order) { return order == 0; });
      case Kind::kEqual:
        return AnyPair(filter, current, [](int order) { return order == 0; });
      case Kind::kLess:
        return AnyPair(filter, current, [](int order) { return order < 0; });
      case Kind::kLessEqual:
        return AnyPair(filter, current, [](int order) { return order <= 0; });
      case Kind::kGreater:
        return AnyPair(filter, current, [](int order) { return order > 0; });
      case Kind::kGreaterEqual:
        return AnyPair(filter, current, [](int order) { return order >= 0; });
    }
    return false;
  }

  std::vector<std::string_view> Values(const JsonFilter::Operand& operand, std::string_view current,
                                       size_t limit) {
    std::vector<std::string_view> values;
    if (operand.is_literal) return {operand.literal};
    PathWalk(root_, lax_, limit, &values).Walk(operand.from_root ? root_ : current, operand.steps);
    return values;
  }

  template <typename Test>
  bool AnyPair(const JsonFilter& filter, std::string_view current, Test test) {
    const auto left = Values(filter.left, current, kNoLimit);
    const auto right = Values(filter.right, current, kNoLimit);
    for (std::string_view a : left) {
      for (std::string_view b : right) {
        const auto order = CompareJson(a, b);
        if (order && test(*order)) return true;
      }
    }
    return false;
  }

  std::string_view root_;
  bool lax_;
  size_t limit_;
  std::vector<std::string_view>* out_;
};

}  // namespace

std::optional<int> CompareJson(std::string_view a, std::string_view b) {
  const JsonKind kind = KindOfJson(a);
  if (kind != KindOfJson(b)) return std::nullopt;
  switch (kind) {
    case JsonKind::kNull:
      return 0;
    case JsonKind::kBoolean:
      return Order(a[0] == 't', b[0] == 't');
    case JsonKind::kString:
      return Order(StringValue(a), StringValue(b));
    case JsonKind::kNumber: {
      const auto x = AsInteger(a), y = AsInteger(b);
      return x && y ? Order(*x, *y) : Order(AsDouble(a), AsDouble(b));
    }
    default:
      return a == b ? std::optional(0) : std::nullopt;
  }
}

std::optional<std::string_view> FindJson(std::string_view json, std::span<const JsonKey> keys) {
  return RunChain(json, keys).found;
}

JsonPath::JsonPath(std::vector<JsonStep> steps, bool strict) : steps_(std::move(steps)), strict_(strict) {
  for (const JsonStep& step : steps_) {
    if (step.descend || step.selectors.size() != 1) break;
    const JsonSelector& selector = step.selectors[0];
    if (selector.kind == JsonSelector::Kind::kName) {
      chain_.push_back(JsonKey::Name(selector.name));
    } else if (selector.kind == JsonSelector::Kind::kIndex) {
      chain_.push_back(JsonKey::Index(selector.from_last ? -1 - selector.index : selector.index));
    } else {
      break;
    }
  }
}

void JsonPath::Find(std::string_view json, Semantics semantics, size_t limit,
                    std::vector<std::string_view>* out) const {
  out->clear();
  JsonCursor cursor(json);
  const std::string_view root = cursor.TakeValue();
  if (root.empty() || limit == 0) return;
  const bool lax = semantics == Semantics::kSql && !strict_;
  PathWalk(root, lax, limit, out).Walk(root, steps_);
}

bool JsonPath::FindChain(std::string_view json, std::optional<std::string_view>* found) const {
  const ChainResult result = RunChain(json, chain_);
  *found = result.found;
  return strict_ || !result.misfit;
}

std::optional<std::string_view> JsonPath::FindFirst(std::string_view json, Semantics semantics) const {
  if (is_chain()) {
    std::optional<std::string_view> found;
    if (FindChain(json, &found) || semantics == Semantics::kRfc) return found;
  }
  std::vector<std::string_view> matches;
  Find(json, semantics, 1, &matches);
  if (matches.empty()) return std::nullopt;
  return matches[0];
}

}  // namespace laminar

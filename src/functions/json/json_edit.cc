#include "functions/json/json_edit.h"

#include "functions/elementwise.h"
#include "functions/json/json_scanner.h"

namespace laminar {
namespace {

/// Writes `{` or `[` and the commas between what follows.
class ContainerWriter {
 public:
  ContainerWriter(TextWriter& out, bool object)
      : out_(out), before_(object ? '{' : '['), close_(object ? '}' : ']') {}
  /// Before each element.
  void Element() {
    out_.Push(before_);
    before_ = ',';
  }
  /// Before each member; `key` is the inner text, escapes as written.
  void Member(std::string_view key) {
    Element();
    out_.Push('"');
    out_.Append(key);
    out_.Append("\":");
  }
  void Finish() {
    if (before_ != ',') out_.Push(before_);
    out_.Push(close_);
  }

 private:
  TextWriter& out_;
  char before_;
  char close_;
};

/// The index from the front; may be out of range.
int64_t FromFront(const JsonKey& key, std::string_view array) {
  return key.index < 0 ? key.index + JsonLength(array) : key.index;
}

void SetMember(std::string_view raw, std::span<const JsonKey> keys, std::string_view value, TextWriter& out) {
  ContainerWriter object(out, true);
  bool seen = false;
  ForEachMember(raw, [&](std::string_view key, bool escaped, std::string_view member) {
    object.Member(key);
    if (JsonKeyEquals(key, escaped, keys[0].name)) {
      seen = true;
      AppendJsonSet(member, keys.subspan(1), value, out);
    } else {
      AppendCompactJson(member, out);
    }
    return true;
  });
  if (!seen && keys.size() == 1) {
    const std::string quoted = QuoteJson(keys[0].name);
    object.Member(std::string_view(quoted).substr(1, quoted.size() - 2));
    out.Append(value);
  }
  object.Finish();
}

void SetElement(std::string_view raw, std::span<const JsonKey> keys, std::string_view value,
                TextWriter& out) {
  ContainerWriter array(out, false);
  const int64_t index = FromFront(keys[0], raw);
  int64_t i = 0;
  ForEachElement(raw, [&](std::string_view element) {
    array.Element();
    if (i++ == index) {
      AppendJsonSet(element, keys.subspan(1), value, out);
    } else {
      AppendCompactJson(element, out);
    }
    return true;
  });
  if (index >= i && keys.size() == 1) {
    array.Element();
    out.Append(value);
  }
  array.Finish();
}

/// Whether the patch says something of the key.
std::optional<std::string_view> PatchOf(std::string_view patch, std::string_view key, bool escaped) {
  const std::string name = escaped ? DecodeJsonEscapes(key) : std::string(key);
  const JsonKey wanted = JsonKey::Name(name);
  return FindJson(patch, {&wanted, 1});
}

}  // namespace

void AppendJsonSet(std::string_view raw, std::span<const JsonKey> keys, std::string_view value,
                   TextWriter& out) {
  if (keys.empty()) {
    out.Append(value);
  } else if (KindOfJson(raw) == JsonKind::kObject && !keys[0].is_index) {
    SetMember(raw, keys, value, out);
  } else if (KindOfJson(raw) == JsonKind::kArray && keys[0].is_index) {
    SetElement(raw, keys, value, out);
  } else {
    AppendCompactJson(raw, out);
  }
}

void AppendJsonRemoved(std::string_view raw, std::span<const JsonKey> keys, TextWriter& out) {
  const bool object = KindOfJson(raw) == JsonKind::kObject && !keys[0].is_index;
  if (!object && !(KindOfJson(raw) == JsonKind::kArray && keys[0].is_index)) {
    AppendCompactJson(raw, out);
    return;
  }
  ContainerWriter container(out, object);
  auto copy = [&](std::string_view child, bool matches) {
    matches ? AppendJsonRemoved(child, keys.subspan(1), out) : AppendCompactJson(child, out);
    return true;
  };
  if (object) {
    ForEachMember(raw, [&](std::string_view key, bool escaped, std::string_view member) {
      const bool matches = JsonKeyEquals(key, escaped, keys[0].name);
      if (matches && keys.size() == 1) return true;
      container.Member(key);
      return copy(member, matches);
    });
  } else {
    const int64_t index = FromFront(keys[0], raw);
    int64_t i = 0;
    ForEachElement(raw, [&](std::string_view element) {
      const bool matches = i++ == index;
      if (matches && keys.size() == 1) return true;
      container.Element();
      return copy(element, matches);
    });
  }
  container.Finish();
}

void AppendJsonMerged(std::string_view target, std::string_view patch, TextWriter& out, int depth) {
  if (KindOfJson(patch) != JsonKind::kObject || depth > kJsonNestingMax) {
    AppendCompactJson(patch, out);
    return;
  }
  const bool merge = KindOfJson(target) == JsonKind::kObject;
  ContainerWriter object(out, true);
  if (merge) {
    ForEachMember(target, [&](std::string_view key, bool escaped, std::string_view member) {
      const auto change = PatchOf(patch, key, escaped);
      if (change && IsJsonNull(*change)) return true;
      object.Member(key);
      change ? AppendJsonMerged(member, *change, out, depth + 1) : AppendCompactJson(member, out);
      return true;
    });
  }
  ForEachMember(patch, [&](std::string_view key, bool escaped, std::string_view member) {
    if (IsJsonNull(member) || (merge && PatchOf(target, key, escaped))) return true;
    object.Member(key);
    AppendJsonMerged("{}", member, out, depth + 1);
    return true;
  });
  object.Finish();
}

}  // namespace laminar

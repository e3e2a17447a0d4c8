// What operators keep and for how long, as EXPLAIN and plans of the API say it.

#include "sql/planner.h"

namespace laminar::sql {

namespace {

/// The expression's text without the places of columns (`bid#3`), which say nothing to people.
std::string TextOf(const ExpressionPtr& expression) {
  std::string out;
  bool in_literal = false, in_place = false;
  for (const char c : expression->ToString()) {
    if (c == '\'') in_literal = !in_literal;
    in_place = !in_literal && (c == '#' || (in_place && c >= '0' && c <= '9'));
    if (!in_place) out += c;
  }
  return out;
}

std::vector<std::string> Texts(const std::vector<ExpressionPtr>& expressions) {
  std::vector<std::string> out;
  for (const ExpressionPtr& expression : expressions) out.push_back(TextOf(expression));
  return out;
}

std::vector<std::string> Texts(const std::vector<JoinKey>& keys) {
  std::vector<std::string> out;
  for (const JoinKey& key : keys) out.push_back(TextOf(key.left) + " = " + TextOf(key.right));
  return out;
}

constexpr const char* kWindowEnd = "until the watermark passes its end";

}  // namespace

StateNote StateNoteOf(const LogicalNode& node, const Settings& settings) {
  const auto with_life = [&](std::string kind, std::vector<std::string> key) {
    const int64_t ttl_us = settings.updating_ttl_us;
    return StateNote{
        std::move(kind), std::move(key), ttl_us,
        ttl_us > 0 ? "until untouched for " + DurationText(ttl_us) + " (updating_ttl)" : "for ever"};
  };
  const auto per_window = [](std::string kind, std::vector<std::string> key) {
    return StateNote{std::move(kind) + " of each open window", std::move(key), 0, kWindowEnd};
  };
  switch (node.kind) {
    case NodeKind::kAggregate:
      if (node.groups.empty()) return {"one group", {}, 0, "for ever"};
      return with_life("groups", Texts(node.groups));
    case NodeKind::kDistinct:
      return with_life("rows seen", Texts(node.partition_by));
    case NodeKind::kJoin:
      return with_life("rows of both sides", Texts(node.keys));
    case NodeKind::kWindowAggregate:
      return per_window("groups", Texts(node.groups));
    case NodeKind::kWindowJoin:
      return per_window("rows", Texts(node.keys));
    case NodeKind::kSort:
      return node.per_window ? per_window("rows", {}) : StateNote{"rows", {}, 0, "until the end"};
    case NodeKind::kIntervalJoin:
      return {"rows of both sides", Texts(node.keys), 0, "until the watermark passes what they can meet"};
    case NodeKind::kTopN:
      return node.per_window ? per_window("first rows", Texts(node.partition_by))
                             : with_life("first rows of each key", Texts(node.partition_by));
    case NodeKind::kOver:
      if (node.per_window) return per_window("rows", Texts(node.partition_by));
      if (!node.frame.rows && node.frame.preceding)
        return {"rows of the frame", Texts(node.partition_by), 0, "until the watermark passes it"};
      return with_life("frame of each key", Texts(node.partition_by));
    default:
      return {};
  }
}

}  // namespace laminar::sql

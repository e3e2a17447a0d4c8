#include "base/error.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/name.h"

namespace laminar {

std::string_view ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kSyntax:
      return "SYNTAX";
    case Reason::kUnknownTable:
      return "UNKNOWN_TABLE";
    case Reason::kUnknownColumn:
      return "UNKNOWN_COLUMN";
    case Reason::kUnknownFunction:
      return "UNKNOWN_FUNCTION";
    case Reason::kAmbiguousColumn:
      return "AMBIGUOUS_COLUMN";
    case Reason::kUnknownOption:
      return "UNKNOWN_OPTION";
    case Reason::kMissingOption:
      return "MISSING_OPTION";
    case Reason::kBadOption:
      return "BAD_OPTION";
    case Reason::kReadFromSink:
      return "READ_FROM_SINK";
    case Reason::kWriteToSource:
      return "WRITE_TO_SOURCE";
    case Reason::kSchemaMismatch:
      return "SCHEMA_MISMATCH";
    case Reason::kMemoryTableTwice:
      return "MEMORY_TABLE_TWICE";
    case Reason::kMemoryTableUnwritten:
      return "MEMORY_TABLE_UNWRITTEN";
    case Reason::kMissingWindow:
      return "MISSING_WINDOW";
    case Reason::kWindowNotGrouped:
      return "WINDOW_NOT_GROUPED";
    case Reason::kWindowMismatch:
      return "WINDOW_MISMATCH";
    case Reason::kMultipleWindows:
      return "MULTIPLE_WINDOWS";
    case Reason::kHopNotMultiple:
      return "HOP_NOT_MULTIPLE";
    case Reason::kBadInterval:
      return "BAD_INTERVAL";
    case Reason::kOverNeedsWindow:
      return "OVER_NEEDS_WINDOW";
    case Reason::kOverOnUpdating:
      return "OVER_ON_UPDATING";
    case Reason::kUpdatingIntoAppendSink:
      return "UPDATING_INTO_APPEND_SINK";
    case Reason::kDebeziumNeedsPrimaryKey:
      return "DEBEZIUM_NEEDS_PRIMARY_KEY";
    case Reason::kVirtualWithDebezium:
      return "VIRTUAL_WITH_DEBEZIUM";
    case Reason::kEventTimeWithDebezium:
      return "EVENT_TIME_WITH_DEBEZIUM";
    case Reason::kJoinNeedsEquality:
      return "JOIN_NEEDS_EQUALITY";
    case Reason::kLookupNotPrimaryKey:
      return "LOOKUP_NOT_PRIMARY_KEY";
    case Reason::kLookupJoinKind:
      return "LOOKUP_JOIN_KIND";
    case Reason::kLookupMissingKey:
      return "LOOKUP_MISSING_KEY";
    case Reason::kMultipleWatermarks:
      return "MULTIPLE_WATERMARKS";
    case Reason::kWatermarkType:
      return "WATERMARK_TYPE";
    case Reason::kMetadataUnknown:
      return "METADATA_UNKNOWN";
    case Reason::kMultipleUnnest:
      return "MULTIPLE_UNNEST";
    case Reason::kUnnestNotArray:
      return "UNNEST_NOT_ARRAY";
    case Reason::kNoOutput:
      return "NO_OUTPUT";
    case Reason::kUnsupported:
      return "UNSUPPORTED";
    case Reason::kTypeError:
      return "TYPE_ERROR";
    case Reason::kDuplicateName:
      return "DUPLICATE_NAME";
    case Reason::kUnknownSetting:
      return "UNKNOWN_SETTING";
  }
  return "INTERNAL";
}

LineColumn LocateOffset(std::string_view text, int64_t offset) {
  LineColumn at;
  offset = std::min<int64_t>(offset, static_cast<int64_t>(text.size()));
  for (int64_t i = 0; i < offset; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n') {
      ++at.line;
      at.column = 1;
    } else if ((byte & 0xC0) != 0x80) {  // count code points, not bytes
      ++at.column;
    }
  }
  return at;
}

std::string RenderError(const UserError& error, std::string_view file, std::string_view text) {
  std::string out;
  if (!error.span().known()) {
    out.append(file).append(": error: ").append(error.message());
    out.append(" [").append(ReasonName(error.reason())).append("]\n");
  } else {
    const LineColumn at = LocateOffset(text, error.span().offset);
    out.append(file)
        .append(":")
        .append(std::to_string(at.line))
        .append(":")
        .append(std::to_string(at.column));
    out.append(": error: ").append(error.message());
    out.append(" [").append(ReasonName(error.reason())).append("]\n");
    const int64_t offset = std::min<int64_t>(error.span().offset, static_cast<int64_t>(text.size()));
    size_t begin = text.rfind('\n', offset == 0 ? 0 : offset - 1);
    begin = (offset == 0 || begin == std::string_view::npos) ? 0 : begin + 1;
    size_t end = text.find('\n', offset);
    if (end == std::string_view::npos) end = text.size();
    std::string line(text.substr(begin, end - begin));
    if (!line.empty() && line.back() == '\r') line.pop_back();
    out.append("  ").append(line).append("\n  ");
    for (size_t i = begin; i < static_cast<size_t>(offset) && i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte == '\t') {
        out.push_back('\t');  // keep tabs so that the caret lines up
      } else if ((byte & 0xC0) != 0x80) {
        out.push_back(' ');
      }
    }
    out.push_back('^');
    const int64_t tail = std::min<int64_t>(error.span().length, static_cast<int64_t>(end) - offset) - 1;
    if (tail > 0) out.append(static_cast<size_t>(tail), '~');
    out.push_back('\n');
  }
  if (!error.hint().empty()) out.append("  hint: ").append(error.hint()).append("\n");
  return out;
}

namespace {

/// Optimal string alignment distance: edits plus swaps of neighbours, the commonest typing error.
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string NearestName(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string wanted = FoldName(name);
  size_t best = std::max<size_t>(1, wanted.size() / 3) + 1;  // about one edit in three letters
  std::string nearest;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(wanted, FoldName(candidate));
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

void CheckFailed(const char* file, int line, const char* condition, const std::string& message) {
  std::fprintf(stderr, "laminar: internal error at %s:%d: %s (%s)\n", file, line, message.c_str(), condition);
  std::abort();
}

}  // namespace laminar

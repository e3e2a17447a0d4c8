#pragma once

/// The three kinds of error (docs/architecture.md "Errors"): what the user wrote (`UserError`), what
/// the world did (`ExternalError`), and what we got wrong (`LAMINAR_CHECK`). Data errors, such as a row
/// that does not parse, are values and never come through here.

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

/// A piece of the script: byte offset and length. `offset < 0` means "no position known".
struct SourceSpan {
  int64_t offset = -1;
  int64_t length = 0;
  bool known() const { return offset >= 0; }
};

/// The planner's `reason_code`s. `ReasonName` gives the text that users, tests and the API see.
enum class Reason {
  kSyntax,
  kUnknownTable,
  kUnknownColumn,
  kUnknownFunction,
  kAmbiguousColumn,
  kUnknownOption,
  kMissingOption,
  kBadOption,
  kReadFromSink,
  kWriteToSource,
  kSchemaMismatch,
  kMemoryTableTwice,
  kMemoryTableUnwritten,
  kMissingWindow,
  kWindowNotGrouped,
  kWindowMismatch,
  kMultipleWindows,
  kHopNotMultiple,
  kBadInterval,
  kOverNeedsWindow,
  kOverOnUpdating,
  kUpdatingIntoAppendSink,
  kDebeziumNeedsPrimaryKey,
  kVirtualWithDebezium,
  kEventTimeWithDebezium,
  kJoinNeedsEquality,
  kLookupNotPrimaryKey,
  kLookupJoinKind,
  kLookupMissingKey,
  kMultipleWatermarks,
  kWatermarkType,
  kMetadataUnknown,
  kMultipleUnnest,
  kUnnestNotArray,
  kNoOutput,
  kUnsupported,
  kTypeError,
  kDuplicateName,
  kUnknownSetting,
};

/// The name in capitals, e.g. `UNKNOWN_COLUMN`.
std::string_view ReasonName(Reason reason);

/// Something the user wrote and can mend: SQL, an option, a file they named. The message is lower-case,
/// names the value that was wrong and what would be right; `Hint` adds the way out.
///
///     throw UserError(Reason::kUnknownColumn, span, "no column 'pirce' in bids")
///         .Hint("did you mean 'price'?");
class UserError : public std::exception {
 public:
  UserError(Reason reason, SourceSpan span, std::string message)
      : reason_(reason), span_(span), message_(std::move(message)) {}

  UserError& Hint(std::string hint) {
    hint_ = std::move(hint);
    return *this;
  }
  /// Gives a position to an error that was raised where none was known. Keeps one it already has.
  UserError& At(SourceSpan span) {
    if (!span_.known()) span_ = span;
    return *this;
  }

  Reason reason() const { return reason_; }
  SourceSpan span() const { return span_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  Reason reason_;
  SourceSpan span_;
  std::string message_;
  std::string hint_;
};

/// The world outside failed: disk, network, a file that went away. Names the system and the address
/// (never a secret) and says whether trying again can help.
class ExternalError : public std::exception {
 public:
  enum class Retry { kBackoff, kNever };
  ExternalError(std::string system, std::string message, Retry retry = Retry::kNever)
      : system_(std::move(system)), message_(system_ + ": " + message), retry_(retry) {}
  const std::string& system() const { return system_; }
  Retry retry() const { return retry_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string system_;
  std::string message_;
  Retry retry_;
};

/// A row of the data made a query fail (CAST of 'abc' to INT, integer overflow, 1/0): job Failed, user
/// domain.
class QueryError : public std::exception {
 public:
  /// `record`: the bytes that it is about, as far as they are to be shown; empty: none.
  explicit QueryError(std::string message, std::string record = "")
      : message_(std::move(message)), record_(std::move(record)) {}
  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& record() const { return record_; }

 private:
  std::string message_;
  std::string record_;
};

/// 1-based line and column (in code points) of a byte offset.
struct LineColumn {
  int64_t line = 1;
  int64_t column = 1;
};
LineColumn LocateOffset(std::string_view text, int64_t offset);

/// `file:line:col: error: message [REASON]`, the source line, a caret line, and `hint: …` when there is one.
std::string RenderError(const UserError& error, std::string_view file, std::string_view text);

/// The candidate nearest to `name` by edit distance, ignoring case; empty when none is near enough to
/// suggest.
std::string NearestName(std::string_view name, const std::vector<std::string>& candidates);

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, const std::string& message);

}  // namespace laminar

/// An invariant of ours. Prints where and what, and aborts: a job that stops is safer than one that goes on
/// wrong.
#define LAMINAR_CHECK(condition, message)                                              \
  do {                                                                                 \
    if (!(condition)) ::laminar::CheckFailed(__FILE__, __LINE__, #condition, message); \
  } while (false)

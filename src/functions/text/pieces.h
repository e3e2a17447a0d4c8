#pragma once

/// Pieces of a text: every function gives a view into its first argument and copies nothing. Positions are
/// 1-based and count code points.

#include <cstdint>
#include <optional>
#include <string_view>

namespace laminar {

/// Code points [from, from + count) as far as they exist; `from` may be below 1 (PostgreSQL: the part before
/// position 1 is empty but counts). `count` must not be negative.
std::string_view Substring(std::string_view text, int64_t from, int64_t count);
std::string_view SubstringFrom(std::string_view text, int64_t from);

/// The first (last) `count` code points; a negative count means all but the last (first) −count.
std::string_view Left(std::string_view text, int64_t count);
std::string_view Right(std::string_view text, int64_t count);

/// Without the leading (trailing) code points that occur in `set`.
std::string_view TrimLeft(std::string_view text, std::string_view set);
std::string_view TrimRight(std::string_view text, std::string_view set);
std::string_view Trim(std::string_view text, std::string_view set);

/// Part `index` (1-based; −1 is the last) of `text` cut at each `delimiter`; empty when there is none. An
/// empty delimiter cuts nowhere. `index` must not be 0.
std::string_view SplitPart(std::string_view text, std::string_view delimiter, int64_t index);

/// Flink's SPLIT_INDEX: 0-based; nullopt for a negative index, one past the end, and for any part of an empty
/// text.
std::optional<std::string_view> SplitIndex(std::string_view text, std::string_view delimiter, int64_t index);

/// MySQL's SUBSTRING_INDEX: all before the `count`-th delimiter from the left, or after the −count-th from
/// the right; the whole text when there are fewer.
std::string_view SubstringIndex(std::string_view text, std::string_view delimiter, int64_t count);

/// 1-based position of the first `part` at or after position `from`; 0 when there is none (or `from` < 1).
int64_t Position(std::string_view text, std::string_view part, int64_t from = 1);

/// Non-overlapping occurrences of `part`; 0 for an empty one.
int64_t CountOccurrences(std::string_view text, std::string_view part);

/// 1-based index of `item` in the comma-separated `list`; 0 when it is not there or holds a comma.
int64_t FindInSet(std::string_view item, std::string_view list);

}  // namespace laminar

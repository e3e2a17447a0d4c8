#include "formats/csv.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "formats/option_reader.h"

namespace laminar {

CsvDialect CsvDialectOf(const FormatSpec& spec) {
  const OptionReader options(spec, "csv");
  CsvDialect dialect;
  dialect.delimiter = options.Character("delimiter", ',');
  dialect.quote = options.Character("quote", '"');
  dialect.escape = options.Character("escape", dialect.quote);
  dialect.header = options.Boolean("header", !spec.one_message);
  dialect.null_string = options.Text("null_string", "");
  auto is_newline = [](char c) { return c == '\n' || c == '\r'; };
  if (is_newline(dialect.delimiter)) options.Fail("delimiter", "something else than a line end");
  if (is_newline(dialect.quote)) options.Fail("quote", "something else than a line end");
  if (is_newline(dialect.escape)) options.Fail("escape", "something else than a line end");
  if (dialect.delimiter == dialect.quote) {
    options.Fail(options.Has("delimiter") ? "delimiter" : "quote",
                 "different from " + std::string(options.Has("delimiter") ? "the quote" : "the delimiter"));
  }
  return dialect;
}

namespace {

/// The first of two characters in [p, end), or end.
const char* FindEither(const char* p, const char* end, char a, char b) {
#if defined(__SSE2__)
  const __m128i first = _mm_set1_epi8(a);
  const __m128i second = _mm_set1_epi8(b);
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, first), _mm_cmpeq_epi8(bytes, second));
    const auto mask = static_cast<uint32_t>(_mm_movemask_epi8(found));
    if (mask != 0) return p + std::countr_zero(mask);
  }
#endif
  while (p != end && *p != a && *p != b) ++p;
  return p;
}

/// The closing quote of what starts at `p`, or null; tells whether escapes were passed.
const char* FindClosingQuote(const char* p, const char* end, const CsvDialect& dialect, bool* escaped) {
  while (true) {
    p = FindEither(p, end, dialect.quote, dialect.escape);
    if (p == end) return nullptr;
    const bool doubled = p + 1 != end && p[1] == dialect.quote;
    if (*p == dialect.escape && (dialect.escape != dialect.quote || doubled)) {
      if (p + 1 == end) return nullptr;
      *escaped = true;
      p += 2;
      continue;
    }
    return p;
  }
}

const char* BehindLine(const char* p, const char* end) {
  const void* newline = std::memchr(p, '\n', static_cast<size_t>(end - p));
  return newline ? static_cast<const char*>(newline) + 1 : end;
}

/// The end of a line's last field, without `\r` of a `\r\n`.
const char* TrimReturn(const char* start, const char* newline) {
  return newline != start && newline[-1] == '\r' ? newline - 1 : newline;
}

}  // namespace

CsvRecordEnd SplitCsvRecord(std::string_view text, const CsvDialect& dialect, std::vector<CsvField>* fields,
                            int64_t* bytes) {
  fields->clear();
  const char* const start = text.data();
  const char* const end = start + text.size();
  const char* p = start;
  auto done = [&](CsvRecordEnd how, const char* behind) {
    *bytes = behind - start;
    return how;
  };
  while (true) {
    CsvField field;
    const char* stop;
    if (p != end && *p == dialect.quote) {
      const char* close = FindClosingQuote(p + 1, end, dialect, &field.escaped);
      if (close == nullptr) return done(CsvRecordEnd::kOpenQuote, BehindLine(start, end));
      field.quoted = true;
      field.text = {p + 1, static_cast<size_t>(close - p - 1)};
      stop = close + 1;
      if (stop != end && *stop == '\r' && (stop + 1 == end || stop[1] == '\n')) ++stop;
      if (stop != end && *stop != dialect.delimiter && *stop != '\n') {
        return done(CsvRecordEnd::kAfterQuote, BehindLine(stop, end));
      }
    } else {
      stop = FindEither(p, end, dialect.delimiter, '\n');
      const char* field_end = stop == end || *stop == '\n' ? TrimReturn(p, stop) : stop;
      field.text = {p, static_cast<size_t>(field_end - p)};
    }
    fields->push_back(field);
    if (stop == end) return done(CsvRecordEnd::kTextEnd, end);
    p = stop + 1;
    if (*stop == '\n') return done(CsvRecordEnd::kNewline, p);
  }
}

std::string_view CsvFieldValue(const CsvField& field, const CsvDialect& dialect, std::string* scratch) {
  if (!field.escaped) return field.text;
  scratch->clear();
  for (size_t i = 0; i < field.text.size(); ++i) {
    if (field.text[i] == dialect.escape && i + 1 < field.text.size()) ++i;
    scratch->push_back(field.text[i]);
  }
  return *scratch;
}

int64_t FindRecordEnd(std::string_view text, int64_t from, const CsvDialect& dialect) {
  const char* const end = text.data() + text.size();
  const char* p = text.data() + from;
  while (p != end) {
    if (*p == dialect.quote) {
      bool escaped = false;
      p = FindClosingQuote(p + 1, end, dialect, &escaped);
      if (p == nullptr) return -1;
      ++p;
    }
    // Quotes count only at the start of a field; elsewhere they are text.
    p = FindEither(p, end, dialect.delimiter, '\n');
    if (p == end) return -1;
    if (*p++ == '\n') return p - text.data();
  }
  return -1;
}

int64_t FindLastRecordEnd(std::string_view text, const CsvDialect& dialect) {
  // Without quotes, which is common, the last newline is the answer.
  if (text.find(dialect.quote) == std::string_view::npos) {
    const size_t newline = text.rfind('\n');
    return newline == std::string_view::npos ? 0 : static_cast<int64_t>(newline) + 1;
  }
  int64_t last = 0;
  while (true) {
    const int64_t next = FindRecordEnd(text, last, dialect);
    if (next < 0) return last;
    last = next;
  }
}

}  // namespace laminar

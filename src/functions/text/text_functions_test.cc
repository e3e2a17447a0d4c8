#include <gtest/gtest.h>

#include "base/error.h"
#include "functions/text/call_test_table.h"

namespace laminar {
namespace {

TEST(TextFunctions, CaseFollowsUnicode) {
  ExpectCalls({{"upper('')", "\"\""},
               {"upper('aéяß😀')", "\"AÉЯß😀\""},
               {"lower('AÉЯ😀')", "\"aéя😀\""},
               {"upper('0123456789abcdefghijklmnop')", "\"0123456789ABCDEFGHIJKLMNOP\""},
               {"upper(NULL)", "null"},
               {"upper(JSON '\"bob\"')", "\"BOB\""},
               {"initcap('élan vital')", "\"Élan Vital\""},
               {"initcap('o''neil x2y')", "\"O'Neil X2y\""},
               {"initcap('')", "\"\""}});
}

TEST(TextFunctions, ConcatSkipsNulls) {
  ExpectCalls({{"concat('a', NULL, 'b')", "\"ab\""},
               {"concat(NULL, NULL)", "\"\""},
               {"concat(1, true, 2.5)", "\"1true2.5\""},
               {"concat('é', '😀')", "\"é😀\""},
               {"concat_ws(',', 'a', NULL, '', 'b')", "\"a,,b\""},
               {"concat_ws(',', NULL, NULL)", "\"\""},
               {"concat_ws(NULL, 'a', 'b')", "null"},
               {"concat_ws('', 'a', 'b')", "\"ab\""}});
}

TEST(TextFunctions, LengthsInCodePointsBytesBits) {
  ExpectCalls({{"length('')", "0"},
               {"length('e\u0301')", "2"},  // a combining accent is a code point of its own
               {"length('😀')", "1"},
               {"length('日本語テキスト長い')", "9"},
               {"octet_length('😀')", "4"},
               {"bit_length('é')", "16"},
               {"length(NULL)", "null"},
               {"length(decode('0aff00', 'hex'))", "3"},
               {"char_length('abc')", "3"}});
}

TEST(TextFunctions, SubstringCountsFromOneAndBelow) {
  ExpectCalls({{"substring('alphabet', 3)", "\"phabet\""},
               {"substring('alphabet', 3, 2)", "\"ph\""},
               {"substring('alphabet', 0, 2)", "\"a\""},
               {"substring('alphabet', -2, 4)", "\"a\""},
               {"substring('alphabet', -5, 3)", "\"\""},
               {"substring('alphabet', -3)", "\"alphabet\""},
               {"substring('alphabet', 9, 3)", "\"\""},
               {"substring('alphabet', 20)", "\"\""},
               {"substring('alphabet', 2, 0)", "\"\""},
               {"substring('alphabet', 2, 9223372036854775807)", "\"lphabet\""},
               {"substring('日本語😀x', 3, 2)", "\"語😀\""},
               {"substring('', 1, 1)", "\"\""},
               {"substring('abc', NULL)", "null"},
               {"substring(decode('00010203', 'hex'), 2, 2)", "\"AQI=\""},
               {"substring(decode('00010203', 'hex'), 0)", "\"AAECAw==\""}});
  EXPECT_EQ(ErrorOfCall("substring('abc', 1, -1)"), "substring: length -1 is negative; 0 or more is right");
}

TEST(TextFunctions, LeftAndRightTakeNegativeCounts) {
  ExpectCalls({{"left('日本語', 2)", "\"日本\""},
               {"left('日本語', -1)", "\"日本\""},
               {"left('abc', -5)", "\"\""},
               {"left('abc', 10)", "\"abc\""},
               {"left('abc', 0)", "\"\""},
               {"left('abc', -9223372036854775808)", "\"\""},
               {"right('日本語', 2)", "\"本語\""},
               {"right('日本語', -1)", "\"本語\""},
               {"right('abc', -5)", "\"\""},
               {"right('abc', -9223372036854775808)", "\"\""},
               {"right('abc', 0)", "\"\""}});
}

TEST(TextFunctions, TrimTakesASetOfCharacters) {
  ExpectCalls({{"btrim('  a b ')", "\"a b\""},
               {"trim('   ')", "\"\""},
               {"trim('')", "\"\""},
               {"btrim('éèxéè', 'èé')", "\"x\""},
               {"ltrim('xyxa', 'xy')", "\"a\""},
               {"rtrim('axyx', 'yx')", "\"a\""},
               {"rtrim('a😀😀', '😀')", "\"a\""},
               {"btrim('abc', '')", "\"abc\""},
               // é is C3 A9: the set holds no byte of it alone.
               {"btrim('é', 'Ã©')", "\"é\""},
               {"btrim('a', NULL)", "null"}});
}

TEST(TextFunctions, PadsAndRepeats) {
  ExpectCalls({{"lpad('x', 4, 'ab')", "\"abax\""},
               {"lpad('xyz', 2)", "\"xy\""},
               {"lpad('x', 0)", "\"\""},
               {"lpad('x', -1)", "\"\""},
               {"lpad('x', 3, '')", "\"x\""},
               {"lpad('é', 3, '😀')", "\"😀😀é\""},
               {"lpad('x', 3, '\x80')", "\"x\""},  // no code point starts in the fill
               {"rpad('x', 4)", "\"x   \""},
               {"rpad('日本語', 2)", "\"日本\""},
               {"repeat('é', 3)", "\"ééé\""},
               {"repeat('-', 3)", "\"---\""},
               {"repeat('ab', -1)", "\"\""},
               {"repeat('', 1000000000000)", "\"\""},
               {"space(2)", "\"  \""}});
  EXPECT_NE(ErrorOfCall("repeat('ab', 1000000000000)").find("repeat: 1000000000000 gives more than"),
            std::string::npos);
  EXPECT_NE(ErrorOfCall("lpad('ab', 1000000000)").find("lpad: 1000000000 gives more than"),
            std::string::npos);
  EXPECT_NE(ErrorOfCall("rpad('ab', 9223372036854775807, 'xyz')").find("rpad:"), std::string::npos);
}

TEST(TextFunctions, Replacements) {
  ExpectCalls({{"replace('aaa', 'aa', 'b')", "\"ba\""},
               {"replace('abc', '', 'x')", "\"abc\""},
               {"replace('', 'a', 'x')", "\"\""},
               {"replace('日本日', '日', '')", "\"本\""},
               {"translate('日本語', '本語', 'xy')", "\"日xy\""},
               {"translate('abc', 'abc', '日')", "\"日\""},
               {"translate('abc', '', 'x')", "\"abc\""},
               {"overlay('日本語', 'XY', 2)", "\"日XY\""},
               {"overlay('abcdef', '-', 2, 0)", "\"a-bcdef\""},
               {"overlay('abc', 'x', 10)", "\"abcx\""},
               {"reverse('e\u0301x')", "\"x\u0301e\""},
               {"reverse('a😀b')", "\"b😀a\""},
               {"reverse('')", "\"\""}});
  EXPECT_EQ(ErrorOfCall("overlay('abc', 'x', 0)"), "overlay: position 0 is below 1");
}

TEST(TextFunctions, PositionsCountCodePoints) {
  ExpectCalls({{"strpos('日本語', '語')", "3"},     {"strpos('abc', 'x')", "0"},
               {"strpos('abc', '')", "1"},          {"strpos('', 'a')", "0"},
               {"instr('banana', 'an')", "2"},      {"position('語', '日本語')", "3"},
               {"locate('an', 'banana', 3)", "4"},  {"locate('日', '日本日', 2)", "3"},
               {"locate('a', 'a', 0)", "0"},        {"locate('', 'abc', 4)", "4"},
               {"locate('', 'abc', 5)", "0"},       {"find_in_set('c', 'a,b,c')", "3"},
               {"find_in_set('', 'a,,c')", "2"},    {"find_in_set('a', '')", "0"},
               {"find_in_set('a,b', 'a,b')", "0"},  {"starts_with('日本', '日')", "true"},
               {"starts_with('a', 'ab')", "false"}, {"ends_with('日本', '本')", "true"},
               {"ends_with('a', '')", "true"},      {"contains('日本語', '本')", "true"},
               {"contains('', '')", "true"},        {"contains('', 'a')", "false"},
               {"contains('a', NULL)", "null"},     {"count_char('日本日', '日')", "2"},
               {"count_char('aaaa', 'aa')", "2"},   {"count_char('abc', '')", "0"},
               {"count_char('', 'a')", "0"}});
}

TEST(TextFunctions, Splits) {
  ExpectCalls({{"split_part('a,b,c', ',', 2)", "\"b\""},
               {"split_part('a,b,c', ',', 4)", "\"\""},
               {"split_part('a,b,c', ',', -3)", "\"a\""},
               {"split_part('a,b,c', ',', -4)", "\"\""},
               {"split_part('a::b', '::', 2)", "\"b\""},
               {"split_part(',a', ',', 1)", "\"\""},
               {"split_part('', ',', 1)", "\"\""},
               {"split_part('abc', '', 1)", "\"abc\""},
               {"split_part('abc', '', 2)", "\"\""},
               {"split_part('日|本', '|', 2)", "\"本\""},
               {"split_index('https://a/b', '/', 3)", "\"b\""},
               {"split_index('a/b', '/', 2)", "null"},
               {"split_index('a/b', '/', -1)", "null"},
               {"split_index('', '/', 0)", "null"},
               {"split_index('a/', '/', 1)", "\"\""},
               {"split_index('a', '/', 9223372036854775807)", "null"},
               {"substring_index('a.b.c', '.', 2)", "\"a.b\""},
               {"substring_index('a.b.c', '.', -1)", "\"c\""},
               {"substring_index('a.b.c', '.', 9)", "\"a.b.c\""},
               {"substring_index('a.b.c', '.', -9)", "\"a.b.c\""},
               {"substring_index('a.b.c', '.', 0)", "\"\""},
               {"substring_index('a.b.c', '', 1)", "\"\""},
               {"string_to_array('a,b,', ',')", "[\"a\",\"b\",\"\"]"},
               {"string_to_array('日本', NULL)", "[\"日\",\"本\"]"},
               {"string_to_array('a,b', '')", "[\"a,b\"]"},
               {"string_to_array('', ',')", "[]"},
               {"string_to_array(NULL, ',')", "null"},
               {"split('a,,b', ',', '')", "[\"a\",null,\"b\"]"}});
  EXPECT_NE(ErrorOfCall("split_part('a', ',', 0)"), "");
}

TEST(TextFunctions, Characters) {
  ExpectCalls({{"ascii('😀')", "128512"},
               {"ascii('')", "0"},
               {"ascii('abc')", "97"},
               {"chr(65)", "\"A\""},
               {"chr(128512)", "\"😀\""},
               {"to_hex(0)", "\"0\""},
               {"to_hex(-1)", "\"ffffffffffffffff\""},
               {"to_hex(NULL)", "null"}});
  EXPECT_NE(ErrorOfCall("chr(0)"), "");
  EXPECT_NE(ErrorOfCall("chr(55296)"), "");  // a surrogate
  EXPECT_NE(ErrorOfCall("chr(1114112)"), "");
}

TEST(TextFunctions, Similarity) {
  ExpectCalls({{"levenshtein('', 'abc')", "3"},
               {"levenshtein('abc', 'abc')", "0"},
               {"levenshtein('日本語', '日本')", "1"},
               {"levenshtein('flaw', 'lawn')", "2"},
               {"soundex('Ashcraft')", "\"A261\""},
               {"soundex('Tymczak')", "\"T522\""},
               {"soundex('Pfister')", "\"P236\""},
               {"soundex('Lee')", "\"L000\""},
               {"soundex('123')", "\"\""}});
}

TEST(TextFunctions, UrlParts) {
  ExpectCalls({{"parse_url('https://u:p@h.org:81/a/b?x=1#frag', 'HOST')", "\"h.org\""},
               {"parse_url('https://u:p@h.org:81/a/b?x=1#frag', 'port')", "\"81\""},
               {"parse_url('https://u:p@h.org:81/a/b?x=1#frag', 'USERINFO')", "\"u:p\""},
               {"parse_url('https://u:p@h.org:81/a/b?x=1#frag', 'AUTHORITY')", "\"u:p@h.org:81\""},
               {"parse_url('https://u:p@h.org:81/a/b?x=1#frag', 'PATH')", "\"/a/b\""},
               {"parse_url('https://u:p@h.org:81/a/b?x=1#frag', 'FILE')", "\"/a/b?x=1\""},
               {"parse_url('https://u:p@h.org:81/a/b?x=1#frag', 'QUERY')", "\"x=1\""},
               {"parse_url('https://u:p@h.org:81/a/b?x=1#frag', 'REF')", "\"frag\""},
               {"parse_url('https://u:p@h.org:81/a/b?x=1#frag', 'PROTOCOL')", "\"https\""},
               {"parse_url('http://[::1]:80/', 'HOST')", "\"[::1]\""},
               {"parse_url('http://h?a=1&ab=2', 'QUERY', 'ab')", "\"2\""},
               {"parse_url('http://h?a=1', 'QUERY', 'b')", "null"},
               {"parse_url('http://h', 'QUERY')", "null"},
               {"parse_url('not a url', 'HOST')", "null"},
               {"url_encode('')", "\"\""},
               {"url_encode('日')", "\"%E6%97%A5\""},
               {"url_decode('%E6%97%A5+x')", "\"日 x\""},
               {"url_decode('%E6%97')", "null"},
               {"url_decode('%zz')", "null"},
               {"url_decode('100%')", "null"}});
  EXPECT_NE(ErrorOfCall("parse_url('http://h', 'HOTS')").find("no part 'HOTS'"), std::string::npos);
}

TEST(TextFunctions, FormatsLikeC) {
  ExpectCalls({{"format('%s and %s', 'a', 1)", "\"a and 1\""},
               {"format('%5s|%-5s|', 'é', '日本')", "\"    é|日本   |\""},
               {"format('%.2s', '日本語')", "\"日本\""},
               {"format('%05d %x %X %o', 42, 255, 255, 8)", "\"00042 ff FF 10\""},
               {"format('%d', -9223372036854775808)", "\"-9223372036854775808\""},
               {"format('%.2f %e', 1.005, 12345.0)", "\"1.00 1.234500e+04\""},
               {"format('%+d %c', 5, 65)", "\"+5 A\""},
               {"format('100%%')", "\"100%\""},
               {"format('%s', NULL)", "null"}});
  EXPECT_NE(ErrorOfCall("format('%d')").find("takes 1 values, 0 given"), std::string::npos);
  EXPECT_NE(ErrorOfCall("format('%d', 'x')").find("%d takes a number, not TEXT"), std::string::npos);
  EXPECT_NE(ErrorOfCall("format('%y', 1)").find("unknown directive '%y'"), std::string::npos);
  EXPECT_NE(ErrorOfCall("format('%99999d', 1)").find("width above"), std::string::npos);
  EXPECT_NE(ErrorOfCall("format('%', 1)"), "");
}

TEST(RegexFunctions, Flags) {
  ExpectCalls({{"regexp_like('abc', 'B')", "false"},
               {"regexp_like('abc', 'B', 'i')", "true"},
               {"regexp_like(replace('a-b', '-', chr(10)), 'a.b')", "false"},
               {"regexp_like(replace('a-b', '-', chr(10)), 'a.b', 's')", "true"},
               {"regexp_like(replace('a-b', '-', chr(10)), '^b')", "false"},
               {"regexp_like(replace('a-b', '-', chr(10)), '^b', 'm')", "true"},
               {"regexp_like('', '')", "true"},
               {"regexp_like('日本', '^.{2}$')", "true"},
               {"regexp_like(NULL, 'a')", "null"},
               {"regexp_like('a', NULL)", "null"}});
  EXPECT_EQ(ErrorOfCall("regexp_like('a', '(')"), "regexp_like: bad pattern '(': missing ): (");
  EXPECT_EQ(ErrorOfCall("regexp_like('a', 'a', 'q')"),
            "regexp_like: unknown flag in 'q'; there are g, i, m and s");
}

TEST(RegexFunctions, Extract) {
  ExpectCalls(
      {{"regexp_extract('https://x/?channel_id=abc&y=1', '(&|^|\\?)channel_id=([^&]*)', 2)", "\"abc\""},
       {"regexp_extract('foobar', 'o+')", "\"oo\""},
       {"regexp_extract('foobar', 'x')", "null"},
       {"regexp_extract('b', '(a)|(b)', 1)", "null"},
       {"regexp_extract('b', '(a)|(b)', 2)", "\"b\""},
       {"regexp_extract('', '.*')", "\"\""},
       {"regexp_extract('日本語', '本(.)', 1)", "\"語\""}});
  EXPECT_EQ(ErrorOfCall("regexp_extract('a', '(a)', 2)"),
            "regexp_extract: group 2 does not exist; the pattern has groups 0 to 1");
}

TEST(RegexFunctions, Replace) {
  ExpectCalls({{"regexp_replace('aaa', 'a', 'b')", "\"baa\""},
               {"regexp_replace('aaa', 'a', 'b', 'g')", "\"bbb\""},
               {"regexp_replace('John Smith', '(\\w+) (\\w+)', '\\2 \\1')", "\"Smith John\""},
               {"regexp_replace('ab', '(a)(b)', '${2}$1')", "\"ba\""},
               {"regexp_replace('a', 'a', '[\\&][$0][\\0]')", "\"[a][a][a]\""},
               {"regexp_replace('a', 'a', '\\\\ $$ \\$')", "\"\\\\ $ $\""},
               {"regexp_replace('a', 'a', '$')", "\"$\""},
               {"regexp_replace('b', '(a)|b', '<\\1>')", "\"<>\""},
               {"regexp_replace('abc', '', '-', 'g')", "\"-a-b-c-\""},
               {"regexp_replace('abc', 'x*', '-', 'g')", "\"-a-b-c-\""},
               {"regexp_replace('日本', '', '-', 'g')", "\"-日-本-\""},
               {"regexp_replace('baac', 'a*', '-', 'g')", "\"-b-c-\""},
               {"regexp_replace('ABab', 'b', 'x', 'gi')", "\"Axax\""},
               {"regexp_replace('', 'a', 'x')", "\"\""}});
  EXPECT_NE(ErrorOfCall("regexp_replace('a', 'a', '$1')").find("names group 1; the pattern has 0"),
            std::string::npos);
}

TEST(RegexFunctions, CountsPositionsAndLists) {
  ExpectCalls({{"regexp_count('abcabc', 'b')", "2"},
               {"regexp_count('abcabc', 'b', 3)", "1"},
               {"regexp_count('日日日', '日', 2)", "2"},
               {"regexp_count('abc', '')", "4"},
               {"regexp_count('', 'a')", "0"},
               {"regexp_instr('日本', '本')", "2"},
               {"regexp_instr('abc', 'x')", "0"},
               {"regexp_match('abc', 'b')", "[\"b\"]"},
               {"regexp_match('abc', 'x')", "null"},
               {"regexp_match('b', '(a)|(b)')", "[null,\"b\"]"},
               {"regexp_match('ABC', '(b)', 'i')", "[\"B\"]"},
               {"regexp_extract_all('a1b2', '\\d')", "[\"1\",\"2\"]"},
               {"regexp_extract_all('abc', '\\d')", "[]"}});
  EXPECT_EQ(ErrorOfCall("regexp_count('a', 'a', 0)"), "regexp_count: start 0 is below 1");
}

}  // namespace
}  // namespace laminar

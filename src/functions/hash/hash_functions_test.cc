#include <arrow/array.h>
#include <gtest/gtest.h>

#include <set>

#include "base/arrow_result.h"
#include "functions/registry.h"
#include "functions/text/call_test_table.h"

namespace laminar {
namespace {

TEST(HashFunctions, KnownValues) {
  ExpectCalls({{"md5('')", "\"d41d8cd98f00b204e9800998ecf8427e\""},
               {"md5(decode('616263', 'hex'))", "\"900150983cd24fb0d6963f7d28e17f72\""},
               {"sha256('é')", "\"4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c\""},
               {"md5(NULL)", "null"},
               {"encode(digest('abc', 'SHA1'), 'hex')", "\"a9993e364706816aba3e25717850c26c9cd0d89d\""},
               {"octet_length(digest('', 'sha512'))", "64"},
               {"crc32('')", "0"},
               {"crc32('123456789')", "3421780262"},
               {"xxhash64('')", "-1205034819632174695"}});
  EXPECT_NE(ErrorOfCall("digest('a', 'sha3')").find("unknown algorithm 'sha3'"), std::string::npos);
}

TEST(HashFunctions, MultiHashTellsArgumentsApart) {
  std::set<std::string> hashes;
  for (const char* call :
       {"multi_hash('a', 'b')", "multi_hash('ab')", "multi_hash('ab', '')", "multi_hash('', 'ab')",
        "multi_hash('ab', NULL)", "multi_hash(NULL, 'ab')", "multi_hash(NULL)", "multi_hash('null')",
        "multi_hash(1)", "multi_hash('1')", "multi_hash(true)"}) {
    hashes.insert(EvaluateConstantCall(call));
  }
  EXPECT_EQ(hashes.size(), 11u);
  // Stored by users: must never change.
  ExpectCalls({{"encode(multi_hash('a', 1, NULL), 'hex')", "\"94b5dd9b7c571a0cfb663bcb5f8f9a87\""}});
}

TEST(Encodings, GoBothWays) {
  ExpectCalls({{"encode('', 'hex')", "\"\""},
               {"encode('é', 'HEX')", "\"c3a9\""},
               {"encode('', 'base64')", "\"\""},
               {"encode('a', 'base64')", "\"YQ==\""},
               {"encode('ab', 'base64')", "\"YWI=\""},
               {"encode('abc', 'base64')", "\"YWJj\""},
               {"encode('abcd', 'base64')", "\"YWJjZA==\""},
               {"encode(decode('00FFab', 'hex'), 'hex')", "\"00ffab\""},
               {"encode(decode('YQ', 'base64'), 'hex')", "\"61\""},
               {"encode(decode('_-8=', 'base64'), 'hex')", "\"ffef\""},
               {"encode(decode('', 'base64'), 'hex')", "\"\""},
               {"to_base64(from_base64('YWJj'))", "\"YWJj\""},
               {"encode(NULL, 'hex')", "null"}});
  EXPECT_EQ(ErrorOfCall("decode('abc', 'hex')"), "decode: 'abc' is not hexadecimal");
  EXPECT_EQ(ErrorOfCall("decode('zz', 'hex')"), "decode: 'zz' is not hexadecimal");
  EXPECT_EQ(ErrorOfCall("decode('Y', 'base64')"), "decode: 'Y' is not base64");
  EXPECT_EQ(ErrorOfCall("decode('Y*==', 'base64')"), "decode: 'Y*==' is not base64");
  EXPECT_NE(ErrorOfCall("encode('a', 'rot13')").find("unknown encoding 'rot13'"), std::string::npos);
}

TEST(BytesFunctions, ReadAndRefuse) {
  ExpectCalls({{"from_bytes(decode('c3', 'hex'))", "null"},
               {"from_bytes(decode('', 'hex'))", "\"\""},
               {"from_bytes(decode('eda080', 'hex'))", "null"},  // a surrogate
               {"ip_to_int('0.0.0.0')", "0"},
               {"ip_to_int('255.255.255.255')", "4294967295"},
               {"ip_to_int('256.0.0.1')", "null"},
               {"ip_to_int('1.2.3')", "null"},
               {"ip_to_int('1.2.3.4.5')", "null"},
               {"ip_to_int('1.2.3.')", "null"},
               {"ip_to_int('')", "null"}});
}

TEST(Uuid, IsNewOnEachRow) {
  const ExpressionPtr uuid = TextRegistryForTest().BindScalar("uuid", {});
  EXPECT_EQ(uuid->volatility(), Volatility::kVolatile);
  EXPECT_EQ(FoldConstant(*uuid), nullptr);
  const ManualClock clock;
  Batch batch;
  batch.num_rows = 100;
  const auto array = OrThrow(uuid->Evaluate(batch, {&clock, 0})).make_array();
  const auto& texts = static_cast<const arrow::StringArray&>(*array);
  std::set<std::string> seen;
  for (int64_t i = 0; i < texts.length(); ++i) {
    const std::string text = texts.GetString(i);
    ASSERT_EQ(text.size(), 36u);
    EXPECT_EQ(text[14], '4');
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
    EXPECT_EQ(text[8], '-');
    EXPECT_EQ(text[23], '-');
    seen.insert(text);
  }
  EXPECT_EQ(seen.size(), 100u);
}

}  // namespace
}  // namespace laminar

#include "storage/wire_text.h"

#include <gtest/gtest.h>

#include "storage/digest.h"

namespace laminar {
namespace {

TEST(WireText, PercentEncoding) {
  EXPECT_EQ(PercentEncode("a b/ä~+", true), "a%20b/%C3%A4~%2B");
  EXPECT_EQ(PercentEncode("a/b", false), "a%2Fb");
  EXPECT_EQ(PercentDecode("a%20b%2fc%zz%4"), "a b/c%zz%4");
}

TEST(WireText, Xml) {
  const std::string xml = "<L><E><N>a &amp; b</N></E><E><N>c&#34;</N></E></L>";
  ASSERT_EQ(XmlElements(xml, "E").size(), 2U);
  EXPECT_EQ(XmlText(xml, "N"), "a & b");
  EXPECT_EQ(XmlText(XmlElements(xml, "E")[1], "N"), "c\"");
  EXPECT_EQ(XmlText(xml, "M"), "");
  EXPECT_EQ(XmlEscaped("a<\"&"), "a&lt;&quot;&amp;");
}

TEST(WireText, Times) {
  EXPECT_EQ(TimeUsOfText("Wed, 21 Oct 2015 07:28:00 GMT"), 1'445'412'480'000'000);
  EXPECT_EQ(TimeUsOfText("2015-10-21T07:28:00.123Z"), 1'445'412'480'000'000);
  EXPECT_EQ(TimeUsOfText("yesterday"), 0);
}

TEST(Digest, Base64) {
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64Url("\xfb\xff"), "-_8");
  EXPECT_EQ(FromBase64("Zm8="), "fo");
  EXPECT_EQ(FromBase64("Zm9v"), "foo");
  EXPECT_EQ(FromBase64("no base64"), std::nullopt);
  EXPECT_EQ(FromBase64("###="), std::nullopt);
}

}  // namespace
}  // namespace laminar

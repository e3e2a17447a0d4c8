#include "connectors/files/block_reader.h"

#include <arrow/util/compression.h>
#include <gmock/gmock.h>

#include "connectors/test_formats.h"

namespace laminar {
namespace {

std::vector<std::string> Blocks(BlockReader& reader) {
  std::vector<std::string> blocks;
  while (true) {
    const RecordBlock block = reader.Next();
    if (block.buffer == nullptr) return blocks;
    EXPECT_GE(block.buffer->capacity(), block.size + kBlockPadding);
    blocks.push_back(std::string(std::string_view(*block.buffer).substr(0, static_cast<size_t>(block.size))));
  }
}

std::vector<std::string> BlocksOf(const std::string& path, int64_t block_bytes,
                                  Compression compression = Compression::kNone,
                                  WholeRecords whole = WholeLines) {
  BlockReader reader(OpenFileInput(path, compression), std::move(whole), "", block_bytes);
  return Blocks(reader);
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += part;
  return all;
}

TEST(BlockReaderTest, CutsAtLineEnds) {
  TempDir dir;
  const std::string path = dir.Write("a", "one\ntwo\nthree\nfour\n");
  EXPECT_THAT(BlocksOf(path, 9), testing::ElementsAre("one\ntwo\n", "three\n", "four\n"));
  EXPECT_THAT(BlocksOf(path, 1 << 20), testing::ElementsAre("one\ntwo\nthree\nfour\n"));
}

TEST(BlockReaderTest, KeepsALastLineWithoutNewlineAndCrLf) {
  TempDir dir;
  EXPECT_THAT(BlocksOf(dir.Write("a", "one\r\ntwo"), 1 << 20), testing::ElementsAre("one\r\ntwo"));
  EXPECT_THAT(BlocksOf(dir.Write("b", "one\r\ntwo"), 5), testing::ElementsAre("one\r\n", "two"));
  EXPECT_THAT(BlocksOf(dir.Write("c", ""), 5), testing::IsEmpty());
  EXPECT_THAT(BlocksOf(dir.Write("d", "\n\n"), 1), testing::ElementsAre("\n", "\n"));
}

TEST(BlockReaderTest, GrowsForALongRecord) {
  TempDir dir;
  const std::string text = "a\n" + std::string(1000, 'x') + "\nb\n";
  const auto blocks = BlocksOf(dir.Write("a", text), 4);
  EXPECT_EQ(Joined(blocks), text);
  for (const auto& block : blocks) EXPECT_EQ(block.back(), '\n');
}

TEST(BlockReaderTest, EveryBlockBeginsWithTheHeader) {
  TempDir dir;
  const std::string path = dir.Write("a", "h\n1\n2\n3");
  BlockReader reader(OpenFileInput(path, Compression::kNone), WholeLines, "h\n", 4);
  const RecordBlock first = reader.Next();
  EXPECT_EQ(reader.position(), first.size);
  EXPECT_EQ(std::string_view(*first.buffer).substr(0, 4), "h\n1\n");
  BlockReader again(OpenFileInput(path, Compression::kNone), WholeLines, "h\n", 3);
  again.SkipTo(4);
  EXPECT_THAT(Blocks(again), testing::ElementsAre("h\n2\n", "h\n3"));
  BlockReader only_header(OpenFileInput(dir.Write("b", "h\n"), Compression::kNone), WholeLines, "h\n");
  EXPECT_THAT(Blocks(only_header), testing::ElementsAre("h\n"));
}

TEST(BlockReaderTest, OneRecordPerFile) {
  TempDir dir;
  EXPECT_THAT(BlocksOf(dir.Write("a", "{\n}\n"), 2, Compression::kNone, WholeFile),
              testing::ElementsAre("{\n}\n"));
}

TEST(BlockReaderTest, GoesOnFromAnyBlockPosition) {
  TempDir dir;
  std::string text;
  for (int i = 0; i < 200; ++i) text += "line " + std::to_string(i) + "\n";
  for (const Compression compression : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    std::string bytes = text;
    if (compression != Compression::kNone) {  // two members: as written by concatenation
      bytes.clear();
      const auto codec = MakeCodec(compression);
      for (const std::string& half : {text.substr(0, 700), text.substr(700)}) {
        std::string member(1 << 16, '\0');
        const auto size = OrThrow(
            codec->Compress(static_cast<int64_t>(half.size()), reinterpret_cast<const uint8_t*>(half.data()),
                            static_cast<int64_t>(member.size()), reinterpret_cast<uint8_t*>(member.data())));
        bytes += member.substr(0, static_cast<size_t>(size));
      }
    }
    const std::string path = dir.Write("a", bytes);
    BlockReader reader(OpenFileInput(path, compression), WholeLines, "", 300);
    std::string before;
    for (int i = 0; i < 3; ++i) {
      const RecordBlock block = reader.Next();
      before += std::string_view(*block.buffer).substr(0, static_cast<size_t>(block.size));
    }
    EXPECT_EQ(reader.position(), static_cast<int64_t>(before.size()));
    BlockReader again(OpenFileInput(path, compression), WholeLines, "", 77);
    again.SkipTo(reader.position());
    EXPECT_EQ(before + Joined(Blocks(again)), text);
  }
}

TEST(BlockReaderTest, ErrorsNameTheFile) {
  TempDir dir;
  EXPECT_THAT([&] { OpenFileInput(dir / "missing", Compression::kNone); },
              testing::ThrowsMessage<ExternalError>(
                  testing::AllOf(testing::HasSubstr("missing"), testing::HasSubstr("No such file"))));
  EXPECT_THAT([&] { OpenFileInput(dir / "missing.gz", Compression::kGzip); },
              testing::ThrowsMessage<ExternalError>(testing::HasSubstr("missing.gz")));
  const std::string path = dir.Write("short", "ab\n");
  BlockReader reader(OpenFileInput(path, Compression::kNone), WholeLines);
  EXPECT_THAT([&] { reader.SkipTo(10); },
              testing::ThrowsMessage<ExternalError>(testing::HasSubstr("is shorter")));
  EXPECT_THROW(BlocksOf(dir.Write("bad.gz", "not gzip at all"), 100, Compression::kGzip), std::exception);
}

TEST(CompressionTest, BySuffixUnlessTold) {
  EXPECT_EQ(CompressionOf("a.json.gz", ""), Compression::kGzip);
  EXPECT_EQ(CompressionOf("a.ZST", ""), Compression::kZstd);
  EXPECT_EQ(CompressionOf("a.gz", "none"), Compression::kNone);
  EXPECT_EQ(CompressionOf("a", "zstd"), Compression::kZstd);
}

}  // namespace
}  // namespace laminar

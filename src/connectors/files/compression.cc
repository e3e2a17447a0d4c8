#include "connectors/files/compression.h"

#include <arrow/util/compression.h>

#include "base/arrow_result.h"
#include "types/type.h"

namespace laminar {

namespace {

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && EqualsIgnoreCase(text.substr(text.size() - end.size()), end);
}

}  // namespace

Compression CompressionOf(std::string_view path, std::string_view option) {
  if (EqualsIgnoreCase(option, "gzip") || EqualsIgnoreCase(option, "gz")) return Compression::kGzip;
  if (EqualsIgnoreCase(option, "zstd") || EqualsIgnoreCase(option, "zst")) return Compression::kZstd;
  if (!option.empty()) return Compression::kNone;
  if (EndsWith(path, ".gz")) return Compression::kGzip;
  if (EndsWith(path, ".zst") || EndsWith(path, ".zstd")) return Compression::kZstd;
  return Compression::kNone;
}

std::string_view CompressionSuffix(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "";
    case Compression::kGzip:
      return ".gz";
    case Compression::kZstd:
      return ".zst";
  }
  return "";
}

std::unique_ptr<arrow::util::Codec> MakeCodec(Compression compression) {
  LAMINAR_CHECK(compression != Compression::kNone, "no codec for uncompressed files");
  const auto type = compression == Compression::kGzip ? arrow::Compression::GZIP : arrow::Compression::ZSTD;
  return OrThrow(arrow::util::Codec::Create(type), "compression");
}

}  // namespace laminar

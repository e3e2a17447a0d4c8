#pragma once

/// Whole-file compression of record files, by option or by suffix.

#include <arrow/util/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>

namespace laminar {

enum class Compression { kNone, kGzip, kZstd };

/// `option` is `gzip`, `zstd`, `none`, or empty: by the suffix `.gz` or `.zst` of `path`.
Compression CompressionOf(std::string_view path, std::string_view option);
/// ".gz", ".zst" or "".
std::string_view CompressionSuffix(Compression compression);
/// Not for kNone.
std::unique_ptr<arrow::util::Codec> MakeCodec(Compression compression);

}  // namespace laminar

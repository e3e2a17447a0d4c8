#include "types/row_codec.h"

#include <arrow/array.h>

#include <cstring>

#include "types/column_maker.h"

namespace laminar {

// A row: null bits [ceil(columns / 8)], then per column its fixed-width value or, for variable-length ones,
// the uint32 end of its bytes counted from the row's begin; then these bytes in column order.

struct RowCodec::Impl {
  enum class Kind { kFixed, kBits, kText, kNested, kNull };
  struct Column {
    std::shared_ptr<arrow::DataType> type;
    Kind kind;
    int width;         // in the fixed section
    int64_t position;  // of the value, or of its end
    int previous;      // variable-length column before this one; −1: none
  };
  std::vector<Column> columns;
  int64_t null_bytes = 0;
  int64_t fixed_bytes = 0;  // null bits and fixed section

  std::string_view VariableCell(const char* row, const Column& column) const {
    const uint32_t begin =
        column.previous < 0 ? static_cast<uint32_t>(fixed_bytes) : End(row, columns[column.previous]);
    const uint32_t end = End(row, column);
    return {row + begin, end - begin};
  }
  static uint32_t End(const char* row, const Column& column) {
    uint32_t end;
    std::memcpy(&end, row + column.position, sizeof end);
    return end;
  }
};

RowCodec::RowCodec(std::vector<std::shared_ptr<arrow::DataType>> types) : impl_(std::make_unique<Impl>()) {
  using Kind = Impl::Kind;
  impl_->null_bytes = (static_cast<int64_t>(types.size()) + 7) / 8;
  impl_->fixed_bytes = impl_->null_bytes;
  int previous = -1;
  for (auto& type : types) {
    const int width = FixedWidth(*type);
    const bool text = type->id() == arrow::Type::STRING || type->id() == arrow::Type::BINARY;
    const Kind kind = type->id() == arrow::Type::NA     ? Kind::kNull
                      : type->id() == arrow::Type::BOOL ? Kind::kBits
                      : width >= 0                      ? Kind::kFixed
                      : text                            ? Kind::kText
                                                        : Kind::kNested;
    Impl::Column column{std::move(type), kind, width >= 0 ? width : 4, impl_->fixed_bytes, previous};
    impl_->fixed_bytes += column.width;
    if (width < 0) previous = static_cast<int>(impl_->columns.size());
    impl_->columns.push_back(std::move(column));
  }
}

RowCodec::~RowCodec() = default;
RowCodec::RowCodec(RowCodec&&) noexcept = default;
int RowCodec::num_columns() const { return static_cast<int>(impl_->columns.size()); }

namespace {

template <int kWidth, typename Row>
void PutColumn(const uint8_t* values, const Row& row, int64_t count, const int64_t* begins, char* out) {
  for (int64_t i = 0; i < count; ++i) std::memcpy(out + begins[i], values + row(i) * kWidth, kWidth);
}

/// Writes fixed-width values at out + begins[i]. What lies under a NULL is overwritten by zeros later.
template <typename Row>
void PutFixedColumn(const arrow::Array& array, int width, const Row& row, int64_t count,
                    const int64_t* begins, char* out) {
  const arrow::ArrayData& data = *array.data();
  if (width == 0 || count == 0) return;
  const uint8_t* values = data.buffers[1]->data();
  if (array.type_id() == arrow::Type::BOOL) {
    for (int64_t i = 0; i < count; ++i) {
      out[begins[i]] = arrow::bit_util::GetBit(values, data.offset + row(i)) ? 1 : 0;
    }
    return;
  }
  values += data.offset * width;
  switch (width) {
    case 1:
      return PutColumn<1>(values, row, count, begins, out);
    case 2:
      return PutColumn<2>(values, row, count, begins, out);
    case 4:
      return PutColumn<4>(values, row, count, begins, out);
    case 8:
      return PutColumn<8>(values, row, count, begins, out);
    default:
      return PutColumn<16>(values, row, count, begins, out);
  }
}

}  // namespace

void RowCodec::Encode(const std::vector<std::shared_ptr<arrow::Array>>& columns, const int32_t* rows,
                      int64_t n, ByteStrings* out) const {
  LAMINAR_CHECK(columns.size() == impl_->columns.size(), "columns do not match the codec");
  if (n == 0) return;
  auto row = [rows](int64_t i) { return rows ? static_cast<int64_t>(rows[i]) : i; };
  const size_t first_offset = out->offsets.size();
  const int64_t start = static_cast<int64_t>(out->data.size());
  out->offsets.resize(first_offset + static_cast<size_t>(n), impl_->fixed_bytes);
  int64_t* ends = out->offsets.data() + first_offset;  // first each row's length, then its end

  std::vector<ByteStrings> nested(columns.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    const auto kind = impl_->columns[c].kind;
    if (kind == Impl::Kind::kText) {
      const auto& text = static_cast<const arrow::BinaryArray&>(*columns[c]);
      const bool nulls = text.null_count() > 0;
      for (int64_t i = 0; i < n; ++i) ends[i] += nulls && text.IsNull(row(i)) ? 0 : text.value_length(row(i));
    } else if (kind == Impl::Kind::kNested) {
      for (int64_t i = 0; i < n; ++i) {
        if (!columns[c]->IsNull(row(i))) AppendNested(*columns[c], row(i), false, &nested[c].data);
        nested[c].offsets.push_back(static_cast<int64_t>(nested[c].data.size()));
        ends[i] += nested[c].offsets[i + 1] - nested[c].offsets[i];
      }
    }
  }
  int64_t end = start;
  for (int64_t i = 0; i < n; ++i) {
    LAMINAR_CHECK(ends[i] <= UINT32_MAX, "a row of more than 4 GiB");
    ends[i] = end += ends[i];
  }
  out->data.resize(static_cast<size_t>(end));  // zeros: null bits and NULLs' values need no writing

  char* data = out->data.data();
  std::vector<int64_t> begins(static_cast<size_t>(n));
  std::vector<uint32_t> cursors;  // next variable-length byte, from the row's begin
  for (size_t c = 0; c < columns.size(); ++c) {
    const Impl::Column& column = impl_->columns[c];
    const arrow::Array& array = *columns[c];
    for (int64_t i = 0; i < n; ++i) begins[i] = ends[i - 1] + column.position;
    if (column.kind == Impl::Kind::kFixed || column.kind == Impl::Kind::kBits) {
      PutFixedColumn(array, column.width, row, n, begins.data(), data);
    } else if (column.kind != Impl::Kind::kNull) {
      if (cursors.empty()) cursors.assign(static_cast<size_t>(n), static_cast<uint32_t>(impl_->fixed_bytes));
      for (int64_t i = 0; i < n; ++i) {
        std::string_view bytes;
        if (column.kind == Impl::Kind::kNested) {
          bytes = nested[c][i];
        } else if (!array.IsNull(row(i))) {
          bytes = static_cast<const arrow::BinaryArray&>(array).GetView(row(i));
        }
        if (!bytes.empty()) std::memcpy(data + ends[i - 1] + cursors[i], bytes.data(), bytes.size());
        cursors[i] += static_cast<uint32_t>(bytes.size());
        std::memcpy(data + begins[i], &cursors[i], sizeof cursors[i]);
      }
    }
    if (array.null_count() == 0) continue;
    const bool fixed = column.kind == Impl::Kind::kFixed || column.kind == Impl::Kind::kBits;
    for (int64_t i = 0; i < n; ++i) {
      if (!array.IsNull(row(i))) continue;
      data[ends[i - 1] + static_cast<int64_t>(c / 8)] |= static_cast<char>(1u << (c % 8));
      if (fixed) std::memset(data + begins[i], 0, static_cast<size_t>(column.width));
    }
  }
}

std::vector<std::shared_ptr<arrow::Array>> RowCodec::Decode(const std::vector<std::string_view>& rows) const {
  std::vector<int> all;
  for (int i = 0; i < num_columns(); ++i) all.push_back(i);
  return DecodeColumns(rows, all);
}

std::vector<std::shared_ptr<arrow::Array>> RowCodec::DecodeColumns(const std::vector<std::string_view>& rows,
                                                                   const std::vector<int>& columns) const {
  const int64_t n = static_cast<int64_t>(rows.size());
  std::vector<std::shared_ptr<arrow::Array>> out;
  out.reserve(columns.size());
  for (const int c : columns) {
    const Impl::Column& column = impl_->columns[c];
    auto is_null = [&](int64_t i) {
      return rows[i].data() == nullptr || (static_cast<uint8_t>(rows[i][c / 8]) >> (c % 8) & 1);
    };
    auto cell = [&](int64_t i) -> std::string_view {
      return is_null(i) ? std::string_view() : impl_->VariableCell(rows[i].data(), column);
    };
    if (column.kind == Impl::Kind::kText) {
      out.push_back(MakeBytesColumn(column.type, n, cell));
    } else if (column.kind == Impl::Kind::kNested) {
      out.push_back(MakeNestedColumn(column.type, n, cell));
    } else {
      out.push_back(MakeFixedColumn(column.type, n, [&](int64_t i) -> const char* {
        return is_null(i) ? nullptr : rows[i].data() + column.position;
      }));
    }
  }
  return out;
}

}  // namespace laminar

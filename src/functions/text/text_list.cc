#include "functions/text/text_list.h"

#include "functions/json/json_scanner.h"
#include "types/type.h"

namespace laminar {
namespace {

std::shared_ptr<arrow::Buffer> Bits(const std::vector<bool>& values) {
  auto buffer = AllocateBits(static_cast<int64_t>(values.size()), false);
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i]) arrow::bit_util::SetBit(buffer->mutable_data(), static_cast<int64_t>(i));
  }
  return buffer;
}

}  // namespace

TextListWriter::TextListWriter(int64_t rows) {
  list_offsets_.reserve(static_cast<size_t>(rows) + 1);
  list_offsets_.push_back(0);
  text_offsets_.reserve(static_cast<size_t>(rows) + 1);
  text_offsets_.push_back(0);
  valid_rows_.reserve(static_cast<size_t>(rows));
}

void TextListWriter::Add(std::string_view element) {
  text_.append(element);
  text_offsets_.push_back(static_cast<int32_t>(text_.size()));
  valid_elements_.push_back(true);
}

void TextListWriter::AddCompactJson(std::string_view raw) {
  TextWriter compact(1, static_cast<int64_t>(raw.size()));
  AppendCompactJson(raw, compact);
  Add(compact.row());
}

void TextListWriter::AddNull() {
  text_offsets_.push_back(static_cast<int32_t>(text_.size()));
  valid_elements_.push_back(false);
  has_null_element_ = true;
}

void TextListWriter::EndRow() {
  list_offsets_.push_back(static_cast<int32_t>(valid_elements_.size()));
  valid_rows_.push_back(true);
}

void TextListWriter::EndNullRow() {
  list_offsets_.push_back(static_cast<int32_t>(valid_elements_.size()));
  valid_rows_.push_back(false);
  has_null_row_ = true;
}

arrow::Result<arrow::Datum> TextListWriter::Finish(const CallShape& shape) {
  if (text_.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return arrow::Status::Invalid("a text list result of one batch is ", text_.size(),
                                  " bytes: more than 2 GiB");
  }
  const auto elements = static_cast<int64_t>(valid_elements_.size());
  auto texts = arrow::ArrayData::Make(
      arrow::utf8(), elements,
      {has_null_element_ ? Bits(valid_elements_) : nullptr,
       arrow::Buffer::FromVector(std::move(text_offsets_)), arrow::Buffer::FromString(std::move(text_))});
  auto lists = arrow::ArrayData::Make(
      Type::Array(Type::Text()).arrow_type(), static_cast<int64_t>(valid_rows_.size()),
      {has_null_row_ ? Bits(valid_rows_) : nullptr, arrow::Buffer::FromVector(std::move(list_offsets_))},
      {texts});
  return FinishArray(shape, arrow::MakeArray(lists));
}

}  // namespace laminar

/// JSON → anything, and anything → JSON. A JSON null is NULL; numbers and booleans are also taken from
/// strings; an integer read as TIMESTAMP is seconds, ms, µs or ns by its size, as in the JSON format.

#include <arrow/builder.h>
#include <simdjson.h>

#include <utility>

#include "functions/cast_kernel.h"
#include "functions/interval_text.h"
#include "functions/json/json_scanner.h"
#include "functions/value_text.h"
#include "types/timestamp_text.h"

namespace laminar {

namespace {

using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;
namespace dom = simdjson::dom;

/// One parser for a batch; its buffers are used again.
class JsonDocument {
 public:
  /// Empty when the text is not one JSON value. The element lives until the next call.
  std::optional<dom::element> Parse(std::string_view text) {
    dom::element root;
    if (parser_.parse(text.data(), text.size(), /*realloc_if_needed=*/true).get(root)) return std::nullopt;
    return root;
  }

 private:
  dom::parser parser_;
};

/// What a JSON scalar says, without quotes and escapes; nullopt for objects, arrays and null.
std::optional<std::string> ScalarTextOf(const dom::element& value) {
  if (value.is_string()) return std::string(std::string_view(value.get_string().value_unsafe()));
  if (value.is_object() || value.is_array() || value.is_null()) return std::nullopt;
  return simdjson::minify(value);
}

int64_t MicrosBySize(int64_t value) {
  const uint64_t size = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  if (size < 100'000'000'000) return value * 1'000'000;
  if (size < 100'000'000'000'000) return value * 1'000;
  if (size < 100'000'000'000'000'000) return value;
  return value / 1'000 - (value % 1'000 < 0);
}

/// The text that the TEXT cast of the target reads; nullopt where the JSON value cannot be it.
std::optional<std::string> ReadableText(const dom::element& value, const Type& to) {
  if (to.is_timestamp() && value.is_int64())
    return TimestampUsToText(MicrosBySize(value.get_int64().value_unsafe()));
  return ScalarTextOf(value);
}

/// Skips the parser for texts that are plainly one number or one string without escapes.
std::optional<std::string_view> SimpleScalar(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text[0] == '-' || (text[0] >= '0' && text[0] <= '9')) return text;
  if (text.size() < 2 || text[0] != '"' || text.back() != '"') return std::nullopt;
  const std::string_view inside = text.substr(1, text.size() - 2);
  if (inside.find_first_of("\\\"") != std::string_view::npos) return std::nullopt;
  return inside;
}

/// Each value as the text that it says, NULL for JSON null; then the cast from TEXT does the rest.
arrow::Result<arrow::Datum> ScalarTexts(const arrow::Datum& value, int64_t rows, bool try_cast,
                                        const Type& to) {
  const std::vector<arrow::Datum> args = {value};
  const EvalContext context;
  JsonDocument document;
  auto to_text = [&](std::string_view json, TextWriter& out, BatchError& error) {
    json = TrimSpace(json);
    if (!to.is_timestamp()) {
      if (auto simple = SimpleScalar(json)) {
        out.Append(*simple);
        return true;
      }
    }
    if (json == "null") return false;
    const auto root = document.Parse(json);
    auto text = root ? ReadableText(*root, to) : std::nullopt;
    if (text) {
      out.Append(*text);
      return true;
    }
    if (!try_cast) error.Fail([&] { return CannotCast("JSON " + ShownValue(json), to); });
    return false;
  };
  return MapText<std::string_view>({args, rows, context}, arrow::utf8(), to_text);
}

ValueCast JsonToScalar(const Type& to) {
  ValueCast from_text = FindCast(Type::Text(), to);
  if (!from_text) return {};
  return {
      [to, from_text](const arrow::Datum& value, int64_t rows, bool try_cast) -> arrow::Result<arrow::Datum> {
        ARROW_ASSIGN_OR_RAISE(auto texts, ScalarTexts(value, rows, try_cast, to));
        return from_text.run(texts, rows, try_cast);
      },
      true};
}

/// A string gives what it says, anything else its JSON text.
ValueCast JsonToText() {
  return {[](const arrow::Datum& value, int64_t rows, bool) {
            const std::vector<arrow::Datum> args = {value};
            const EvalContext context;
            JsonDocument document;
            return MapText<std::string_view>(
                {args, rows, context}, arrow::utf8(), [&](std::string_view json, TextWriter& out) {
                  json = TrimSpace(json);
                  if (json == "null") return false;
                  if (json.empty() || json[0] != '"') {
                    out.Append(json);
                  } else if (auto simple = SimpleScalar(json)) {
                    out.Append(*simple);
                  } else if (auto root = document.Parse(json); root && root->is_string()) {
                    out.Append(root->get_string().value_unsafe());
                  } else {
                    out.Append(json);
                  }
                  return true;
                });
          },
          false};
}

ValueCast TextToJson() {
  return {[](const arrow::Datum& value, int64_t rows, bool try_cast) {
            return MapCast<std::string_view>(value, rows, try_cast, Type::Json(),
                                             [&](std::string_view text) -> std::optional<std::string_view> {
                                               if (!IsValidJson(text))
                                                 return std::nullopt;  // numbers of any length
                                               return TrimSpace(text);
                                             });
          },
          true};
}

ValueCast AnyToJson(const Type& from) {
  return {[from](const arrow::Datum& value, int64_t rows, bool) -> arrow::Result<arrow::Datum> {
            const CallShape shape = ShapeOf({value}, rows);
            if (shape.all_null) return NullDatum(arrow::utf8());
            const RowText text = MakeRowText(ColumnView(value), from, TextForm::kJson);
            TextWriter writer(shape.rows, shape.rows * 32);
            for (int64_t row = 0; row < shape.rows; ++row) {
              if (shape.IsValid(row)) text(row, writer);
              writer.EndRow();
            }
            ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
            return FinishColumn(shape, arrow::utf8(), shape.valid, std::move(buffers));
          },
          false};
}

/// Builds nested values. Leaves go through the scalar cast from TEXT, gathered per leaf type in a child
/// reader.
class JsonReader {
 public:
  virtual ~JsonReader() = default;
  /// Appends one value; a failure is noted in the reader.
  virtual void Append(const dom::element& value) = 0;
  virtual void AppendNull() = 0;
  virtual arrow::Result<std::shared_ptr<arrow::Array>> Finish(bool try_cast) = 0;
};

std::unique_ptr<JsonReader> MakeReader(const Type& type);

/// Scalars: collected as text, cast at the end.
class ScalarReader final : public JsonReader {
 public:
  explicit ScalarReader(const Type& type)
      : type_(type),
        cast_(type.id() == TypeId::kText || type.id() == TypeId::kJson ? ValueCast{}
                                                                       : FindCast(Type::Text(), type)) {}
  void Append(const dom::element& value) override {
    if (value.is_null()) return AppendNull();
    std::optional<std::string> text = ReadableText(value, type_);
    if (type_.id() == TypeId::kJson || (!text && type_.id() == TypeId::kText)) text = simdjson::minify(value);
    if (!text) text = simdjson::minify(value);  // an object where a scalar is wanted: the cast refuses it
    if (!texts_.Append(*text).ok()) too_long_ = true;
  }
  void AppendNull() override { too_long_ = too_long_ || !texts_.AppendNull().ok(); }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(bool try_cast) override {
    if (too_long_) return arrow::Status::Invalid("JSON text of a batch is more than 2 GiB");
    ARROW_ASSIGN_OR_RAISE(auto texts, texts_.Finish());
    if (!cast_) return texts;
    ARROW_ASSIGN_OR_RAISE(arrow::Datum out, cast_.run(texts, texts->length(), try_cast));
    if (out.is_array()) return out.make_array();
    return arrow::MakeArrayFromScalar(*out.scalar(), texts->length());
  }

 private:
  Type type_;
  ValueCast cast_;
  arrow::StringBuilder texts_;
  bool too_long_ = false;
};

/// Offsets and validity, shared by the nested readers.
class NestedReader : public JsonReader {
 public:
  explicit NestedReader(const Type& type) : type_(type) {}
  void AppendNull() override {
    valid_.push_back(false);
    EndRow();
  }

 protected:
  virtual void EndRow() = 0;
  void Refuse(const dom::element& value) {
    if (error_.empty())
      error_ = CannotCast("JSON " + ShownValue(std::string_view(simdjson::minify(value))), type_);
    AppendNull();
  }
  arrow::Status status(bool try_cast) const {
    return try_cast || error_.empty() ? arrow::Status::OK() : arrow::Status::Invalid(error_);
  }
  std::shared_ptr<arrow::Buffer> ValidBits() const {
    auto bits = AllocateBits(static_cast<int64_t>(valid_.size()), false);
    for (size_t i = 0; i < valid_.size(); ++i) {
      if (valid_[i]) arrow::bit_util::SetBit(bits->mutable_data(), static_cast<int64_t>(i));
    }
    return bits;
  }
  std::shared_ptr<arrow::ArrayData> Data(std::vector<std::shared_ptr<arrow::ArrayData>> children,
                                         const std::vector<int32_t>* offsets) const {
    std::vector<std::shared_ptr<arrow::Buffer>> buffers = {ValidBits()};
    if (offsets) buffers.push_back(arrow::Buffer::FromVector(*offsets));
    return arrow::ArrayData::Make(type_.arrow_type(), static_cast<int64_t>(valid_.size()), std::move(buffers),
                                  std::move(children));
  }

  Type type_;
  std::vector<bool> valid_;
  std::string error_;
};

class ArrayReader final : public NestedReader {
 public:
  explicit ArrayReader(const Type& type) : NestedReader(type), element_(MakeReader(type.element())) {}
  void Append(const dom::element& value) override {
    if (value.is_null()) return AppendNull();
    if (!value.is_array()) return Refuse(value);
    const dom::array items = value.get_array().value_unsafe();
    for (const dom::element item : items) {
      item.is_null() ? element_->AppendNull() : element_->Append(item);
      ++elements_;
    }
    valid_.push_back(true);
    EndRow();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(bool try_cast) override {
    ARROW_RETURN_NOT_OK(status(try_cast));
    ARROW_ASSIGN_OR_RAISE(auto elements, element_->Finish(try_cast));
    return arrow::MakeArray(Data({elements->data()}, &offsets_));
  }

 private:
  void EndRow() override { offsets_.push_back(elements_); }
  std::unique_ptr<JsonReader> element_;
  std::vector<int32_t> offsets_{0};
  int32_t elements_ = 0;
};

class MapReader final : public NestedReader {
 public:
  explicit MapReader(const Type& type)
      : NestedReader(type),
        key_cast_(type.key() == Type::Text() ? ValueCast{} : FindCast(Type::Text(), type.key())),
        value_(MakeReader(type.element())) {}
  void Append(const dom::element& value) override {
    if (value.is_null()) return AppendNull();
    if (!value.is_object()) return Refuse(value);
    const dom::object object = value.get_object().value_unsafe();
    for (const auto& [key, item] : object) {
      if (!keys_.Append(key).ok()) error_ = "keys of a batch are more than 2 GiB";
      item.is_null() ? value_->AppendNull() : value_->Append(item);
      ++entries_;
    }
    valid_.push_back(true);
    EndRow();
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(bool try_cast) override {
    ARROW_RETURN_NOT_OK(status(try_cast));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> keys, keys_.Finish());
    if (key_cast_) {
      ARROW_ASSIGN_OR_RAISE(arrow::Datum cast, key_cast_.run(keys, keys->length(), false));
      keys = cast.make_array();
    }
    ARROW_ASSIGN_OR_RAISE(auto values, value_->Finish(try_cast));
    const auto arrow_type = type_.arrow_type();
    const auto entry_type = static_cast<const arrow::MapType&>(*arrow_type).value_type();
    const arrow::StructArray entries(entry_type, keys->length(), {keys, values});
    return arrow::MakeArray(Data({entries.data()}, &offsets_));
  }

 private:
  void EndRow() override { offsets_.push_back(entries_); }
  ValueCast key_cast_;
  arrow::StringBuilder keys_;
  std::unique_ptr<JsonReader> value_;
  std::vector<int32_t> offsets_{0};
  int32_t entries_ = 0;
};

/// Fields by name, exactly first and then ignoring case; missing ones are NULL, others are left out.
class StructReader final : public NestedReader {
 public:
  explicit StructReader(const Type& type) : NestedReader(type) {
    for (const Field& field : type.fields()) fields_.push_back(MakeReader(field.type));
  }
  void Append(const dom::element& value) override {
    if (value.is_null()) return AppendNull();
    if (!value.is_object()) return Refuse(value);
    const dom::object object = value.get_object().value_unsafe();
    for (size_t i = 0; i < fields_.size(); ++i) {
      dom::element part;
      auto error = object.at_key(type_.fields()[i].name).get(part);
      if (error) error = object.at_key_case_insensitive(type_.fields()[i].name).get(part);
      error || part.is_null() ? fields_[i]->AppendNull() : fields_[i]->Append(part);
    }
    valid_.push_back(true);
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish(bool try_cast) override {
    ARROW_RETURN_NOT_OK(status(try_cast));
    std::vector<std::shared_ptr<arrow::ArrayData>> children;
    for (const auto& field : fields_) {
      ARROW_ASSIGN_OR_RAISE(auto part, field->Finish(try_cast));
      children.push_back(part->data());
    }
    return arrow::MakeArray(Data(std::move(children), nullptr));
  }

 private:
  void EndRow() override {
    for (const auto& field : fields_) field->AppendNull();
  }
  std::vector<std::unique_ptr<JsonReader>> fields_;
};

std::unique_ptr<JsonReader> MakeReader(const Type& type) {
  switch (type.id()) {
    case TypeId::kArray:
      return std::make_unique<ArrayReader>(type);
    case TypeId::kMap:
      return std::make_unique<MapReader>(type);
    case TypeId::kStruct:
      return std::make_unique<StructReader>(type);
    default:
      return std::make_unique<ScalarReader>(type);
  }
}

ValueCast JsonToNested(const Type& to) {
  return {[to](const arrow::Datum& value, int64_t rows, bool try_cast) -> arrow::Result<arrow::Datum> {
            const CallShape shape = ShapeOf({value}, rows);
            if (shape.all_null) return NullDatum(to.arrow_type());
            const ColumnReader<std::string_view> texts(value);
            JsonDocument document;
            const auto reader = MakeReader(to);
            for (int64_t row = 0; row < shape.rows; ++row) {
              const auto root = shape.IsValid(row) ? document.Parse(texts[row]) : std::nullopt;
              if (shape.IsValid(row) && !root && !try_cast) {
                return arrow::Status::Invalid(CannotCast("JSON " + ShownValue(texts[row]), to));
              }
              root ? reader->Append(*root) : reader->AppendNull();
            }
            ARROW_ASSIGN_OR_RAISE(auto array, reader->Finish(try_cast));
            return FinishArray(shape, array);
          },
          true};
}

}  // namespace

ValueCast FindJsonCast(const Type& from, const Type& to) {
  if (to.id() == TypeId::kJson) return from.id() == TypeId::kText ? TextToJson() : AnyToJson(from);
  if (from.id() != TypeId::kJson) return {};
  if (to.id() == TypeId::kText) return JsonToText();
  if (to.is_nested()) return JsonToNested(to);
  return JsonToScalar(to);
}

}  // namespace laminar

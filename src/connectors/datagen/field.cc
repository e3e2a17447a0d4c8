#include "connectors/datagen/field.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/util/bit_util.h>

#include <limits>

#include "base/arrow_result.h"
#include "connectors/generators/array_fill.h"
#include "connectors/nexmark/text.h"
#include "connectors/option_text.h"

namespace laminar {

namespace {

const std::vector<std::string> kProperties = {"kind", "min",       "max",    "length", "start",
                                              "end",  "null_rate", "values", "value"};

/// The `fields.<column>.*` of one column.
class FieldOptions {
 public:
  FieldOptions(const TableSpec& table, const std::string& column)
      : options_(table.options), start_("fields." + column + ".") {}

  std::string Text(const std::string& property) const { return options_.Text(start_ + property); }
  bool Has(const std::string& property) const { return options_.Has(start_ + property); }
  std::vector<std::string> List(const std::string& property) const {
    return options_.List(start_ + property);
  }

  int64_t Integer(const std::string& property, int64_t otherwise) const {
    if (!Has(property)) return otherwise;
    if (const auto value = ParseIntegerText(Text(property))) return *value;
    Fail(property, "is not a whole number");
  }
  double Double(const std::string& property, double otherwise) const {
    if (!Has(property)) return otherwise;
    if (const auto value = ParseDoubleText(Text(property))) return *value;
    Fail(property, "is not a number");
  }
  [[noreturn]] void Fail(const std::string& property, const std::string& problem) const {
    throw UserError(Reason::kBadOption, options_.span(start_ + property),
                    "option '" + start_ + property + "': '" + Text(property) + "' " + problem);
  }

 private:
  const Options& options_;
  const std::string start_;
};

class RandomBits {
 public:
  RandomBits(uint64_t seed, uint64_t stream) : seed_(MixBits(seed * 0x9E3779B97F4A7C15ULL + stream)) {}
  uint64_t At(int64_t number) const {
    return MixBits(seed_ + static_cast<uint64_t>(number) * 0x9E3779B97F4A7C15ULL);
  }
  uint64_t Below(int64_t number, uint64_t n) const {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(At(number)) * n) >> 64);
  }
  double Unit(int64_t number) const { return static_cast<double>(At(number) >> 11) * 0x1p-53; }

 private:
  uint64_t seed_;
};

struct Range {
  int64_t min;
  int64_t max;
};

Range RangeOf(const Type& type) {
  switch (type.id()) {
    case TypeId::kInt8:
      return {INT8_MIN, INT8_MAX};
    case TypeId::kInt16:
      return {INT16_MIN, INT16_MAX};
    case TypeId::kInt32:
      return {INT32_MIN, INT32_MAX};
    case TypeId::kUInt8:
      return {0, UINT8_MAX};
    case TypeId::kUInt16:
      return {0, UINT16_MAX};
    case TypeId::kUInt32:
      return {0, UINT32_MAX};
    case TypeId::kUInt64:
      return {0, INT64_MAX};
    default:
      return {INT64_MIN, INT64_MAX};
  }
}

/// What every field is made from.
struct Making {
  Type type;
  double null_rate = 0;
  uint64_t seed = 0;
  uint64_t stream = 0;
};

/// Makes values of a plain type and casts them to the column's; sets NULLs.
class Field : public DatagenField {
 public:
  explicit Field(const Making& making)
      : type_(making.type),
        null_rate_(making.null_rate),
        null_bits_(making.seed, making.stream * 2 + 1),
        bits_(making.seed, making.stream * 2) {}

  std::shared_ptr<arrow::Array> Make(const DatagenRows& rows) const final {
    std::shared_ptr<arrow::Array> made = Values(rows);
    const auto type = type_.arrow_type();
    if (!made->type()->Equals(*type)) made = OrThrow(arrow::compute::Cast(*made, type), "datagen");
    return null_rate_ > 0 ? WithNulls(*made, rows) : made;
  }

 protected:
  virtual std::shared_ptr<arrow::Array> Values(const DatagenRows& rows) const = 0;
  const Type type_;
  const double null_rate_;
  const RandomBits null_bits_;
  const RandomBits bits_;

 private:
  std::shared_ptr<arrow::Array> WithNulls(const arrow::Array& made, const DatagenRows& rows) const {
    std::shared_ptr<arrow::Buffer> valid = OrThrow(arrow::AllocateEmptyBitmap(rows.rows), "datagen");
    for (int64_t row = 0; row < rows.rows; ++row) {
      arrow::bit_util::SetBitTo(valid->mutable_data(), row, null_bits_.Unit(rows.number(row)) >= null_rate_);
    }
    auto data = made.data()->Copy();
    data->buffers[0] = std::move(valid);
    data->null_count = arrow::kUnknownNullCount;
    return arrow::MakeArray(data);
  }
};

class IntegerField final : public Field {
 public:
  IntegerField(const Making& making, Range range) : Field(making), range_(range) {}
  std::shared_ptr<arrow::Array> Values(const DatagenRows& rows) const override {
    const uint64_t width =
        static_cast<uint64_t>(range_.max) - static_cast<uint64_t>(range_.min) + 1;  // 0: all 2^64
    return FillColumn<int64_t>(arrow::int64(), rows.rows, [&](int64_t row) {
      const uint64_t offset = width == 0 ? bits_.At(rows.number(row)) : bits_.Below(rows.number(row), width);
      return static_cast<int64_t>(static_cast<uint64_t>(range_.min) + offset);
    });
  }

 private:
  const Range range_;
};

class SequenceField final : public Field {
 public:
  SequenceField(const Making& making, int64_t start, std::optional<int64_t> end)
      : Field(making), start_(start), end_(end) {}
  std::optional<int64_t> row_count() const override {
    if (!end_) return std::nullopt;
    return *end_ < start_ ? 0 : *end_ - start_ + 1;
  }
  std::shared_ptr<arrow::Array> Values(const DatagenRows& rows) const override {
    return FillColumn<int64_t>(arrow::int64(), rows.rows,
                               [&](int64_t row) { return start_ + rows.number(row); });
  }

 private:
  const int64_t start_;
  const std::optional<int64_t> end_;
};

class DoubleField final : public Field {
 public:
  DoubleField(const Making& making, double min, double max) : Field(making), min_(min), max_(max) {}
  std::shared_ptr<arrow::Array> Values(const DatagenRows& rows) const override {
    return FillColumn<double>(arrow::float64(), rows.rows, [&](int64_t row) {
      return min_ + bits_.Unit(rows.number(row)) * (max_ - min_);
    });
  }

 private:
  const double min_;
  const double max_;
};

/// A DECIMAL: a random integer of hundredths (or of whole units) read at the column's scale.
class DecimalField final : public Field {
 public:
  DecimalField(const Making& making, double min, double max) : Field(making), min_(min), max_(max) {}
  std::shared_ptr<arrow::Array> Values(const DatagenRows& rows) const override {
    arrow::StringBuilder builder;
    for (int64_t row = 0; row < rows.rows; ++row) {
      char text[64];
      const double value = min_ + bits_.Unit(rows.number(row)) * (max_ - min_);
      std::snprintf(text, sizeof(text), "%.*f", type_.scale(), value);
      OrThrow(builder.Append(text), "datagen");
    }
    return OrThrow(builder.Finish(), "datagen");
  }

 private:
  const double min_;
  const double max_;
};

class TextField final : public Field {
 public:
  TextField(const Making& making, uint64_t length) : Field(making), length_(length) {}
  std::shared_ptr<arrow::Array> Values(const DatagenRows& rows) const override {
    arrow::StringBuilder builder;
    OrThrow(builder.ReserveData(rows.rows * static_cast<int64_t>(length_)), "datagen");
    for (int64_t row = 0; row < rows.rows; ++row) {
      OrThrow(builder.Append(NexmarkText::Get().Letters(bits_.At(rows.number(row)), length_)), "datagen");
    }
    return OrThrow(builder.Finish(), "datagen");
  }

 private:
  const uint64_t length_;
};

class BooleanField final : public Field {
 public:
  using Field::Field;
  std::shared_ptr<arrow::Array> Values(const DatagenRows& rows) const override {
    return FillColumn<uint8_t>(arrow::uint8(), rows.rows, [&](int64_t row) {
      return static_cast<uint8_t>(bits_.At(rows.number(row)) & 1);
    });
  }
};

class TimeField final : public Field {
 public:
  using Field::Field;
  std::shared_ptr<arrow::Array> Values(const DatagenRows& rows) const override {
    return FillTimestamps(rows.rows, [&](int64_t row) { return rows.TimeUs(row); });
  }
};

/// One of a list of given values, at random or in turn.
class ChoiceField final : public Field {
 public:
  ChoiceField(const Making& making, std::shared_ptr<arrow::Array> values, bool in_turn)
      : Field(making), values_(std::move(values)), in_turn_(in_turn) {}
  std::shared_ptr<arrow::Array> Values(const DatagenRows& rows) const override {
    const auto n = static_cast<uint64_t>(values_->length());
    const auto indices = FillColumn<int32_t>(arrow::int32(), rows.rows, [&](int64_t row) {
      const int64_t number = rows.number(row);
      return static_cast<int32_t>(in_turn_ ? static_cast<uint64_t>(number) % n : bits_.Below(number, n));
    });
    return OrThrow(arrow::compute::Take(*values_, *indices), "datagen");
  }

 private:
  const std::shared_ptr<arrow::Array> values_;
  const bool in_turn_;
};

std::shared_ptr<arrow::Array> ParsedValues(const std::vector<std::string>& texts, const Type& type,
                                           const FieldOptions& options, const std::string& property) {
  arrow::StringBuilder builder;
  for (const std::string& text : texts) OrThrow(builder.Append(text), "datagen");
  const auto array = OrThrow(builder.Finish(), "datagen");
  const auto parsed = arrow::compute::Cast(*array, type.arrow_type());
  if (!parsed.ok() || texts.empty()) options.Fail(property, "cannot be read as " + type.ToString());
  return *parsed;
}

double NullRate(const FieldOptions& options) {
  const double rate = options.Double("null_rate", 0);
  if (rate < 0 || rate > 1) options.Fail("null_rate", "is not between 0 and 1");
  return rate;
}

/// By name, so that the values of a column do not depend on which others are read.
uint64_t StreamOf(const std::string& name) {
  uint64_t stream = 0;
  for (const char c : name) stream = MixBits(stream * 31 + static_cast<unsigned char>(c));
  return stream;
}

std::string KindOf(const FieldOptions& options) {
  if (!options.Has("kind")) return options.Has("value") ? "constant" : "random";
  const std::string kind = options.Text("kind");
  if (kind != "random" && kind != "sequence" && kind != "constant") {
    options.Fail("kind", "is not one of random, sequence, constant");
  }
  return kind;
}

std::unique_ptr<DatagenField> MakeRandomInteger(const Making& making, const FieldOptions& options) {
  const Range all = RangeOf(making.type);
  const Range range = {options.Integer("min", std::max<int64_t>(all.min, 0)),
                       options.Integer("max", std::min<int64_t>(all.max, INT32_MAX))};
  if (range.min < all.min || range.max > all.max || range.min > range.max) {
    options.Fail(options.Has("max") ? "max" : "min", "leaves no value of " + making.type.ToString());
  }
  return std::make_unique<IntegerField>(making, range);
}

std::unique_ptr<DatagenField> MakeRandomText(const Making& making, const FieldOptions& options) {
  const int64_t length = options.Integer("length", 16);
  if (length < 0 || length > static_cast<int64_t>(NexmarkText::kTextBytesMax)) {
    options.Fail("length", "is not between 0 and " + std::to_string(NexmarkText::kTextBytesMax));
  }
  return std::make_unique<TextField>(making, static_cast<uint64_t>(length));
}

/// Null pointer for types that have no random values.
std::unique_ptr<DatagenField> MakeRandomField(const Making& making, const FieldOptions& options) {
  if (making.type.is_integer()) return MakeRandomInteger(making, options);
  const double min = options.Double("min", 0);
  const double max = options.Double("max", 1);
  switch (making.type.id()) {
    case TypeId::kFloat:
    case TypeId::kDouble:
      return std::make_unique<DoubleField>(making, min, max);
    case TypeId::kDecimal:
      return std::make_unique<DecimalField>(making, min, max);
    case TypeId::kBoolean:
      return std::make_unique<BooleanField>(making);
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
    case TypeId::kDate:
      return std::make_unique<TimeField>(making);
    case TypeId::kText:
    case TypeId::kBytes:
      return MakeRandomText(making, options);
    default:
      return nullptr;
  }
}

void CheckColumn(const std::string& column, const std::vector<std::string>& columns,
                 const std::string& option, SourceSpan span) {
  for (const std::string& known : columns) {
    if (FoldOptionName(known) == FoldOptionName(column)) return;
  }
  UserError error(Reason::kUnknownOption, span,
                  "option '" + option + "': the table has no column '" + column + "'");
  const std::string near = NearestName(column, columns);
  if (!near.empty()) error.Hint("did you mean '" + near + "'?");
  throw error;
}

}  // namespace

std::unique_ptr<DatagenField> MakeDatagenField(const TableSpec& table, int column, uint64_t seed) {
  const laminar::Field& declared = table.columns.fields[static_cast<size_t>(column)];
  const Type& type = declared.type;
  const FieldOptions options(table, declared.name);
  const Making making = {type, NullRate(options), seed, StreamOf(declared.name)};
  const std::string kind = KindOf(options);
  if (kind == "constant" && !options.Has("values")) {
    if (!options.Has("value")) {
      throw UserError(Reason::kMissingOption, table.options.span("fields." + declared.name + ".kind"),
                      "a constant needs 'fields." + declared.name + ".value'");
    }
    return std::make_unique<ChoiceField>(making,
                                         ParsedValues({options.Text("value")}, type, options, "value"), true);
  }
  if (options.Has("values")) {
    return std::make_unique<ChoiceField>(
        making, ParsedValues(options.List("values"), type, options, "values"), kind == "sequence");
  }
  if (kind == "sequence") {
    if (!type.is_numeric() && type.id() != TypeId::kText) {
      options.Fail("kind", "does not fit " + type.ToString());
    }
    const auto end = options.Has("end") ? std::optional<int64_t>(options.Integer("end", 0)) : std::nullopt;
    return std::make_unique<SequenceField>(making, options.Integer("start", 0), end);
  }
  if (auto field = MakeRandomField(making, options)) return field;
  throw UserError(
      Reason::kUnsupported, {},
      "datagen cannot make column '" + declared.name + "' of type " + type.ToString() + " at random")
      .Hint("give 'fields." + declared.name + ".values'");
}

void CheckDatagenOptions(const TableSpec& table) {
  std::vector<std::string> columns;
  for (const laminar::Field& field : table.columns.fields) columns.push_back(field.name);
  for (const auto& [name, value] : table.options.values) {
    if (name.compare(0, 7, "fields.") != 0) continue;
    const size_t dot = name.rfind('.');
    const std::string property = name.substr(dot + 1);
    const std::string column = dot > 7 ? name.substr(7, dot - 7) : "";
    const bool known = std::find(kProperties.begin(), kProperties.end(), property) != kProperties.end();
    if (known && !column.empty()) {
      CheckColumn(column, columns, name, value.span);
      continue;
    }
    UserError error(Reason::kUnknownOption, value.span, "datagen has no option '" + name + "'");
    const std::string near = NearestName(property, kProperties);
    if (!near.empty()) error.Hint("did you mean '" + name.substr(0, dot + 1) + near + "'?");
    throw error;
  }
}

}  // namespace laminar

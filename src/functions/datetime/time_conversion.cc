/// TO_TIMESTAMP and its relatives, TO_DATE, TO_UNIXTIME.

#include <cmath>
#include <utility>

#include "base/error.h"
#include "functions/cast_kernel.h"
#include "functions/datetime/moment_conversion.h"
#include "functions/datetime/register_datetime.h"
#include "functions/datetime/time_unit.h"
#include "functions/elementwise.h"
#include "functions/overload.h"

namespace laminar {

namespace {

bool IsText(const Type& type) { return type.id() == TypeId::kText || type.id() == TypeId::kJson; }

/// The text read by the first of the formats that fits; without formats as a CAST does.
std::optional<MomentParts> ParseByFormats(std::string_view text,
                                          const std::vector<const TimePattern*>& patterns) {
  for (const TimePattern* pattern : patterns) {
    if (auto moment = pattern->Parse(TrimSpace(text))) return moment;
  }
  return std::nullopt;
}

/// (text, format…) → MomentParts → `convert` → the memory form of `result`.
template <typename Convert>
ScalarKernel ParseKernel(const Type& result, bool or_null, Convert convert) {
  return [=, arrow_type = result.arrow_type()](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    std::vector<ColumnReader<std::string_view>> formats;
    for (size_t i = 1; i < call.args.size(); ++i) formats.emplace_back(call.args[i]);
    std::vector<TimePatternCache> caches(formats.size());
    // Rows are counted so that formats may come from columns; NULL rows are not seen by the lambda.
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(arrow_type);
    const ColumnReader<std::string_view> texts(call.args[0]);
    using Memory = typename std::decay_t<decltype(convert(MomentParts{}))>::value_type;
    elementwise::ValueWriter<Memory> writer(shape.rows);
    ValidityWriter validity(shape);
    BatchError error;
    std::vector<const TimePattern*> patterns(formats.size());
    for (int64_t row = 0; row < shape.rows; ++row) {
      writer.Skip(row);
      if (!shape.IsValid(row)) continue;
      std::string reason;
      for (size_t i = 0; i < formats.size(); ++i) {
        patterns[i] = caches[i].Get(formats[i][row], &reason);
        if (!patterns[i])
          return arrow::Status::Invalid("'", formats[i][row], "' is not a time format: ", reason);
      }
      const auto moment = ParseByFormats(texts[row], patterns);
      const auto value = moment ? convert(*moment) : std::nullopt;
      if (value) {
        writer.Set(row, *value);
      } else if (or_null) {
        validity.SetNull(row);
      } else {
        error.Fail([&] {
          return ShownValue(texts[row]) + " does not match the format '" + std::string(formats[0][row]) +
                 "'" + (formats.size() > 1 ? " nor any other given" : "");
        });
      }
    }
    if (error.failed()) return error.status();
    ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
    return FinishColumn(shape, arrow_type, validity.Finish(), std::move(buffers));
  };
}

std::optional<int32_t> DaysOfParts(const MomentParts& moment) {
  const int64_t days = FloorDivide(moment.seconds, 86'400);
  return std::in_range<int32_t>(days) ? std::optional(static_cast<int32_t>(days)) : std::nullopt;
}

std::optional<int64_t> SecondsOfParts(const MomentParts& moment) { return moment.seconds; }

/// (text, format, …) with at least one format.
template <typename Convert>
std::optional<BoundScalar> BindParse(const BindArguments& arguments, const Type& result, bool or_null,
                                     Convert convert) {
  if (arguments.size() < 2) return std::nullopt;
  const std::vector<Type> parameters(arguments.size(), Type::Text());
  if (!Accepts(parameters, arguments.types)) return std::nullopt;
  for (size_t i = 1; i < arguments.size(); ++i) {
    const auto format = ConstantText(arguments, i);
    std::string error;
    if (format && !TimePattern::Compile(*format, &error)) {
      throw UserError(Reason::kTypeError, {}, "'" + *format + "' is not a time format: " + error);
    }
  }
  return BoundScalar{parameters, result, ParseKernel(result, or_null, convert), !or_null};
}

/// A cast as a function of one argument. `or_null`: TRY_CAST.
std::optional<BoundScalar> BindAsCast(const Type& from, const Type& to, bool or_null = false) {
  if (from == to)
    return BoundScalar{
        {from}, to, [](const ScalarCall& call) -> arrow::Result<arrow::Datum> { return call.args[0]; }};
  const ValueCast cast = FindCast(from, to);
  if (!cast) return std::nullopt;
  return BoundScalar{
      {from},
      to,
      [cast, or_null](const ScalarCall& call) { return cast.run(call.args[0], call.num_rows, or_null); },
      cast.can_fail && !or_null};
}

/// A number of units since 1970 as TIMESTAMP. Fractions of a DOUBLE count.
BoundScalar FromNumber(const Type& given, int64_t micros_per_unit) {
  if (given.is_integer() || given.is_null()) {
    return {{Type::Int64()},
            Type::Timestamp(),
            [micros_per_unit](const ScalarCall& call) {
              return Map<int64_t>(
                  call, Type::Timestamp().arrow_type(), [&](int64_t count, BatchError& error) {
                    const auto micros = CheckedMultiply(count, micros_per_unit);
                    if (!micros)
                      error.Fail([&] { return std::to_string(count) + " is out of range of TIMESTAMP"; });
                    return micros.value_or(0);
                  });
            },
            true};
  }
  return {{Type::Double()},
          Type::Timestamp(),
          [micros_per_unit](const ScalarCall& call) {
            return Map<double>(
                call, Type::Timestamp().arrow_type(), [&](double count, BatchError& error) -> int64_t {
                  const double micros = std::floor(count * static_cast<double>(micros_per_unit) + 0.5);
                  if (!(std::fabs(micros) < 9.2e18)) {
                    error.Fail([&] { return ShownValue(count) + " is out of range of TIMESTAMP"; });
                    return 0;
                  }
                  return static_cast<int64_t>(micros);
                });
          },
          true};
}

/// TO_TIMESTAMP and TO_TIMESTAMP_<unit>: text, moments, or a count of units.
ScalarBinder ToTimestamp(int64_t micros_per_unit, bool or_null) {
  return [=](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() >= 2) return BindParse(arguments, Type::Timestamp(), or_null, MicrosOfParts);
    if (arguments.size() != 1) return std::nullopt;
    const Type& type = arguments.types[0];
    if (IsText(type)) return BindAsCast(type, Type::Timestamp(), or_null);
    if (type.is_numeric() || type.is_null()) return FromNumber(type, micros_per_unit);
    return MomentType(type) ? BindAsCast(type, Type::Timestamp()) : std::nullopt;
  };
}

std::optional<BoundScalar> BindToTimestampNanos(const BindArguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  const Type& type = arguments.types[0];
  const bool takes = IsText(type) || type.is_integer() || type.is_null() || MomentType(type);
  return takes ? BindAsCast(type.is_null() ? Type::Int64() : type, Type::Timestamp(9)) : std::nullopt;
}

/// (n, precision): seconds for 0, milliseconds for 3, and so on, as TIMESTAMPTZ.
std::optional<BoundScalar> BindToTimestampLtz(const BindArguments& arguments) {
  if (arguments.size() == 0 || arguments.size() > 2 || !ImplicitlyCastable(arguments.types[0], Type::Int64()))
    return std::nullopt;
  int64_t precision = 3;
  if (arguments.size() == 2) {
    const auto given = ConstantInteger(arguments, 1);
    if (!given) return std::nullopt;
    precision = *given;
  }
  if (precision != 0 && precision != 3 && precision != 6) {
    throw UserError(Reason::kTypeError, {},
                    "the precision of to_timestamp_ltz is 0 (seconds), 3 (ms) or 6 (µs), not " +
                        std::to_string(precision));
  }
  BoundScalar bound = FromNumber(Type::Int64(), precision == 0 ? 1'000'000 : precision == 3 ? 1'000 : 1);
  bound.result = Type::TimestampTz();
  if (arguments.size() == 2) bound.parameters.push_back(Type::Int64());
  bound.kernel = [kernel = bound.kernel, as_tz = ReinterpretCast(Type::TimestampTz())](
                     const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const std::vector<arrow::Datum> args = {call.args[0]};
    ARROW_ASSIGN_OR_RAISE(arrow::Datum moment, kernel({args, call.num_rows, call.context}));
    return as_tz.run(moment, call.num_rows, false);
  };
  return bound;
}

/// TO_DATE: text, a moment, or days since 1970.
ScalarBinder ToDate(bool or_null) {
  return [or_null](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() >= 2) return BindParse(arguments, Type::Date(), or_null, DaysOfParts);
    if (arguments.size() != 1) return std::nullopt;
    const Type& type = arguments.types[0];
    if (type.is_integer()) {
      return BoundScalar{{Type::Int32()}, Type::Date(), [](const ScalarCall& call) {
                           return Map<int32_t>(call, arrow::date32(), [](int32_t days) { return days; });
                         }};
    }
    if (!IsText(type) && !MomentType(type)) return std::nullopt;
    return BindAsCast(type.is_null() ? Type::Timestamp() : type, Type::Date(), or_null);
  };
}

/// Whole seconds since 1970: of now, a moment, or a text.
std::optional<BoundScalar> BindToUnixTime(const BindArguments& arguments) {
  if (arguments.size() >= 2) return BindParse(arguments, Type::Int64(), false, SecondsOfParts);
  if (arguments.size() != 1) return std::nullopt;
  const Type& given = arguments.types[0];
  const bool text = IsText(given);
  if (!text && !MomentType(given)) return std::nullopt;
  Type type = text ? Type::Timestamp() : *MomentType(given);
  if (type.id() == TypeId::kDate) type = Type::Timestamp();
  const ValueCast cast = text ? FindCast(given, type) : ValueCast{};
  return BoundScalar{
      {text ? given : type},
      Type::Int64(),
      [cast, per_second = TicksPerSecond(type)](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
        arrow::Datum moments = call.args[0];
        if (cast) {
          ARROW_ASSIGN_OR_RAISE(moments, cast.run(moments, call.num_rows, false));
        }
        const std::vector<arrow::Datum> args = {moments};
        return Map<int64_t>({args, call.num_rows, call.context}, arrow::int64(),
                            [&](int64_t ticks) { return FloorDivide(ticks, per_second); });
      },
      text};
}

std::optional<BoundScalar> BindUnixTimeNow(const BindArguments& arguments) {
  if (arguments.size() != 0) return std::nullopt;
  return BoundScalar{{}, Type::Int64(), [](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
                       return arrow::Datum(FloorDivide(call.context.now_us, 1'000'000));
                     }};
}

}  // namespace

void RegisterTimeConversion(FunctionRegistry& registry) {
  auto add = [&](std::vector<std::string> names, const char* signature, const char* description,
                 const char* example, const char* result, std::vector<ScalarBinder> overloads,
                 Volatility volatility = Volatility::kImmutable) {
    registry.Add(ScalarFunction{std::move(names),
                                {"Date and time", signature, description, example, result},
                                volatility,
                                std::move(overloads)});
  };
  const char* kTexts =
      "Text (RFC 3339, or by the first format that fits), seconds since 1970, DATE or TIMESTAMP. Text that "
      "fits no "
      "format is an error.";
  add({"to_timestamp"}, "to_timestamp(x[, format, …]) → timestamp", kTexts,
      "to_timestamp('29.02.2024 10:20', 'dd.MM.yyyy HH:mm')", "\"2024-02-29T10:20:00\"",
      {ToTimestamp(1'000'000, false)});
  add({"try_to_timestamp"}, "try_to_timestamp(x[, format, …]) → timestamp",
      "to_timestamp, but NULL for text that does not fit.", "try_to_timestamp('soon', 'yyyy')", "null",
      {ToTimestamp(1'000'000, true)});
  add({"to_timestamp_seconds"}, "to_timestamp_seconds(x) → timestamp", "Seconds since 1970, or text.",
      "to_timestamp_seconds(1)", "\"1970-01-01T00:00:01\"", {ToTimestamp(1'000'000, false)});
  add({"to_timestamp_millis"}, "to_timestamp_millis(x) → timestamp", "Milliseconds since 1970, or text.",
      "to_timestamp_millis(1700000000123)", "\"2023-11-14T22:13:20.123\"", {ToTimestamp(1'000, false)});
  add({"to_timestamp_micros"}, "to_timestamp_micros(x) → timestamp", "Microseconds since 1970, or text.",
      "to_timestamp_micros(1)", "\"1970-01-01T00:00:00.000001\"", {ToTimestamp(1, false)});
  add({"to_timestamp_nanos"}, "to_timestamp_nanos(x) → timestamp(9)", "Nanoseconds since 1970, or text.",
      "to_timestamp_nanos(1)", "\"1970-01-01T00:00:00.000000001\"", {BindToTimestampNanos});
  add({"to_timestamp_ltz"}, "to_timestamp_ltz(n[, precision]) → timestamptz",
      "Seconds (precision 0), milliseconds (3, the default) or microseconds (6) since 1970.",
      "to_timestamp_ltz(1000, 3)", "\"1970-01-01T00:00:01Z\"", {BindToTimestampLtz});
  add({"to_date"}, "to_date(x[, format, …]) → date",
      "Text (by the first format that fits), a TIMESTAMP, or days since 1970.",
      "to_date('02/29/2024', '%m/%d/%Y')", "\"2024-02-29\"", {ToDate(false)});
  add({"try_to_date"}, "try_to_date(x[, format, …]) → date", "to_date, but NULL for text that does not fit.",
      "try_to_date('soon')", "null", {ToDate(true)});
  add({"to_unixtime"}, "to_unixtime(x[, format]) → bigint",
      "Whole seconds since 1970 of a DATE, TIMESTAMP or text.",
      "to_unixtime(TIMESTAMP '1970-01-02 00:00:00')", "86400", {BindToUnixTime});
  add({"unix_timestamp"}, "unix_timestamp([x[, format]]) → bigint",
      "to_unixtime; without an argument, of now.", "unix_timestamp(TIMESTAMP '1970-01-02 00:00:00')", "86400",
      {BindToUnixTime, BindUnixTimeNow}, Volatility::kStable);
}

}  // namespace laminar

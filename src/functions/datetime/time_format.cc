/// TO_CHAR, DATE_FORMAT, FROM_UNIXTIME with a format.

#include "base/error.h"
#include "functions/datetime/moment_conversion.h"
#include "functions/datetime/register_datetime.h"
#include "functions/datetime/time_unit.h"
#include "functions/elementwise.h"
#include "functions/overload.h"

namespace laminar {

namespace {

/// Throws UserError for a constant format that is none.
void CheckConstantFormat(const BindArguments& arguments, size_t index) {
  const auto format = ConstantText(arguments, index);
  std::string error;
  if (format && !TimePattern::Compile(*format, &error)) {
    throw UserError(Reason::kTypeError, {}, "'" + *format + "' is not a time format: " + error);
  }
}

/// The text before, which is mostly that of the next row too.
class RecentText {
 public:
  void Append(const TimePattern& pattern, const MomentParts& moment, TextWriter& out) {
    const auto behind = static_cast<uint64_t>(moment.seconds) - static_cast<uint64_t>(begin_);
    if (behind < static_cast<uint64_t>(length_)) return out.Append(text_);
    pattern.Append(moment, out);
    length_ = pattern.seconds_per_text();
    if (length_ == 0) return;
    const int64_t into = (moment.seconds % length_ + length_) % length_;
    begin_ = static_cast<int64_t>(static_cast<uint64_t>(moment.seconds) - static_cast<uint64_t>(into));
    text_ = out.row();
  }

 private:
  int64_t begin_ = 0, length_ = 0;  // in seconds: whose text it is
  std::string text_;
};

template <typename Memory>
ScalarKernel FormatKernel(int64_t ticks_per_second) {
  return [ticks_per_second](const ScalarCall& call) {
    TimePatternCache cache;
    RecentText recent;
    const bool one_format = call.args[1].is_scalar();
    return MapText<Memory, std::string_view>(
        call, arrow::utf8(),
        [&](Memory value, std::string_view format, TextWriter& out, BatchError& error) {
          std::string reason;
          const TimePattern* pattern = cache.Get(format, &reason);
          if (!pattern) {
            error.Fail([&] { return "'" + std::string(format) + "' is not a time format: " + reason; });
            return;
          }
          // A DATE counts days.
          const MomentParts moment = ticks_per_second == 0 ? MomentParts{int64_t{value} * 86'400, 0}
                                                           : PartsOfTicks(value, ticks_per_second);
          if (one_format) {
            recent.Append(*pattern, moment, out);
          } else {
            pattern->Append(moment, out);
          }
        },
        24);
  };
}

std::optional<BoundScalar> BindFormat(const BindArguments& arguments) {
  if (arguments.size() != 2 || !ImplicitlyCastable(arguments.types[1], Type::Text())) return std::nullopt;
  const bool time = arguments.types[0].id() == TypeId::kTime;
  const auto type = time ? std::optional(arguments.types[0]) : MomentType(arguments.types[0]);
  if (!type) return std::nullopt;
  CheckConstantFormat(arguments, 1);
  ScalarKernel kernel = type->id() == TypeId::kDate ? FormatKernel<int32_t>(0)
                        : time                      ? FormatKernel<int64_t>(kSecondNs)
                                                    : FormatKernel<int64_t>(TicksPerSecond(*type));
  const bool can_fail = !ConstantText(arguments, 1);  // a constant format is known to be one
  return BoundScalar{{*type, Type::Text()}, Type::Text(), std::move(kernel), can_fail};
}

/// Seconds since 1970 → TIMESTAMP, or text with a format.
std::optional<BoundScalar> BindFromUnixTime(const BindArguments& arguments) {
  if (arguments.size() < 1 || arguments.size() > 2) return std::nullopt;
  if (!ImplicitlyCastable(arguments.types[0], Type::Int64())) return std::nullopt;
  if (arguments.size() == 2) {
    if (!ImplicitlyCastable(arguments.types[1], Type::Text())) return std::nullopt;
    CheckConstantFormat(arguments, 1);
    const bool can_fail = !ConstantText(arguments, 1);
    return BoundScalar{{Type::Int64(), Type::Text()}, Type::Text(), FormatKernel<int64_t>(1), can_fail};
  }
  return BoundScalar{
      {Type::Int64()},
      Type::Timestamp(),
      [](const ScalarCall& call) {
        return Map<int64_t>(call, Type::Timestamp().arrow_type(), [](int64_t seconds, BatchError& error) {
          const auto micros = CheckedMultiply(seconds, 1'000'000);
          if (!micros)
            error.Fail([&] { return std::to_string(seconds) + " seconds are out of range of TIMESTAMP"; });
          return micros.value_or(0);
        });
      },
      true};
}

}  // namespace

void RegisterTimeFormat(FunctionRegistry& registry) {
  const char* kFormats =
      "A format with % is strftime's (%Y-%m-%d %H:%M:%S), any other Java's (yyyy-MM-dd HH:mm:ss.SSS).";
  registry.Add(ScalarFunction{
      {"to_char", "date_format", "strftime"},
      {"Date and time", "date_format(x, format) → text",
       std::string("A DATE, TIME or TIMESTAMP as text. ") + kFormats,
       "date_format(TIMESTAMP '2024-02-29 10:20:30', 'yyyy-MM-dd HH:mm')", "\"2024-02-29 10:20\""},
      Volatility::kImmutable,
      {BindFormat}});
  registry.Add(
      ScalarFunction{{"from_unixtime"},
                     {"Date and time", "from_unixtime(seconds[, format]) → timestamp; with a format text",
                      std::string("Seconds since 1970 as a moment. ") + kFormats,
                      "from_unixtime(0, 'yyyy-MM-dd')", "\"1970-01-01\""},
                     Volatility::kImmutable,
                     {BindFromUnixTime}});
}

}  // namespace laminar

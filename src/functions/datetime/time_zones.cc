/// AT TIME ZONE, CONVERT_TZ, TO_LOCAL_TIME, by the system's time zone database.

#include <arrow/compute/api_scalar.h>

#include "base/error.h"
#include "functions/cast_kernel.h"
#include "functions/datetime/register_datetime.h"
#include "functions/datetime/time_unit.h"
#include "functions/elementwise.h"
#include "functions/overload.h"

namespace laminar {

namespace {

arrow::Result<arrow::Datum> Relabelled(const arrow::Datum& value,
                                       const std::shared_ptr<arrow::DataType>& type) {
  auto data = ColumnView(value).data()->Copy();
  data->type = type;
  if (!value.is_scalar()) return arrow::Datum(std::move(data));
  ARROW_ASSIGN_OR_RAISE(auto scalar, arrow::MakeArray(data)->GetScalar(0));
  return arrow::Datum(std::move(scalar));
}

/// Wall-clock time in the zone → the moment. An hour that comes twice is its first; one that is skipped is
/// the moment of the change.
arrow::Result<arrow::Datum> ToMoment(const arrow::Datum& local, const std::string& zone) {
  const arrow::compute::AssumeTimezoneOptions options(
      zone, arrow::compute::AssumeTimezoneOptions::AMBIGUOUS_EARLIEST,
      arrow::compute::AssumeTimezoneOptions::NONEXISTENT_LATEST);
  ARROW_ASSIGN_OR_RAISE(arrow::Datum moment, arrow::compute::AssumeTimezone(local, options));
  return Relabelled(moment, Type::TimestampTz().arrow_type());
}

/// The moment → wall-clock time in the zone.
arrow::Result<arrow::Datum> ToLocal(const arrow::Datum& moment, const std::string& zone) {
  ARROW_ASSIGN_OR_RAISE(arrow::Datum zoned,
                        Relabelled(moment, arrow::timestamp(arrow::TimeUnit::MICRO, zone)));
  return arrow::compute::LocalTimestamp(zoned);
}

std::string ConstantZone(const BindArguments& arguments, size_t index) {
  const auto zone = ConstantText(arguments, index);
  if (!zone)
    throw UserError(Reason::kTypeError, {}, "a time zone must be a text literal, such as 'Europe/Berlin'");
  const arrow::Datum probe(std::make_shared<arrow::TimestampScalar>(0, Type::Timestamp().arrow_type()));
  if (!ToMoment(probe, *zone).ok()) {
    throw UserError(Reason::kTypeError, {}, "there is no time zone '" + *zone + "'")
        .Hint("as in 'Europe/Berlin' or 'UTC'");
  }
  return *zone;
}

std::optional<BoundScalar> BindAtTimeZone(const BindArguments& arguments) {
  if (arguments.size() != 2 || !ImplicitlyCastable(arguments.types[1], Type::Text())) return std::nullopt;
  auto type = MomentType(arguments.types[0]);
  if (!type) return std::nullopt;
  const std::string zone = ConstantZone(arguments, 1);
  if (type->id() == TypeId::kTimestampTz) {
    return BoundScalar{{*type, Type::Text()}, Type::Timestamp(), [zone](const ScalarCall& call) {
                         return ToLocal(call.args[0], zone);
                       }};
  }
  return BoundScalar{{Type::Timestamp(), Type::Text()},
                     Type::TimestampTz(),
                     [zone](const ScalarCall& call) { return ToMoment(call.args[0], zone); },
                     true};
}

std::optional<BoundScalar> BindConvertTz(const BindArguments& arguments) {
  if (arguments.size() != 3) return std::nullopt;
  const std::vector<Type> parameters = {Type::Timestamp(), Type::Text(), Type::Text()};
  if (!Accepts(parameters, arguments.types)) return std::nullopt;
  const std::string from = ConstantZone(arguments, 1);
  const std::string to = ConstantZone(arguments, 2);
  return BoundScalar{parameters, Type::Timestamp(),
                     [from, to](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
                       ARROW_ASSIGN_OR_RAISE(arrow::Datum moment, ToMoment(call.args[0], from));
                       return ToLocal(moment, to);
                     },
                     true};
}

}  // namespace

void RegisterTimeZones(FunctionRegistry& registry) {
  const char* kGroup = "Date and time";
  registry.Add(ScalarFunction{
      {"at_time_zone"},
      {kGroup, "x AT TIME ZONE zone → timestamptz or timestamp",
       "A TIMESTAMP is taken as wall-clock time in the zone and gives the moment; a TIMESTAMPTZ gives the "
       "wall-clock time there.",
       "TIMESTAMP '2024-07-01 12:00:00' AT TIME ZONE 'Europe/Berlin'", "\"2024-07-01T10:00:00Z\""},
      Volatility::kImmutable,
      {BindAtTimeZone}});
  registry.Add(ScalarFunction{
      {"convert_tz"},
      {kGroup, "convert_tz(x, from, to) → timestamp", "Wall-clock time of one zone in another.",
       "convert_tz(TIMESTAMP '2024-07-01 12:00:00', 'UTC', 'Europe/Berlin')", "\"2024-07-01T14:00:00\""},
      Volatility::kImmutable,
      {BindConvertTz}});
  registry.Add(
      ScalarFunction{{"to_local_time"},
                     {kGroup, "to_local_time(x) → timestamp", "A TIMESTAMPTZ without its zone (UTC).",
                      "to_local_time(TIMESTAMPTZ '2024-07-01 12:00:00Z')", "\"2024-07-01T12:00:00\""},
                     Volatility::kImmutable,
                     {Fixed({Type::TimestampTz()}, Type::Timestamp(),
                            [cast = ReinterpretCast(Type::Timestamp())](const ScalarCall& call) {
                              return cast.run(call.args[0], call.num_rows, false);
                            })}});
}

}  // namespace laminar

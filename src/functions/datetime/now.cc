/// The time of the batch. All of one evaluation see the same moment.

#include "functions/datetime/calendar.h"
#include "functions/datetime/register_datetime.h"
#include "functions/elementwise.h"
#include "functions/overload.h"

namespace laminar {

namespace {

ScalarBinder OfNow(const Type& type, int64_t (*value)(int64_t now_us)) {
  return Fixed(
      {}, type,
      [arrow_type = type.arrow_type(), value](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
        ARROW_ASSIGN_OR_RAISE(auto scalar, arrow::MakeScalar(arrow_type, value(call.context.now_us)));
        return arrow::Datum(std::move(scalar));
      });
}

ScalarBinder Today() {
  return Fixed({}, Type::Date(), [](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    return arrow::Datum(std::make_shared<arrow::Date32Scalar>(
        static_cast<int32_t>(FloorDivide(call.context.now_us, 86'400'000'000))));
  });
}

int64_t Micros(int64_t now_us) { return now_us; }
int64_t TimeOfDay(int64_t now_us) { return FloorModulo(now_us, 86'400'000'000) * 1000; }

}  // namespace

void RegisterNow(FunctionRegistry& registry) {
  auto add = [&](std::vector<std::string> names, const char* signature, const char* description,
                 const char* example, ScalarBinder binder) {
    registry.Add(ScalarFunction{std::move(names),
                                {"Date and time", signature, description, example, "true"},
                                Volatility::kStable,
                                {std::move(binder)}});
  };
  add({"now", "current_timestamp", "localtimestamp"}, "now() → timestamp",
      "The present moment (UTC), the same for all rows of a batch.",
      "now() > TIMESTAMP '2024-01-01 00:00:00'", OfNow(Type::Timestamp(), Micros));
  add({"proctime"}, "proctime() → timestamp",
      "The moment of processing; a window over it fires by the wall clock.",
      "proctime() > TIMESTAMP '2024-01-01 00:00:00'", OfNow(Type::Timestamp(), Micros));
  add({"current_date", "today"}, "current_date → date", "Today in UTC.", "current_date > DATE '2024-01-01'",
      Today());
  add({"current_time", "localtime"}, "current_time → time", "The present time of day in UTC.",
      "current_time >= TIME '00:00:00'", OfNow(Type::Time(), TimeOfDay));
}

}  // namespace laminar

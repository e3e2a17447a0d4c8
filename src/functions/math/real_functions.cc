/// Functions of DOUBLE: roots, powers, logarithms, angles. Outside their domain they give NaN or an infinity,
/// never an error.

#include <cmath>
#include <numbers>

#include "functions/elementwise.h"
#include "functions/math/register_math.h"
#include "functions/overload.h"

namespace laminar {

namespace {

using RealFunction = double (*)(double);
using RealFunction2 = double (*)(double, double);

ScalarBinder OfOne(RealFunction f) {
  return Fixed({Type::Double()}, Type::Double(),
               [f](const ScalarCall& call) { return MapTotal<double>(call, arrow::float64(), f); });
}

ScalarBinder OfTwo(RealFunction2 f) {
  return Fixed({Type::Double(), Type::Double()}, Type::Double(),
               [f](const ScalarCall& call) { return MapTotal<double, double>(call, arrow::float64(), f); });
}

struct Entry {
  std::vector<std::string> names;
  const char* signature;
  const char* description;
  const char* example;
  const char* result;
  RealFunction f;
};

double Degrees(double x) { return x * (180 / std::numbers::pi); }
double Radians(double x) { return x * (std::numbers::pi / 180); }
/// One Newton step makes the roots of whole cubes exact.
double CubeRoot(double x) {
  const double root = std::cbrt(x);
  return std::isfinite(root) && root != 0 ? root - (root * root * root - x) / (3 * root * root) : root;
}
double Cotangent(double x) { return 1 / std::tan(x); }
double LogOfBase(double base, double x) { return std::log(x) / std::log(base); }

const std::vector<Entry>& Entries() {
  static const std::vector<Entry> entries = {
      {{"sqrt"}, "sqrt(x) → double", "Square root; NaN for a negative x.", "sqrt(16)", "4.0", std::sqrt},
      {{"cbrt"}, "cbrt(x) → double", "Cube root.", "cbrt(27)", "3.0", CubeRoot},
      {{"exp"}, "exp(x) → double", "e to the power of x.", "exp(0)", "1.0", std::exp},
      {{"ln"},
       "ln(x) → double",
       "Natural logarithm; NaN for a negative x, -Infinity for 0.",
       "ln(1)",
       "0.0",
       std::log},
      {{"log2"}, "log2(x) → double", "Logarithm to base 2.", "log2(8)", "3.0", std::log2},
      {{"log10"}, "log10(x) → double", "Logarithm to base 10.", "log10(1000)", "3.0", std::log10},
      {{"degrees"}, "degrees(x) → double", "Radians to degrees.", "degrees(pi())", "180.0", Degrees},
      {{"radians"}, "radians(x) → double", "Degrees to radians.", "radians(0)", "0.0", Radians},
      {{"sin"}, "sin(x) → double", "Sine of x radians.", "sin(0)", "0.0", std::sin},
      {{"cos"}, "cos(x) → double", "Cosine of x radians.", "cos(0)", "1.0", std::cos},
      {{"tan"}, "tan(x) → double", "Tangent of x radians.", "tan(0)", "0.0", std::tan},
      {{"cot"}, "cot(x) → double", "Cotangent of x radians.", "round(cot(pi() / 4), 6)", "1.0", Cotangent},
      {{"asin"},
       "asin(x) → double",
       "Radians whose sine is x; NaN outside [-1, 1].",
       "asin(0)",
       "0.0",
       std::asin},
      {{"acos"},
       "acos(x) → double",
       "Radians whose cosine is x; NaN outside [-1, 1].",
       "acos(1)",
       "0.0",
       std::acos},
      {{"atan"}, "atan(x) → double", "Radians whose tangent is x.", "atan(0)", "0.0", std::atan},
      {{"sinh"}, "sinh(x) → double", "Hyperbolic sine.", "sinh(0)", "0.0", std::sinh},
      {{"cosh"}, "cosh(x) → double", "Hyperbolic cosine.", "cosh(0)", "1.0", std::cosh},
      {{"tanh"}, "tanh(x) → double", "Hyperbolic tangent.", "tanh(0)", "0.0", std::tanh},
      {{"asinh"}, "asinh(x) → double", "Inverse of sinh.", "asinh(0)", "0.0", std::asinh},
      {{"acosh"}, "acosh(x) → double", "Inverse of cosh; NaN below 1.", "acosh(1)", "0.0", std::acosh},
      {{"atanh"}, "atanh(x) → double", "Inverse of tanh.", "atanh(0)", "0.0", std::atanh},
  };
  return entries;
}

ScalarBinder Constant(double value) {
  return Fixed({}, Type::Double(),
               [value](const ScalarCall&) -> arrow::Result<arrow::Datum> { return arrow::Datum(value); });
}

template <typename F>
ScalarBinder Test(F f) {
  return Fixed({Type::Double()}, Type::Boolean(),
               [f](const ScalarCall& call) { return Map<double>(call, arrow::boolean(), f); });
}

/// Great-circle distance on a sphere of 6,371,008.8 m.
double Haversine(double lat1, double lon1, double lat2, double lon2) {
  constexpr double kEarthRadiusM = 6371008.8;
  const double dlat = Radians(lat2 - lat1) / 2;
  const double dlon = Radians(lon2 - lon1) / 2;
  const double a = std::sin(dlat) * std::sin(dlat) +
                   std::cos(Radians(lat1)) * std::cos(Radians(lat2)) * std::sin(dlon) * std::sin(dlon);
  return 2 * kEarthRadiusM * std::asin(std::min(1.0, std::sqrt(a)));
}

/// Buckets 1…n of equal width over [low, high); 0 below, n + 1 from high on. high < low counts downwards.
int64_t WidthBucket(double x, double low, double high, int64_t count, BatchError& error) {
  if (count <= 0 || low == high || std::isnan(x) || !std::isfinite(low) || !std::isfinite(high)) {
    error.Fail("width_bucket needs finite, different bounds, a number and at least one bucket");
    return 0;
  }
  const bool down = low > high;
  if (down ? x > low : x < low) return 0;
  if (down ? x <= high : x >= high) return count + 1;
  return static_cast<int64_t>((x - low) / (high - low) * static_cast<double>(count)) + 1;
}

}  // namespace

void RegisterRealFunctions(FunctionRegistry& registry) {
  const Type real = Type::Double();
  for (const Entry& entry : Entries()) {
    registry.Add(ScalarFunction{entry.names,
                                {"Math", entry.signature, entry.description, entry.example, entry.result},
                                Volatility::kImmutable,
                                {OfOne(entry.f)}});
  }
  registry.Add(ScalarFunction{
      {"log"},
      {"Math", "log([base,] x) → double", "Logarithm, to base 10 when none is given.", "log(2, 8)", "3.0"},
      Volatility::kImmutable,
      {OfOne(std::log10), OfTwo(LogOfBase)}});
  registry.Add(
      ScalarFunction{{"power", "pow"},
                     {"Math", "power(x, y) → double", "x to the power of y.", "power(2, 10)", "1024.0"},
                     Volatility::kImmutable,
                     {OfTwo(std::pow)}});
  registry.Add(ScalarFunction{
      {"atan2"},
      {"Math", "atan2(y, x) → double", "Angle of the point (x, y) in radians.", "atan2(0, 1)", "0.0"},
      Volatility::kImmutable,
      {OfTwo(std::atan2)}});
  registry.Add(ScalarFunction{
      {"nanvl"},
      {"Math", "nanvl(x, y) → double", "x, or y where x is NaN.", "nanvl('NaN'::DOUBLE, 1.5)", "1.5"},
      Volatility::kImmutable,
      {OfTwo([](double x, double y) { return std::isnan(x) ? y : x; })}});
  registry.Add(
      ScalarFunction{{"isnan"},
                     {"Math", "isnan(x) → boolean", "Whether x is NaN.", "isnan('NaN'::DOUBLE)", "true"},
                     Volatility::kImmutable,
                     {Test([](double x) { return std::isnan(x); })}});
  registry.Add(ScalarFunction{{"iszero"},
                              {"Math", "iszero(x) → boolean", "Whether x is 0 or -0.", "iszero(0)", "true"},
                              Volatility::kImmutable,
                              {Test([](double x) { return x == 0; })}});
  registry.Add(ScalarFunction{{"pi"},
                              {"Math", "pi() → double", "π.", "round(pi(), 4)", "3.1416"},
                              Volatility::kImmutable,
                              {Constant(std::numbers::pi)}});
  registry.Add(ScalarFunction{{"e"},
                              {"Math", "e() → double", "Euler's number.", "round(e(), 4)", "2.7183"},
                              Volatility::kImmutable,
                              {Constant(std::numbers::e)}});
  registry.Add(ScalarFunction{
      {"haversine"},
      {"Math", "haversine(lat1, lon1, lat2, lon2) → double",
       "Distance in metres between two points given in degrees.", "round(haversine(0, 0, 0, 1))", "111195.0"},
      Volatility::kImmutable,
      {Fixed({real, real, real, real}, real, [](const ScalarCall& call) {
        return Map<double, double, double, double>(call, arrow::float64(), Haversine);
      })}});
  registry.Add(ScalarFunction{{"width_bucket"},
                              {"Math", "width_bucket(x, low, high, count) → bigint",
                               "Which of `count` equal buckets from low to high holds x: 1 to count, 0 "
                               "below, count + 1 from high on.",
                               "width_bucket(5, 0, 10, 4)", "3"},
                              Volatility::kImmutable,
                              {Fixed(
                                  {real, real, real, Type::Int64()}, Type::Int64(),
                                  [](const ScalarCall& call) {
                                    return Map<double, double, double, int64_t>(call, arrow::int64(),
                                                                                WidthBucket);
                                  },
                                  CanFail::kYes)}});
}

}  // namespace laminar

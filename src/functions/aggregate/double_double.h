#pragma once

/// Sums of doubles that do not drift: an unevaluated pair hi + lo carries about 100 bits, so that what was
/// added can be taken away again. Finite values only: callers count NaN and ±Inf apart.

#include <cmath>

namespace laminar {

struct DoubleDouble {
  double hi = 0;
  double lo = 0;

  double value() const { return hi + lo; }

  void Add(double x) {
    const double sum = hi + x;
    const double part = sum - hi;
    lo += (hi - (sum - part)) + (x - part);  // Knuth's TwoSum: the exact rounding error of hi + x
    hi = sum;
  }
  void Add(const DoubleDouble& other) {
    Add(other.hi);
    lo += other.lo;
  }
  /// Adds x * y with the product's rounding error (Dekker; a hardware FMA is not assumed).
  void AddProduct(double x, double y) {
    const double product = x * y;
    double x_hi, x_lo, y_hi, y_lo;
    Split(x, &x_hi, &x_lo);
    Split(y, &y_hi, &y_lo);
    Add(product);
    lo += ((x_hi * y_hi - product) + x_hi * y_lo + x_lo * y_hi) + x_lo * y_lo;
  }

  /// hi holds the nearest double, lo what is left.
  DoubleDouble Normalized() const {
    const double sum = hi + lo;
    const double part = sum - hi;
    return {sum, (hi - (sum - part)) + (lo - part)};
  }
  DoubleDouble Times(const DoubleDouble& other) const {
    DoubleDouble out;
    out.AddProduct(hi, other.hi);
    out.lo += hi * other.lo + lo * other.hi;
    return out.Normalized();
  }
  DoubleDouble DividedBy(double n) const {
    const double first = hi / n;
    DoubleDouble rest = *this;
    rest.AddProduct(-first, n);
    return DoubleDouble{first, rest.value() / n}.Normalized();
  }
  DoubleDouble Minus(const DoubleDouble& other) const {
    DoubleDouble out = *this;
    out.Add(-other.hi);
    out.lo -= other.lo;
    return out.Normalized();
  }

 private:
  static void Split(double x, double* hi, double* lo) {
    // Values whose split would overflow have a product that does so too, or lose only the error term.
    const double scaled = 134217729.0 * x;  // 2^27 + 1
    *hi = scaled - (scaled - x);
    if (!std::isfinite(*hi)) *hi = x;
    *lo = x - *hi;
  }
};

/// Σ (x − mean x)(y − mean y) from the raw sums; never below zero when `square`.
inline double CentralSum(const DoubleDouble& sum_xy, const DoubleDouble& sum_x, const DoubleDouble& sum_y,
                         int64_t count, bool square) {
  const DoubleDouble expected =
      sum_x.Normalized().Times(sum_y.Normalized()).DividedBy(static_cast<double>(count));
  const double central = sum_xy.Normalized().Minus(expected).value();
  return square && central < 0 ? 0 : central;
}

}  // namespace laminar

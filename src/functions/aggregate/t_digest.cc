#include "functions/aggregate/t_digest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace laminar {
namespace {

/// Scale function k₁: a centroid may span one unit of k.
double ScaleK(double q, double compression) {
  return compression / (2 * std::numbers::pi) * std::asin(2 * std::clamp(q, 0.0, 1.0) - 1);
}

double Between(double a, double b, double fraction) {
  if (a == b || fraction <= 0) return a;
  if (fraction >= 1) return b;
  return a * (1 - fraction) + b * fraction;  // right for infinities too
}

}  // namespace

void TDigest::Add(double value, double weight, double compression) {
  if (std::isnan(value) || !(weight > 0)) return;
  least_ = empty() ? value : std::min(least_, value);
  greatest_ = empty() ? value : std::max(greatest_, value);
  buffer_.push_back({value, weight});
  if (static_cast<double>(buffer_.size()) > 8 * compression) Compress(compression);
}

void TDigest::Add(const TDigest& other, double compression) {
  if (other.empty()) return;
  const double least = empty() ? other.least_ : std::min(least_, other.least_);
  const double greatest = empty() ? other.greatest_ : std::max(greatest_, other.greatest_);
  buffer_.insert(buffer_.end(), other.centroids_.begin(), other.centroids_.end());
  buffer_.insert(buffer_.end(), other.buffer_.begin(), other.buffer_.end());
  least_ = least;
  greatest_ = greatest;
  if (static_cast<double>(buffer_.size()) > 8 * compression) Compress(compression);
}

void TDigest::Compress(double compression) {
  if (buffer_.empty()) return;
  buffer_.insert(buffer_.end(), centroids_.begin(), centroids_.end());
  centroids_.clear();
  std::sort(buffer_.begin(), buffer_.end(),
            [](const Centroid& a, const Centroid& b) { return a.mean < b.mean; });
  double total = 0;
  for (const Centroid& centroid : buffer_) total += centroid.weight;
  double before = 0;  // weight left of the centroid being filled
  Centroid filling = buffer_[0];
  for (size_t i = 1; i < buffer_.size(); ++i) {
    const Centroid& next = buffer_[i];
    const double together = filling.weight + next.weight;
    const double span =
        ScaleK((before + together) / total, compression) - ScaleK(before / total, compression);
    if (span <= 1) {
      filling.mean = Between(filling.mean, next.mean, next.weight / together);
      filling.weight = together;
    } else {
      centroids_.push_back(filling);
      before += filling.weight;
      filling = next;
    }
  }
  centroids_.push_back(filling);
  buffer_.clear();
}

double TDigest::Quantile(double q, double compression) const {
  if (!buffer_.empty()) {
    TDigest merged = *this;
    merged.Compress(compression);
    return merged.Quantile(q, compression);
  }
  double total = 0;
  for (const Centroid& centroid : centroids_) total += centroid.weight;
  // A centroid's mean stands at the middle of its weight; the ends stand at the least and greatest value.
  const double target = q * total;
  double before = 0, last_position = 0, last_value = least_;
  for (const Centroid& centroid : centroids_) {
    const double position = before + centroid.weight / 2;
    if (target <= position) {
      return Between(last_value, centroid.mean, (target - last_position) / (position - last_position));
    }
    before += centroid.weight;
    last_position = position;
    last_value = centroid.mean;
  }
  return Between(last_value, greatest_, (target - last_position) / (total - last_position));
}

void TDigest::Serialize(std::string* out) const {
  if (empty()) return;
  PutFixed(out, least_);
  PutFixed(out, greatest_);
  PutFixed(out, static_cast<uint32_t>(centroids_.size()));
  for (const Centroid& centroid : centroids_) PutFixed(out, centroid);
  for (const Centroid& centroid : buffer_) PutFixed(out, centroid);
}

void TDigest::Deserialize(ByteReader& in) {
  least_ = in.Fixed<double>();
  greatest_ = in.Fixed<double>();
  const auto merged = in.Fixed<uint32_t>();
  for (uint32_t i = 0; i < merged; ++i) centroids_.push_back(in.Fixed<Centroid>());
  while (!in.empty()) buffer_.push_back(in.Fixed<Centroid>());
}

}  // namespace laminar

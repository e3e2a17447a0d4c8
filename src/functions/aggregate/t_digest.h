#pragma once

/// Quantiles of a stream in bounded memory: a merging t-digest (Dunning). Values are pooled into centroids
/// that are small near both ends, so that extreme quantiles stay sharp; up to about a hundred values nothing
/// is lost.

#include <cstdint>
#include <string>
#include <vector>

#include "functions/aggregate/owned_state.h"

namespace laminar {

class TDigest {
 public:
  struct Centroid {
    double mean;
    double weight;
  };

  /// NaN and weights that are not above 0 are ignored. `compression`: about how many centroids are kept.
  void Add(double value, double weight, double compression);
  void Add(const TDigest& other, double compression);
  bool empty() const { return centroids_.empty() && buffer_.empty(); }
  /// `q` from 0 to 1; must not be empty.
  double Quantile(double q, double compression) const;

  void Serialize(std::string* out) const;
  void Deserialize(ByteReader& in);

 private:
  void Compress(double compression);

  std::vector<Centroid> centroids_;  // by mean
  std::vector<Centroid> buffer_;     // not merged yet
  double least_ = 0, greatest_ = 0;  // valid unless empty
};

}  // namespace laminar

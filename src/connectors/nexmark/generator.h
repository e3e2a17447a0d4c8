#pragma once

/// Nexmark events as columns. Event `id` of a run is a pure function of (seed, id), so runs repeat themselves
/// at any parallelism; of n splits, split s makes the events s, s + n, s + 2n, …

#include <cstdint>
#include <memory>
#include <vector>

#include "connectors/generators/generator_source.h"
#include "types/type.h"

namespace laminar {

struct NexmarkSpec {
  uint64_t seed = 42;
  int64_t base_us = 1'436'918'400'000'000;  ///< event time of event 0: 2015-07-15T00:00:00
  bool base_is_start = false;               ///< event 0 happens when the job is first started
  double events_per_second = 10'000;        ///< of event time
  int64_t person_proportion = 1;
  int64_t auction_proportion = 3;
  int64_t bid_proportion = 46;
};

/// event_type INT (0 person, 1 auction, 2 bid), person, auction and bid: exactly one of the three is not
/// NULL.
Schema NexmarkSchema();

/// `columns` are columns of NexmarkSchema, their STRUCTs pruned to what is read; the event time is appended.
std::unique_ptr<RowGenerator> MakeNexmarkGenerator(const NexmarkSpec& spec, Schema columns);

}  // namespace laminar

#pragma once

/// Where everything random comes from, but for generators that take a seed of the user's: the system's random
/// source, or a seed when the simulator says so. All functions are thread-safe.

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace laminar {

/// An id that clients see: `pipe_` + 10 of [0-9A-Za-z].
std::string RandomId(std::string_view prefix);
std::string RandomBytes(size_t bytes);
uint64_t RandomWord();
/// The calling thread's generator, for values that nobody has to be kept from guessing.
std::mt19937_64& ThreadGenerator();

/// From now on all of the above follows from `seed`, in the whole process and for calls in the same order;
/// nullopt: from the system's random source again. For the simulator and tests.
void SeedRandom(std::optional<uint64_t> seed);

}  // namespace laminar

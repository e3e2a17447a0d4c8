#pragma once

/// Runs the tests of a container with its memory in ordinary memory, and with all of it in scratch files.
///
///     using KeyedMapTest = OnBothBackends;
///     TEST_P(KeyedMapTest, …) {…}
///     INSTANTIATE_TEST_SUITE_P(Backends, KeyedMapTest, BothBackends(), BackendName);

#include <gtest/gtest.h>

#include <string>

#include "state/state_memory.h"

namespace laminar {

/// So little that everything lies on disk.
inline constexpr int64_t kTinyLimit = 1 << 20;

class OnBothBackends : public testing::TestWithParam<StateBackend> {
 protected:
  void SetUp() override { ConfigureStateMemory({GetParam(), kTinyLimit, {}, {}}); }
  void TearDown() override { ConfigureStateMemory({}); }
};

inline auto BothBackends() { return testing::Values(StateBackend::kMemory, StateBackend::kDisk); }
inline std::string BackendName(const testing::TestParamInfo<StateBackend>& info) {
  return info.param == StateBackend::kDisk ? "Disk" : "Memory";
}

}  // namespace laminar

#include "runtime/task_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_job.h"

namespace laminar {
namespace {

using ::testing::ElementsAre;

std::function<std::unique_ptr<Operator>()> None() {
  return [] { return nullptr; };
}

TEST(TaskLayout, ChainsForwardEdgesIntoASingleInput) {
  GraphBuilder g;
  const int source = g.Source([] { return nullptr; }, 2);
  const int a = g.Operator("a", None(), 2);
  const int b = g.Operator("b", None(), 2);
  const int join = g.Operator("join", None(), 2);
  const int sink = g.Sink(nullptr, 2);
  const int other = g.Sink(nullptr, 2);
  g.Edge(source, a)
      .Edge(a, b)
      .Edge(a, join, Partitioning::kHash, {0}, 0)
      .Edge(b, join, Partitioning::kForward, {}, 1);
  g.Edge(join, sink).Edge(a, other, Partitioning::kForward, {}, 0, 1);
  const TaskLayout layout = LayOut(g.graph);
  ASSERT_EQ(layout.groups.size(), 2u);
  EXPECT_THAT(layout.groups[0].nodes, ElementsAre(source, a, b, other));
  EXPECT_THAT(layout.groups[1].nodes, ElementsAre(join, sink));
  EXPECT_THAT(layout.chained, ElementsAre(true, true, false, false, true, true));
  EXPECT_EQ(layout.groups[1].parallelism, 2);
}

TEST(TaskLayout, ProducersComeFirstWhateverTheIds) {
  GraphBuilder g;
  const int sink = g.Sink(nullptr);
  const int a = g.Operator("a", None());
  const int source = g.Source([] { return nullptr; });
  g.Edge(a, sink).Edge(source, a);
  EXPECT_THAT(LayOut(g.graph).groups.at(0).nodes, ElementsAre(source, a, sink));
}

TEST(TaskLayoutDeathTest, RefusesWhatIsNoGraph) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  GraphBuilder cycle;
  const int source = cycle.Source([] { return nullptr; });
  const int a = cycle.Operator("a", None());
  const int b = cycle.Operator("b", None());
  cycle.Edge(source, a).Edge(a, b).Edge(b, a, Partitioning::kForward, {}, 1);
  EXPECT_DEATH(LayOut(cycle.graph), "cycle");

  GraphBuilder widths;
  widths.Edge(widths.Source([] { return nullptr; }, 2), widths.Sink(nullptr, 3));
  EXPECT_DEATH(LayOut(widths.graph), "different parallelisms");

  GraphBuilder alone;
  alone.Sink(nullptr);
  EXPECT_DEATH(LayOut(alone.graph), "no input");
}

}  // namespace
}  // namespace laminar

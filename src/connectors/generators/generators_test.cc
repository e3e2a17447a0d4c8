#include <gmock/gmock.h>

#include "connectors/generators/generator_source.h"
#include "connectors/nexmark/generator.h"
#include "connectors/test_table.h"

namespace laminar {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

using Settings = std::vector<std::pair<std::string, std::string>>;

Batch AllRows(const CollectingOutput& out) {
  Batch all = Concat(out.batches);
  return all;
}

const arrow::StructArray& Struct(const Batch& batch, int column) {
  return static_cast<const arrow::StructArray&>(*batch.columns[static_cast<size_t>(column)]);
}

/// Of a column of 64-bit values of any kind.
int64_t Int(const arrow::Array& array, int64_t row) { return array.data()->GetValues<int64_t>(1)[row]; }

Batch Nexmark(Settings settings, const Schema& columns, int subtask = 0, int parallelism = 1) {
  settings.insert(settings.begin(), {{"event_rate", "0"}});
  SourceRun run(PlanSourceOf("nexmark", settings, columns).make(), subtask, parallelism);
  EXPECT_EQ(run.Drain(), PollResult::kEnd);
  return AllRows(run.out);
}

TEST(NexmarkTest, OneOfThreeStructsIsNotNull) {
  const Schema schema = NexmarkSchema();
  const Batch rows = Nexmark({{"events_num", "20000"}}, schema);
  ASSERT_EQ(rows.num_rows, 20000);
  ASSERT_EQ(rows.columns.size(), 5u);
  int64_t counts[3] = {0, 0, 0};
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(rows.columns[static_cast<size_t>(i)]->ValidateFull().ok());
    EXPECT_TRUE(rows.columns[static_cast<size_t>(i)]->type()->Equals(
        schema.fields[static_cast<size_t>(i)].type.arrow_type()));
  }
  const auto& types = static_cast<const arrow::Int32Array&>(*rows.columns[0]);
  const auto& times = static_cast<const arrow::TimestampArray&>(*rows.columns[4]);
  for (int64_t row = 0; row < rows.num_rows; ++row) {
    ++counts[types.Value(row)];
    for (int kind = 0; kind < 3; ++kind) {
      EXPECT_EQ(Struct(rows, kind + 1).IsValid(row), types.Value(row) == kind);
      EXPECT_EQ(Struct(rows, kind + 1).field(0)->IsValid(row), types.Value(row) == kind)
          << "fields show the NULL too";
    }
    const int time_field = types.Value(row) == 0 ? 6 : 5;
    const auto& event_time =
        static_cast<const arrow::TimestampArray&>(*Struct(rows, types.Value(row) + 1).field(time_field));
    ASSERT_EQ(event_time.Value(row), times.Value(row));
  }
  EXPECT_THAT(counts, ElementsAre(400, 1200, 18400));
  EXPECT_EQ(times.Value(0), 1'436'918'400'000'000);
  EXPECT_EQ(times.Value(10'000), 1'436'918'401'000'000)
      << "10,000 events to a second when the rate is unlimited";
}

TEST(NexmarkTest, FollowsTheModel) {
  const Batch rows = Nexmark({{"events_num", "50000"}}, NexmarkSchema());
  const auto& bids = Struct(rows, 3);
  int64_t hot_auctions = 0, hot_bidders = 0, hot_channels = 0, bid_count = 0;
  for (int64_t row = 0; row < rows.num_rows; ++row) {
    if (bids.IsNull(row)) continue;
    ++bid_count;
    const int64_t last_auction = (row / 50 + 1) * 3 - 1;
    const int64_t auction = Int(*bids.field(0), row);
    ASSERT_GE(auction, 1000 + std::max<int64_t>(0, last_auction - 200));
    ASSERT_LE(auction, 1000 + last_auction + 10);
    hot_auctions += auction == 1000 + last_auction / 100 * 100;
    hot_bidders += Int(*bids.field(1), row) == 1000 + row / 50 / 100 * 100 + 1;
    ASSERT_GE(Int(*bids.field(2), row), 100);
    ASSERT_LE(Int(*bids.field(2), row), 100'000'000);
    const auto channel = static_cast<const arrow::StringArray&>(*bids.field(3)).GetString(row);
    hot_channels += channel.substr(0, 8) != "channel-";
    const auto url = static_cast<const arrow::StringArray&>(*bids.field(4)).GetString(row);
    ASSERT_EQ(url.substr(0, 24), "https://www.nexmark.com/") << url;
  }
  EXPECT_NEAR(static_cast<double>(hot_auctions) / bid_count, 0.5, 0.03);
  EXPECT_NEAR(static_cast<double>(hot_bidders) / bid_count, 0.75, 0.03);
  EXPECT_NEAR(static_cast<double>(hot_channels) / bid_count, 0.5, 0.03);
  const auto& auctions = Struct(rows, 2);
  const auto& people = Struct(rows, 1);
  EXPECT_EQ(Int(*people.field(0), 50), 1001);
  EXPECT_EQ(Int(*auctions.field(0), 51), 1003);
  for (int64_t row = 1; row < rows.num_rows; row += 50) {
    EXPECT_GE(Int(*auctions.field(4), row), Int(*auctions.field(3), row))
        << "reserve is over the initial bid";
    EXPECT_GT(Int(*auctions.field(6), row), Int(*auctions.field(5), row)) << "expires after it began";
    EXPECT_GE(Int(*auctions.field(8), row), 10);
    EXPECT_LT(Int(*auctions.field(8), row), 15);
  }
}

TEST(NexmarkTest, PrunedColumnsAreTheSame) {
  const Schema schema = NexmarkSchema();
  const Batch all = Nexmark({{"events_num", "3000"}}, schema);
  const Type bid = schema.fields[3].type;
  const Schema pruned = {{{"bid", Type::Struct({bid.fields()[3], bid.fields()[0]})},
                          {"person", Type::Struct({schema.fields[1].type.fields()[7]})}}};
  const Batch some = Nexmark({{"events_num", "3000"}}, pruned);
  ASSERT_EQ(some.columns.size(), 3u);
  EXPECT_TRUE(some.columns[0]->ValidateFull().ok());
  EXPECT_TRUE(Struct(some, 0).field(0)->Equals(Struct(all, 3).field(3)));
  EXPECT_TRUE(Struct(some, 0).field(1)->Equals(Struct(all, 3).field(0)));
  EXPECT_TRUE(Struct(some, 1).field(0)->Equals(Struct(all, 1).field(7)));
  const Batch none = Nexmark({{"events_num", "3000"}}, {});
  EXPECT_EQ(none.num_rows, 3000);
  EXPECT_EQ(none.columns.size(), 1u);
}

TEST(NexmarkTest, ParallelismChangesOnlyWhoMakesAnEvent) {
  const Batch all = Nexmark({{"events_num", "1001"}}, NexmarkSchema());
  const Batch odd = Nexmark({{"events_num", "1001"}}, NexmarkSchema(), 1, 2);
  ASSERT_EQ(odd.num_rows, 500);
  for (int64_t row = 0; row < odd.num_rows; ++row) {
    EXPECT_TRUE(Struct(odd, 3).Slice(row, 1)->Equals(Struct(all, 3).Slice(2 * row + 1, 1)));
  }
  const Batch other = Nexmark({{"events_num", "1001"}, {"seed", "7"}}, NexmarkSchema());
  EXPECT_FALSE(Struct(all, 3).Equals(Struct(other, 3)));
}

TEST(NexmarkTest, RestoresAtAnotherParallelism) {
  const SourcePlan plan =
      PlanSourceOf("nexmark", {{"event_rate", "0"}, {"events.num", "9000"}}, NexmarkSchema());
  EXPECT_TRUE(plan.bounded);
  MemorySnapshot snapshot;
  std::map<std::string, int64_t> seen;
  const auto collect = [&](const SourceRun& run) {
    for (const auto& [row, count] : run.out.Consolidated()) seen[row] += count;
  };
  for (int subtask = 0; subtask < 2; ++subtask) {
    SourceRun run(plan.make(), subtask, 2, nullptr, 1000);
    for (int i = 0; i <= subtask; ++i) run.Poll();
    run.SaveTo(&snapshot);
    collect(run);
    run.Poll();  // lost
  }
  for (int subtask = 0; subtask < 3; ++subtask) {
    SourceRun run(plan.make(), subtask, 3, &snapshot);
    EXPECT_EQ(run.Drain(), PollResult::kEnd);
    if (subtask == 2) {
      EXPECT_THAT(run.out.batches, testing::IsEmpty()) << "there are two splits only";
    }
    collect(run);
  }
  SourceRun undisturbed(plan.make());
  undisturbed.Drain();
  EXPECT_EQ(seen, undisturbed.out.Consolidated());
}

TEST(NexmarkTest, RateIsKeptByTheClock) {
  SourceRun run(PlanSourceOf("nexmark", {{"event_rate", "1000"}, {"runtime", "2s"}}, {}).make(), 0, 2);
  EXPECT_EQ(run.Drain(), PollResult::kWaiting);
  EXPECT_EQ(run.out.num_rows(), 1) << "the first event is due at once";
  ASSERT_TRUE(run.source->next_poll_us().has_value());
  EXPECT_EQ(*run.source->next_poll_us(), run.clock.now_us() + 10'000) << "rows are gathered for 10 ms";
  run.clock.Advance(10'000);
  run.Drain();
  EXPECT_EQ(run.out.num_rows(), 6);
  run.clock.Advance(990'000);
  run.Drain();
  EXPECT_EQ(run.out.num_rows(), 501);
  run.clock.Advance(10'000'000);
  EXPECT_EQ(run.Drain(), PollResult::kEnd);
  EXPECT_EQ(run.out.num_rows(), 1000) << "2 s × 1000 events/s over two subtasks";
  // Event time goes with the rate: 1 ms apart.
  const Batch rows = AllRows(run.out);
  EXPECT_EQ(Int(*rows.columns[0], 999) - Int(*rows.columns[0], 0), 999 * 2 * 1000);
}

TEST(NexmarkTest, ColumnListMustMatch) {
  EXPECT_THAT([] { PlanSourceOf("nexmark", {{"event_rate", "1"}}, {{{"bids", Type::Text()}}}); },
              ThrowsMessage<UserError>(HasSubstr("no column 'bids'")));
  EXPECT_THAT([] { PlanSourceOf("nexmark", {{"event_rate", "1"}}, {{{"bid", Type::Text()}}}); },
              ThrowsMessage<UserError>(HasSubstr("not TEXT")));
  EXPECT_THAT([] { PlanSourceOf("nexmark", {{"event_rate", "-1"}}, {}); },
              ThrowsMessage<UserError>(HasSubstr("negative")));
  EXPECT_THAT([] { PlanSourceOf("nexmark", {}, {}); },
              ThrowsMessage<UserError>(HasSubstr("needs the option 'event_rate'")));
  EXPECT_FALSE(PlanSourceOf("nexmark", {{"next-event.rate", "10"}}, {}).bounded);
}

TEST(NexmarkTest, OtherProportions) {
  const Batch rows = Nexmark({{"events_num", "100"},
                              {"person.proportion", "0"},
                              {"auction.proportion", "0"},
                              {"bid.proportion", "1"}},
                             NexmarkSchema());
  EXPECT_EQ(Struct(rows, 3).null_count(), 0);
  EXPECT_EQ(Struct(rows, 1).null_count(), 100);
}

TEST(ImpulseTest, CountsPerSubtask) {
  const Schema schema = *ConnectorNamed("impulse").ImpliedSchema({});
  const SourcePlan plan = PlanSourceOf(
      "impulse", {{"event_rate", "0"}, {"message_count", "5"}, {"event_time_interval", "1500"}}, schema);
  EXPECT_EQ(plan.default_event_time, 2);
  SourceRun run(plan.make(), 1, 2, nullptr, 3);
  run.Poll();
  MemorySnapshot snapshot;
  run.SaveTo(&snapshot);
  const int64_t start = run.clock.now_us();
  SourceRun again(plan.make(), 1, 2, &snapshot, 3);
  EXPECT_EQ(again.out.splits.size(), 0u);
  again.clock.Advance(1'000'000);
  EXPECT_EQ(again.Drain(), PollResult::kEnd);
  const Batch rows = AllRows(again.out);
  ASSERT_EQ(rows.num_rows, 2);
  EXPECT_EQ(Int(*rows.columns[0], 0), 3);
  EXPECT_EQ(Int(*rows.columns[1], 0), 1);
  EXPECT_EQ(Int(*rows.columns[2], 1), start + 4 * 1500) << "event time counts from the first start";
}

TEST(DatagenTest, KindsAndTypes) {
  const Schema schema = {{{"id", Type::Int64()},
                          {"small", Type::Int8()},
                          {"price", Type::Decimal(10, 2)},
                          {"ratio", Type::Double()},
                          {"name", Type::Text()},
                          {"flag", Type::Boolean()},
                          {"color", Type::Text()},
                          {"fixed", Type::Date()},
                          {"at", Type::Timestamp()}}};
  const Settings settings = {{"rows_per_second", "0"},
                             {"number_of_rows", "1000"},
                             {"fields.id.kind", "sequence"},
                             {"fields.id.start", "10"},
                             {"fields.small.min", "-3"},
                             {"fields.small.max", "3"},
                             {"fields.price.max", "50"},
                             {"fields.name.length", "5"},
                             {"fields.color.values", "red,green"},
                             {"fields.fixed.value", "2024-02-29"},
                             {"fields.ratio.null_rate", "0.5"}};
  const SourcePlan plan = PlanSourceOf("datagen", settings, schema);
  EXPECT_TRUE(plan.bounded);
  SourceRun run(plan.make());
  run.Drain();
  const Batch rows = AllRows(run.out);
  ASSERT_EQ(rows.num_rows, 1000);
  for (int i = 0; i < 9; ++i) {
    const auto& column = rows.columns[static_cast<size_t>(i)];
    EXPECT_TRUE(column->type()->Equals(schema.fields[static_cast<size_t>(i)].type.arrow_type())) << i;
    EXPECT_TRUE(column->ValidateFull().ok()) << i;
    EXPECT_EQ(column->null_count() > 0, i == 3) << i;
  }
  EXPECT_EQ(Int(*rows.columns[0], 999), 1009);
  EXPECT_NEAR(rows.columns[3]->null_count(), 500, 80);
  for (int64_t row = 0; row < 1000; ++row) {
    const int8_t small = static_cast<const arrow::Int8Array&>(*rows.columns[1]).Value(row);
    ASSERT_TRUE(small >= -3 && small <= 3);
    ASSERT_EQ(static_cast<const arrow::StringArray&>(*rows.columns[4]).GetView(row).size(), 5u);
  }
  SourceRun again(plan.make());
  again.Drain();
  EXPECT_EQ(again.out.TakeText(), run.out.TakeText());
}

TEST(DatagenTest, SequenceWithAnEndEnds) {
  const SourcePlan plan = PlanSourceOf(
      "datagen",
      {{"event_rate", "0"}, {"fields.n.kind", "sequence"}, {"fields.n.start", "1"}, {"fields.n.end", "7"}});
  SourceRun first(plan.make(), 0, 2);
  SourceRun second(plan.make(), 1, 2);
  first.Drain();
  second.Drain();
  EXPECT_EQ(first.out.num_rows(), 4);
  EXPECT_EQ(second.out.num_rows(), 3);
  EXPECT_EQ(Int(*second.out.batches[0].columns[0], 2), 6);
}

TEST(DatagenTest, BadOptions) {
  const auto plan = [](Settings settings, Type type = Type::Int64()) {
    PlanSourceOf("datagen", settings, {{{"n", type}}});
  };
  EXPECT_THAT([&] { plan({{"fields.n.kindd", "x"}}); },
              ThrowsMessage<UserError>(HasSubstr("fields.n.kindd")));
  EXPECT_THAT([&] { plan({{"fields.n.kind", "x"}}); }, ThrowsMessage<UserError>(HasSubstr("one of random")));
  EXPECT_THAT([&] { plan({{"fields.n.min", "5"}, {"fields.n.max", "4"}}); },
              ThrowsMessage<UserError>(HasSubstr("leaves no value")));
  EXPECT_THAT([&] { plan({{"fields.n.values", "1,x"}}); },
              ThrowsMessage<UserError>(HasSubstr("cannot be read as BIGINT")));
  EXPECT_THAT([&] { plan({{"fields.m.min", "5"}}); }, ThrowsMessage<UserError>(HasSubstr("no column 'm'")));
  EXPECT_THAT([&] { plan({{"fields.n.kind", "constant"}}); },
              ThrowsMessage<UserError>(HasSubstr("needs 'fields.n.value'")));
  EXPECT_THAT([&] { plan({}, Type::Array(Type::Text())); },
              ThrowsMessage<UserError>(HasSubstr("cannot make column 'n'")));
}

TEST(GeneratorSourceTest, SharesAddUp) {
  for (const int64_t total : {0, 1, 7, 100}) {
    int64_t sum = 0;
    for (int split = 0; split < 3; ++split) sum += ShareOf(total, split, 3);
    EXPECT_EQ(sum, total);
  }
}

}  // namespace
}  // namespace laminar

#include "connectors/nexmark/generator.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>

#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>

#include "base/arrow_result.h"
#include "connectors/generators/array_fill.h"
#include "connectors/nexmark/text.h"

namespace laminar {

namespace {

// The public generator's parameters.
constexpr int64_t kFirstId = 1000;
constexpr int64_t kFirstCategory = 10;
constexpr int64_t kCategories = 5;
constexpr int64_t kLead = 10;       // ids that may be named before they exist
constexpr int64_t kInFlight = 100;  // auctions that are open at a time
constexpr int64_t kActivePeople = 1000;
constexpr int64_t kHotBatch = 100;
constexpr uint64_t kHotAuction = 2;  // all but one in so many bids go to the hot auction
constexpr uint64_t kHotSeller = 4;
constexpr uint64_t kHotBidder = 4;

constexpr std::array kFirstNames = {"Peter", "Paul",  "Luke",  "John",   "Saul",  "Vicky",
                                    "Kate",  "Julie", "Sarah", "Deiter", "Walter"};
constexpr std::array kLastNames = {"Shultz", "Abrams", "Spencer", "White", "Bartels",
                                   "Walton", "Smith",  "Jones",   "Noris"};
constexpr std::array kCities = {"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
                                "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
constexpr std::array kStates = {"AZ", "CA", "ID", "OR", "WA", "WY"};

enum Kind { kPerson = 0, kAuction = 1, kBid = 2 };

/// Each random choice has its own stream, so that leaving out a column changes no other.
enum class Stream : uint64_t {
  kFirstName = 1,
  kLastName,
  kEmail,
  kEmailHost,
  kCard,
  kCity,
  kState,
  kPersonExtra,
  kPersonExtraBytes,
  kSellerHot,
  kSeller,
  kExpires,
  kInitial,
  kReserve,
  kCategory,
  kItem,
  kDescription,
  kAuctionExtra,
  kAuctionExtraBytes,
  kAuctionHot,
  kAuctionId,
  kBidderHot,
  kBidder,
  kPrice,
  kChannelHot,
  kChannel,
  kBidExtra,
  kBidExtraBytes,
};

/// 100 × 10^(6u) for u in [0, 1), from 24 random bits: the product of two small tables instead of a pow per
/// row.
class PriceTable {
 public:
  PriceTable() {
    for (int i = 0; i < 4096; ++i) {
      coarse_[static_cast<size_t>(i)] = 100.0 * std::pow(10.0, 6.0 * i / 4096);
      fine_[static_cast<size_t>(i)] = std::pow(10.0, 6.0 * i / (4096.0 * 4096.0));
    }
  }
  int64_t At(uint64_t random) const {
    return static_cast<int64_t>(coarse_[random & 4095] * fine_[(random >> 12) & 4095] + 0.5);
  }

 private:
  std::array<double, 4096> coarse_;
  std::array<double, 4096> fine_;
};

const PriceTable& Prices() {
  static const PriceTable table;
  return table;
}

size_t Append(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return text.size();
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// What event `id` is and says. All members are pure.
class Model {
 public:
  explicit Model(const NexmarkSpec& spec)
      : spec_(spec),
        total_(spec.person_proportion + spec.auction_proportion + spec.bid_proportion),
        seed_(MixBits(spec.seed + 0x5851F42D4C957F2DULL)),
        us_per_event_(1e6 / spec.events_per_second) {}

  Kind KindOf(int64_t id) const {
    const int64_t offset = id % total_;
    if (offset < spec_.person_proportion) return kPerson;
    return offset < spec_.person_proportion + spec_.auction_proportion ? kAuction : kBid;
  }
  void set_base_us(int64_t base_us) { base_us_ = base_us; }
  int64_t TimeUs(int64_t id) const { return base_us_ + OffsetMs(id) * 1000; }

  uint64_t Random(int64_t id, Stream stream) const {
    return MixBits(seed_ + static_cast<uint64_t>(id) * 0x9E3779B97F4A7C15ULL +
                   static_cast<uint64_t>(stream) * 0xD1B54A32D192ED03ULL);
  }
  /// Below `n`, by the high bits: unbiased enough and without a division.
  int64_t Below(int64_t id, Stream stream, int64_t n) const {
    return static_cast<int64_t>(
        (static_cast<unsigned __int128>(Random(id, stream)) * static_cast<uint64_t>(n)) >> 64);
  }

  int64_t PersonId(int64_t id) const { return LastPerson(id) + kFirstId; }
  int64_t AuctionId(int64_t id) const {
    return id / total_ * spec_.auction_proportion + id % total_ - spec_.person_proportion + kFirstId;
  }
  int64_t Seller(int64_t id) const {
    const int64_t last = LastPerson(id);
    const bool hot = Random(id, Stream::kSellerHot) % kHotSeller > 0;
    return (hot ? last / kHotBatch * kHotBatch : SomePerson(id, Stream::kSeller)) + kFirstId;
  }
  int64_t Bidder(int64_t id) const {
    const int64_t last = LastPerson(id);
    const bool hot = Random(id, Stream::kBidderHot) % kHotBidder > 0;
    return (hot ? last / kHotBatch * kHotBatch + 1 : SomePerson(id, Stream::kBidder)) + kFirstId;
  }
  int64_t BidAuction(int64_t id) const {
    const int64_t last = std::max<int64_t>(0, (id / total_ + 1) * spec_.auction_proportion - 1);
    if (Random(id, Stream::kAuctionHot) % kHotAuction > 0) return last / kHotBatch * kHotBatch + kFirstId;
    const int64_t low = std::max<int64_t>(0, last - kInFlight);
    return low + Below(id, Stream::kAuctionId, last - low + 1 + kLead) + kFirstId;
  }
  int64_t Price(int64_t id, Stream stream) const { return Prices().At(Random(id, stream)); }
  int64_t ExpiresUs(int64_t id) const {
    const int64_t auctions = std::max<int64_t>(1, spec_.auction_proportion);
    const int64_t horizon_ms = OffsetMs(id + kInFlight * total_ / auctions) - OffsetMs(id);
    return TimeUs(id) + (1 + Below(id, Stream::kExpires, std::max<int64_t>(1, 2 * horizon_ms))) * 1000;
  }
  const NexmarkChannel& Channel(int64_t id) const {
    const auto& channels = NexmarkText::Get().channels();
    const bool hot = (Random(id, Stream::kChannelHot) & 1) != 0;
    const auto at = static_cast<size_t>(hot ? Below(id, Stream::kChannel, NexmarkText::kHotChannels)
                                            : static_cast<int64_t>(NexmarkText::kHotChannels) +
                                                  Below(id, Stream::kChannel, NexmarkText::kColdChannels));
    return channels[at];
  }
  /// Filler that brings a record of about `used` bytes to about `wanted`.
  std::string_view Extra(int64_t id, Stream place, Stream bytes, int64_t used, int64_t wanted) const {
    const int64_t rest = wanted - used;
    const int64_t spread = rest / 5;
    return NexmarkText::Get().Letters(Random(id, place),
                                      static_cast<uint64_t>(rest - spread + Below(id, bytes, 2 * spread)));
  }

 private:
  int64_t OffsetMs(int64_t id) const {
    return static_cast<int64_t>(static_cast<double>(id) * us_per_event_) / 1000;
  }
  int64_t LastPerson(int64_t id) const {
    return std::max<int64_t>(
        0, id / total_ * spec_.person_proportion + std::min(id % total_, spec_.person_proportion - 1));
  }
  int64_t SomePerson(int64_t id, Stream stream) const {
    const int64_t people = LastPerson(id) + 1;
    const int64_t active = std::min(people, kActivePeople);
    return people - active + Below(id, stream, active + kLead);
  }

  const NexmarkSpec spec_;
  const int64_t total_;
  const uint64_t seed_;
  const double us_per_event_;
  int64_t base_us_ = 0;
};

/// The rows of one kind within a batch.
struct KindRows {
  std::vector<int32_t> rows;  // ascending
  std::shared_ptr<arrow::Buffer> valid;
  int64_t null_count = 0;
};

struct Rows {
  int64_t count = 0;
  int64_t first_id = 0;
  int64_t stride = 1;
  std::array<KindRows, 3> kinds;

  int64_t id(int64_t row) const { return first_id + row * stride; }
};

/// Makes the array of one STRUCT field for the rows of its kind; other rows are NULL.
using FieldMaker = std::function<std::shared_ptr<arrow::Array>(const Model&, const Rows&, const KindRows&)>;

template <typename Value>
FieldMaker Int64Field(std::shared_ptr<arrow::DataType> type, Value value) {
  return [type, value](const Model& model, const Rows& rows, const KindRows& kind) {
    std::shared_ptr<arrow::Buffer> buffer = OrThrow(arrow::AllocateBuffer(rows.count * 8), "column");
    auto* out = reinterpret_cast<int64_t*>(buffer->mutable_data());
    std::memset(out, 0, static_cast<size_t>(rows.count) * 8);
    for (const int32_t row : kind.rows) out[row] = value(model, rows.id(row));
    return arrow::MakeArray(
        arrow::ArrayData::Make(type, rows.count, {kind.valid, std::move(buffer)}, kind.null_count));
  };
}

template <typename Value>
FieldMaker BigintField(Value value) {
  return Int64Field(arrow::int64(), value);
}

template <typename Value>
FieldMaker TimeField(Value value) {
  return Int64Field(arrow::timestamp(arrow::TimeUnit::MICRO), value);
}

/// `write(model, id, out)` writes at most `bytes_max` bytes and returns how many.
template <typename Write>
FieldMaker TextField(int64_t bytes_max, Write write) {
  return [bytes_max, write](const Model& model, const Rows& rows, const KindRows& kind) {
    std::shared_ptr<arrow::Buffer> offsets = OrThrow(arrow::AllocateBuffer((rows.count + 1) * 4), "column");
    std::shared_ptr<arrow::ResizableBuffer> data =
        OrThrow(arrow::AllocateResizableBuffer(static_cast<int64_t>(kind.rows.size()) * bytes_max), "column");
    auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
    auto* out = reinterpret_cast<char*>(data->mutable_data());
    int32_t at = 0;
    int64_t next = 0;  // the row whose start is not known yet
    for (const int32_t row : kind.rows) {
      for (; next <= row; ++next) ends[next] = at;
      at += static_cast<int32_t>(write(model, rows.id(row), out + at));
    }
    for (; next <= rows.count; ++next) ends[next] = at;
    OrThrow(data->Resize(at, /*shrink_to_fit=*/false), "column");
    return arrow::MakeArray(arrow::ArrayData::Make(
        arrow::utf8(), rows.count, {kind.valid, std::move(offsets), std::move(data)}, kind.null_count));
  };
}

template <size_t n>
FieldMaker ChoiceField(const std::array<const char*, n>& choices, Stream stream) {
  return TextField(16, [&choices, stream](const Model& model, int64_t id, char* out) {
    return Append(out, choices[static_cast<size_t>(model.Below(id, stream, n))]);
  });
}

size_t WriteName(const Model& model, int64_t id, char* out) {
  size_t bytes =
      Append(out, kFirstNames[static_cast<size_t>(model.Below(id, Stream::kFirstName, kFirstNames.size()))]);
  out[bytes++] = ' ';
  return bytes +
         Append(out + bytes,
                kLastNames[static_cast<size_t>(model.Below(id, Stream::kLastName, kLastNames.size()))]);
}

size_t WriteEmail(const Model& model, int64_t id, char* out) {
  const NexmarkText& text = NexmarkText::Get();
  const uint64_t user = model.Random(id, Stream::kEmail);
  const uint64_t host = model.Random(id, Stream::kEmailHost);
  size_t bytes = Append(out, Trimmed(text.Words(user, 3 + (user >> 32) % 4)));
  out[bytes++] = '@';
  bytes += Append(out + bytes, Trimmed(text.Words(host, 3 + (host >> 32) % 2)));
  return bytes + Append(out + bytes, ".com");
}

size_t WriteCard(const Model& model, int64_t id, char* out) {
  uint64_t random = model.Random(id, Stream::kCard);
  for (int i = 0; i < 19; ++i) {
    const bool blank = i % 5 == 4;
    out[i] = blank ? ' ' : static_cast<char>('0' + random % 10);
    if (!blank) random /= 10;
  }
  return 19;
}

size_t WriteItem(const Model& model, int64_t id, char* out) {
  const uint64_t random = model.Random(id, Stream::kItem);
  return Append(out, Trimmed(NexmarkText::Get().Words(random, 3 + (random >> 32) % 17)));
}

size_t WriteDescription(const Model& model, int64_t id, char* out) {
  const uint64_t random = model.Random(id, Stream::kDescription);
  return Append(out, Trimmed(NexmarkText::Get().Words(random, 3 + (random >> 32) % 97)));
}

FieldMaker ExtraField(Stream place, Stream bytes, int64_t used, int64_t wanted) {
  return TextField(wanted + wanted / 5, [=](const Model& model, int64_t id, char* out) {
    return Append(out, model.Extra(id, place, bytes, used, wanted));
  });
}

struct MadeField {
  const char* name;
  Type type;
  FieldMaker make;
};

struct MadeColumn {
  const char* name;
  Kind kind;
  std::vector<MadeField> fields;
};

MadeField EventTimeField() {
  return {"datetime", Type::Timestamp(), TimeField([](const Model& m, int64_t id) { return m.TimeUs(id); })};
}

std::vector<MadeField> PersonFields() {
  return {
      {"id", Type::Int64(), BigintField([](const Model& m, int64_t id) { return m.PersonId(id); })},
      {"name", Type::Text(), TextField(32, WriteName)},
      {"email_address", Type::Text(), TextField(24, WriteEmail)},
      {"credit_card", Type::Text(), TextField(19, WriteCard)},
      {"city", Type::Text(), ChoiceField(kCities, Stream::kCity)},
      {"state", Type::Text(), ChoiceField(kStates, Stream::kState)},
      EventTimeField(),
      {"extra", Type::Text(), ExtraField(Stream::kPersonExtra, Stream::kPersonExtraBytes, 62, 200)},
  };
}

std::vector<MadeField> AuctionFields() {
  return {
      {"id", Type::Int64(), BigintField([](const Model& m, int64_t id) { return m.AuctionId(id); })},
      {"description", Type::Text(), TextField(100, WriteDescription)},
      {"item_name", Type::Text(), TextField(20, WriteItem)},
      {"initial_bid", Type::Int64(),
       BigintField([](const Model& m, int64_t id) { return m.Price(id, Stream::kInitial); })},
      {"reserve", Type::Int64(), BigintField([](const Model& m, int64_t id) {
         return m.Price(id, Stream::kInitial) + m.Price(id, Stream::kReserve);
       })},
      EventTimeField(),
      {"expires", Type::Timestamp(), TimeField([](const Model& m, int64_t id) { return m.ExpiresUs(id); })},
      {"seller", Type::Int64(), BigintField([](const Model& m, int64_t id) { return m.Seller(id); })},
      {"category", Type::Int64(), BigintField([](const Model& m, int64_t id) {
         return kFirstCategory + m.Below(id, Stream::kCategory, kCategories);
       })},
      {"extra", Type::Text(), ExtraField(Stream::kAuctionExtra, Stream::kAuctionExtraBytes, 110, 500)},
  };
}

std::vector<MadeField> BidFields() {
  return {
      {"auction", Type::Int64(), BigintField([](const Model& m, int64_t id) { return m.BidAuction(id); })},
      {"bidder", Type::Int64(), BigintField([](const Model& m, int64_t id) { return m.Bidder(id); })},
      {"price", Type::Int64(),
       BigintField([](const Model& m, int64_t id) { return m.Price(id, Stream::kPrice); })},
      {"channel", Type::Text(),
       TextField(16, [](const Model& m, int64_t id, char* out) { return Append(out, m.Channel(id).name); })},
      {"url", Type::Text(),
       TextField(96, [](const Model& m, int64_t id, char* out) { return Append(out, m.Channel(id).url); })},
      EventTimeField(),
      {"extra", Type::Text(), ExtraField(Stream::kBidExtra, Stream::kBidExtraBytes, 32, 100)},
  };
}

const std::vector<MadeColumn>& MadeColumns() {
  static const std::vector<MadeColumn> columns = {{"person", kPerson, PersonFields()},
                                                  {"auction", kAuction, AuctionFields()},
                                                  {"bid", kBid, BidFields()}};
  return columns;
}

class NexmarkGenerator final : public RowGenerator {
 public:
  NexmarkGenerator(const NexmarkSpec& spec, Schema columns) : spec_(spec), model_(spec) {
    for (const Field& field : columns.fields) plans_.push_back(PlanOf(field));
  }

  Batch Generate(const RowRange& range) override {
    model_.set_base_us(spec_.base_is_start ? range.start_us : spec_.base_us);
    const Rows rows = RowsOf(range);
    Batch batch;
    batch.num_rows = range.rows;
    for (const ColumnPlan& plan : plans_) batch.columns.push_back(MakeColumn(plan, rows));
    batch.columns.push_back(
        FillTimestamps(rows.count, [&](int64_t row) { return model_.TimeUs(rows.id(row)); }));
    return batch;
  }

 private:
  struct ColumnPlan {
    const MadeColumn* column = nullptr;  // null: event_type
    std::shared_ptr<arrow::DataType> type;
    std::vector<const MadeField*> fields;
  };

  static ColumnPlan PlanOf(const Field& wanted) {
    ColumnPlan plan;
    plan.type = wanted.type.arrow_type();
    for (const MadeColumn& column : MadeColumns()) {
      if (EqualsIgnoreCase(column.name, wanted.name)) plan.column = &column;
    }
    if (plan.column == nullptr) return plan;
    for (const Field& field : wanted.type.fields()) {
      for (const MadeField& made : plan.column->fields) {
        if (EqualsIgnoreCase(made.name, field.name)) plan.fields.push_back(&made);
      }
    }
    LAMINAR_CHECK(plan.fields.size() == wanted.type.fields().size(), "unknown nexmark field");
    return plan;
  }

  Rows RowsOf(const RowRange& range) const {
    Rows rows;
    rows.count = range.rows;
    rows.first_id = range.counter * range.splits + range.split;
    rows.stride = range.splits;
    for (const ColumnPlan& plan : plans_) {
      if (plan.column != nullptr) FindRows(plan.column->kind, &rows);
    }
    return rows;
  }

  void FindRows(Kind wanted, Rows* rows) const {
    KindRows& kind = rows->kinds[wanted];
    kind.valid = OrThrow(arrow::AllocateEmptyBitmap(rows->count), "column");
    kind.rows.reserve(static_cast<size_t>(rows->count));
    uint8_t* bits = kind.valid->mutable_data();
    for (int64_t row = 0; row < rows->count; ++row) {
      if (model_.KindOf(rows->id(row)) != wanted) continue;
      arrow::bit_util::SetBit(bits, row);
      kind.rows.push_back(static_cast<int32_t>(row));
    }
    kind.null_count = rows->count - static_cast<int64_t>(kind.rows.size());
  }

  std::shared_ptr<arrow::Array> MakeColumn(const ColumnPlan& plan, const Rows& rows) const {
    if (plan.column == nullptr) {
      return FillColumn<int32_t>(arrow::int32(), rows.count, [&](int64_t row) {
        return static_cast<int32_t>(model_.KindOf(rows.id(row)));
      });
    }
    // The fields share the bitmap of the STRUCT: a reader that looks only at them sees NULLs too.
    const KindRows& kind = rows.kinds[plan.column->kind];
    arrow::ArrayVector children;
    for (const MadeField* field : plan.fields) children.push_back(field->make(model_, rows, kind));
    return std::make_shared<arrow::StructArray>(plan.type, rows.count, std::move(children), kind.valid,
                                                kind.null_count);
  }

  const NexmarkSpec spec_;
  Model model_;
  std::vector<ColumnPlan> plans_;
};

}  // namespace

Schema NexmarkSchema() {
  Schema schema;
  schema.fields.push_back({"event_type", Type::Int32(), false});
  for (const MadeColumn& column : MadeColumns()) {
    std::vector<Field> fields;
    for (const MadeField& field : column.fields) fields.push_back({field.name, field.type, true});
    schema.fields.push_back({column.name, Type::Struct(std::move(fields)), true});
  }
  return schema;
}

std::unique_ptr<RowGenerator> MakeNexmarkGenerator(const NexmarkSpec& spec, Schema columns) {
  return std::make_unique<NexmarkGenerator>(spec, std::move(columns));
}

}  // namespace laminar

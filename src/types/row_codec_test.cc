#include "types/row_codec.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "base/arrow_result.h"
#include "types/key_encoder.h"

namespace laminar {
namespace {

using Columns = std::vector<std::shared_ptr<arrow::Array>>;

template <typename Builder, typename T>
std::shared_ptr<arrow::Array> MakeArray(const std::vector<std::optional<T>>& values,
                                        std::shared_ptr<arrow::DataType> type = nullptr) {
  Builder builder(type ? type : arrow::TypeTraits<typename Builder::TypeClass>::type_singleton(),
                  arrow::default_memory_pool());
  for (const auto& value : values) OrThrow(value ? builder.Append(*value) : builder.AppendNull());
  return OrThrow(builder.Finish());
}

std::shared_ptr<arrow::Array> Int64s(const std::vector<std::optional<int64_t>>& values) {
  return MakeArray<arrow::Int64Builder>(values);
}
std::shared_ptr<arrow::Array> Doubles(const std::vector<std::optional<double>>& values) {
  return MakeArray<arrow::DoubleBuilder>(values);
}
std::shared_ptr<arrow::Array> Texts(const std::vector<std::optional<std::string>>& values) {
  return MakeArray<arrow::StringBuilder>(values);
}

/// One array of every SQL type with `n` random values, a quarter of them NULL, as a slice at offset 3.
std::shared_ptr<arrow::Array> RandomArray(const std::shared_ptr<arrow::DataType>& type, int64_t n,
                                          std::mt19937_64& rng) {
  auto builder = OrThrow(arrow::MakeBuilder(type));
  std::function<void(arrow::ArrayBuilder*)> append = [&](arrow::ArrayBuilder* to) {
    const bool is_null = rng() % 4 == 0;
    if (is_null || to->type()->id() == arrow::Type::NA) {
      OrThrow(to->AppendNull());
      return;
    }
    const int64_t small = static_cast<int64_t>(rng() % 7) - (to->type()->id() == arrow::Type::TIME64 ? 0 : 3);
    switch (to->type()->id()) {
      case arrow::Type::STRING:
      case arrow::Type::BINARY: {
        std::string text(rng() % 5, 'a');
        for (char& c : text) c = "\0ab\x7f"[rng() % 4];
        OrThrow(static_cast<arrow::BinaryBuilder*>(to)->Append(text));
        break;
      }
      case arrow::Type::LIST: {
        auto* list = static_cast<arrow::ListBuilder*>(to);
        OrThrow(list->Append());
        for (uint64_t i = rng() % 4; i > 0; --i) append(list->value_builder());
        break;
      }
      case arrow::Type::MAP: {
        auto* map = static_cast<arrow::MapBuilder*>(to);
        OrThrow(map->Append());
        for (uint64_t i = rng() % 3; i > 0; --i) {
          OrThrow(static_cast<arrow::StringBuilder*>(map->key_builder())->Append("k" + std::to_string(i)));
          append(map->item_builder());
        }
        break;
      }
      case arrow::Type::STRUCT: {
        auto* record = static_cast<arrow::StructBuilder*>(to);
        OrThrow(record->Append());
        for (int i = 0; i < record->num_fields(); ++i) append(record->field_builder(i));
        break;
      }
      case arrow::Type::INTERVAL_MONTH_DAY_NANO:
        OrThrow(static_cast<arrow::MonthDayNanoIntervalBuilder*>(to)->Append(
            {static_cast<int32_t>(small), static_cast<int32_t>(rng() % 3), small * 1000}));
        break;
      default: {
        auto scalar = arrow::MakeScalar(small);
        auto cast = to->type()->id() == arrow::Type::BOOL
                        ? arrow::Result<std::shared_ptr<arrow::Scalar>>(arrow::MakeScalar(small > 0))
                    : to->type()->id() == arrow::Type::DECIMAL128
                        ? arrow::Result<std::shared_ptr<arrow::Scalar>>(
                              std::make_shared<arrow::Decimal128Scalar>(arrow::Decimal128(small), to->type()))
                        : scalar->CastTo(to->type());
        OrThrow(to->AppendScalar(*OrThrow(cast)));
      }
    }
  };
  for (int64_t i = 0; i < n + 5; ++i) append(builder.get());
  return OrThrow(builder->Finish())->Slice(3, n);
}

std::vector<Type> AllTypes() {
  std::vector<Type> types = {
      Type::Null(),        Type::Boolean(),  Type::Int8(),          Type::Int16(),       Type::Int32(),
      Type::Int64(),       Type::UInt8(),    Type::UInt16(),        Type::UInt32(),      Type::UInt64(),
      Type::Float(),       Type::Double(),   Type::Decimal(38, 10), Type::Decimal(9, 2), Type::Text(),
      Type::Bytes(),       Type::Date(),     Type::Time(),          Type::Timestamp(),   Type::Timestamp(9),
      Type::TimestampTz(), Type::Interval(), Type::Json(),          Type::Window()};
  for (const char* name :
       {"BIGINT[]", "TEXT[][]", "MAP<TEXT, INT>", "STRUCT<a INT, b TEXT, c STRUCT<d BOOLEAN, e DOUBLE[]>>",
        "STRUCT<a BIGINT, b TIMESTAMP>[]", "MAP<TEXT, STRUCT<x INT>>"}) {
    types.push_back(*ParseTypeName(name));
  }
  for (Type& type : types) {
    // UINT values of the generator would be negative; keep them as what they cast to.
    if (type.is_unsigned_integer()) type = Type::UInt64();
  }
  return types;
}

TEST(KeyTest, EqualBytesMeanSqlEquality) {
  ByteStrings keys;
  const double nan2 = std::nan("7");
  EncodeKeys({Doubles({0.0, -0.0, std::nan(""), -nan2, std::nullopt, 1.0})}, 6, &keys);
  EXPECT_EQ(keys[0], keys[1]);
  EXPECT_EQ(keys[2], keys[3]);
  EXPECT_NE(keys[0], keys[4]);
  EXPECT_NE(keys[0], keys[5]);
}

TEST(KeyTest, TextBoundariesMatter) {
  ByteStrings keys;
  EncodeKeys({Texts({"a", "ab", "", std::nullopt, std::nullopt}),
              Texts({"bc", "c", std::nullopt, "", std::nullopt})},
             5, &keys);
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < i; ++j) EXPECT_NE(keys[i], keys[j]) << i << " " << j;
  }
}

TEST(KeyTest, BytesUnderANullDoNotCount) {
  auto values = Int64s({1, 2});
  auto bits = OrThrow(arrow::AllocateBitmap(2));
  bits->mutable_data()[0] = 0;
  auto nulls = arrow::MakeArray(
      arrow::ArrayData::Make(arrow::int64(), 2, {std::move(bits), values->data()->buffers[1]}));
  ByteStrings keys;
  EncodeKeys({nulls}, 2, &keys);
  EXPECT_EQ(keys[0], keys[1]);
  auto windows = std::make_shared<arrow::StructArray>(arrow::struct_({arrow::field("x", arrow::int64())}), 2,
                                                      arrow::ArrayVector{values}, nulls->null_bitmap());
  keys.Clear();
  EncodeKeys({windows}, 2, &keys);
  EXPECT_EQ(keys[0], keys[1]);
}

TEST(KeyTest, MapOrderDoesNotMatter) {
  auto type = arrow::map(arrow::utf8(), arrow::int32());
  arrow::MapBuilder builder(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>(),
                            std::make_shared<arrow::Int32Builder>());
  auto* keys = static_cast<arrow::StringBuilder*>(builder.key_builder());
  auto* items = static_cast<arrow::Int32Builder*>(builder.item_builder());
  for (const auto& order : {std::vector<int>{1, 2}, std::vector<int>{2, 1}}) {
    OrThrow(builder.Append());
    for (int i : order) {
      OrThrow(keys->Append("k" + std::to_string(i)));
      OrThrow(items->Append(i));
    }
  }
  ByteStrings out;
  EncodeKeys({OrThrow(builder.Finish())}, 2, &out);
  EXPECT_EQ(out[0], out[1]);
}

TEST(KeyTest, HashRowsEqualsHashOfKeyAndDecodesForEveryType) {
  std::mt19937_64 rng(7);
  const std::vector<Type> types = AllTypes();
  for (int trial = 0; trial < 300; ++trial) {
    Columns columns;
    std::vector<std::shared_ptr<arrow::DataType>> arrow_types;
    const int64_t n = 1 + static_cast<int64_t>(rng() % 600);
    for (uint64_t c = rng() % 5; c > 0; --c) {
      arrow_types.push_back(types[rng() % types.size()].arrow_type());
      columns.push_back(RandomArray(arrow_types.back(), n, rng));
    }
    ByteStrings keys;
    keys.Append("something before");
    EncodeKeys(columns, n, &keys);
    ASSERT_EQ(keys.size(), n + 1);
    std::vector<uint64_t> hashes(static_cast<size_t>(n));
    HashRows(columns, n, hashes.data());
    std::vector<std::string_view> views;
    for (int64_t i = 0; i < n; ++i) {
      ASSERT_EQ(hashes[i], HashKey(keys[i + 1])) << "trial " << trial;
      views.push_back(keys[i + 1]);
    }
    const Columns decoded = KeyCodec(arrow_types).Decode(views);
    ASSERT_EQ(decoded.size(), columns.size());
    for (size_t c = 0; c < columns.size(); ++c) {
      ASSERT_TRUE(decoded[c]->ValidateFull().ok())
          << decoded[c]->ValidateFull().ToString() << arrow_types[c]->ToString();
      ASSERT_TRUE(decoded[c]->type()->Equals(*columns[c]->type()));
      if (arrow_types[c]->ToString().find("map") == std::string::npos) {  // entries may change places
        ASSERT_TRUE(decoded[c]->Equals(*columns[c])) << trial << " " << arrow_types[c]->ToString() << "\n"
                                                     << decoded[c]->ToString() << columns[c]->ToString();
      }
    }
    ByteStrings again;
    EncodeKeys(decoded, n, &again);
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(again[i], keys[i + 1]);
  }
}

TEST(KeyTest, HashIsPartOfTheFormat) {
  uint64_t hashes[2];
  HashRows({Int64s({42, std::nullopt})}, 2, hashes);
  EXPECT_EQ(hashes[0], HashKey(std::string("\x2a\0\0\0\0\0\0\0", 8)));
  EXPECT_EQ(hashes[1], HashKey(std::string("\0\0\0\0\0\0\0\0\x01", 9)));
  EXPECT_EQ(HashKey(""), 0x2d06800538d394c2u);
  HashRows({}, 2, hashes);
  EXPECT_EQ(hashes[1], HashKey(""));
}

TEST(KeyTest, AnyNullLooksAtEveryColumn) {
  std::vector<bool> nulls;
  AnyNull({Int64s({1, std::nullopt, 3}), Texts({"a", "b", std::nullopt})}, 3, &nulls);
  EXPECT_EQ(nulls, (std::vector<bool>{false, true, true}));
  AnyNull({}, 2, &nulls);
  EXPECT_EQ(nulls, (std::vector<bool>{false, false}));
}

TEST(RowCodecTest, RoundTripOfEveryType) {
  std::mt19937_64 rng(11);
  const std::vector<Type> types = AllTypes();
  for (int trial = 0; trial < 200; ++trial) {
    Columns columns;
    std::vector<std::shared_ptr<arrow::DataType>> arrow_types;
    const int64_t n = static_cast<int64_t>(rng() % 40);
    for (uint64_t c = rng() % 20; c > 0; --c) {
      arrow_types.push_back(types[rng() % types.size()].arrow_type());
      columns.push_back(RandomArray(arrow_types.back(), n, rng));
    }
    const RowCodec codec(arrow_types);
    std::vector<int32_t> rows(static_cast<size_t>(n));
    std::iota(rows.begin(), rows.end(), 0);
    std::reverse(rows.begin(), rows.end());
    ByteStrings all, reversed;
    codec.Encode(columns, nullptr, n, &all);
    codec.Encode(columns, rows.data(), n, &reversed);
    ASSERT_EQ(all.size(), n);
    std::vector<std::string_view> views;
    for (int64_t i = 0; i < n; ++i) {
      ASSERT_EQ(all[i], reversed[n - 1 - i]);
      views.push_back(all[i]);
    }
    const Columns decoded = codec.Decode(views);
    for (size_t c = 0; c < columns.size(); ++c) {
      ASSERT_TRUE(decoded[c]->ValidateFull().ok())
          << decoded[c]->ValidateFull().ToString() << arrow_types[c]->ToString();
      ASSERT_TRUE(decoded[c]->Equals(*columns[c])) << arrow_types[c]->ToString();
      ASSERT_TRUE(codec.DecodeColumns(views, {static_cast<int>(c)})[0]->Equals(*columns[c]));
    }
  }
}

TEST(RowCodecTest, NullPointerIsARowOfNulls) {
  const RowCodec codec({arrow::int64(), arrow::utf8(), arrow::list(arrow::int32())});
  const auto columns = codec.Decode({std::string_view()});
  ASSERT_EQ(columns.size(), 3u);
  for (const auto& column : columns) EXPECT_TRUE(column->IsNull(0));
}

/// Order of two rows by sort bytes: −1, 0, 1.
int Compare(const std::shared_ptr<arrow::Array>& column, SortColumn order, int64_t a, int64_t b) {
  ByteStrings keys;
  EncodeSortKeys({column}, {order}, column->length(), &keys);
  const int result = keys[a].compare(keys[b]);
  return result < 0 ? -1 : result > 0;
}

TEST(SortKeyTest, NumbersNullsAndNan) {
  const double inf = std::numeric_limits<double>::infinity();
  auto values = Doubles({-inf, -1.5, -0.0, 1e-300, 2.0, inf, std::nan(""), std::nullopt});
  for (int i = 0; i < 8; ++i) {
    for (int j = 0; j < 8; ++j) {
      const int expected = i < j ? -1 : i > j;
      EXPECT_EQ(Compare(values, {}, i, j), expected) << i << " " << j;
      if (i < 7 && j < 7) {
        EXPECT_EQ(Compare(values, {true, true}, i, j), -expected);
      }
    }
  }
  EXPECT_EQ(Compare(values, {true, true}, 7, 6), -1);
  EXPECT_EQ(Compare(values, {true, false}, 7, 0), 1);
  EXPECT_EQ(Compare(Doubles({0.0, -0.0}), {}, 0, 1), 0);
  auto ints = Int64s({std::numeric_limits<int64_t>::min(), -1, 0, 1, std::numeric_limits<int64_t>::max()});
  for (int i = 0; i + 1 < 5; ++i) {
    EXPECT_EQ(Compare(ints, {}, i, i + 1), -1);
    EXPECT_EQ(Compare(ints, {true, false}, i, i + 1), 1);
  }
}

TEST(SortKeyTest, TextByBytesBothWays) {
  auto texts = Texts(
      {"", std::string("\0", 1), std::string("\0a", 2), "a", std::string("a\0", 2), "ab", "b", "\xc3\xa4"});
  for (int i = 0; i < 8; ++i) {
    for (int j = 0; j < 8; ++j) {
      const int expected = i < j ? -1 : i > j;
      EXPECT_EQ(Compare(texts, {}, i, j), expected) << i << " " << j;
      EXPECT_EQ(Compare(texts, {true, true}, i, j), -expected) << i << " " << j;
    }
  }
}

TEST(SortKeyTest, SecondColumnBreaksTies) {
  ByteStrings keys;
  EncodeSortKeys({Texts({"a", "a", "ab"}), Int64s({2, 1, 0})}, {{}, {true, true}}, 3, &keys);
  EXPECT_LT(keys[0], keys[1]);
  EXPECT_LT(keys[1], keys[2]);
}

TEST(SortKeyTest, DecimalsIntervalsListsOfRandomValuesAgreeWithArrowScalars) {
  std::mt19937_64 rng(5);
  auto decimals = RandomArray(arrow::decimal128(20, 2), 50, rng);
  for (int64_t i = 0; i < 50; ++i) {
    for (int64_t j = 0; j < 50; ++j) {
      if (decimals->IsNull(i) || decimals->IsNull(j)) continue;
      const auto& typed = static_cast<const arrow::Decimal128Array&>(*decimals);
      const arrow::Decimal128 a(typed.GetValue(i)), b(typed.GetValue(j));
      EXPECT_EQ(Compare(decimals, {}, i, j), a < b ? -1 : a > b);
    }
  }
  auto day = MakeArray<arrow::MonthDayNanoIntervalBuilder, arrow::MonthDayNanoIntervalType::MonthDayNanos>(
      {{{0, 1, -1}}, {{0, 0, 86'400'000'000'000}}, {{0, 1, 0}}, {{1, 0, 0}}, {{0, 31, 0}}});
  EXPECT_EQ(Compare(day, {}, 0, 1), -1);
  EXPECT_EQ(Compare(day, {}, 1, 2), 0);
  EXPECT_EQ(Compare(day, {}, 2, 3), -1);
  EXPECT_EQ(Compare(day, {}, 3, 4), -1);
}

}  // namespace
}  // namespace laminar

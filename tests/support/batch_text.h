#pragma once

/// Batches as text, for tests: one row a line, "+" or "-" first, then the values.

#include <arrow/api.h>
#include <arrow/util/decimal.h>

#include <cctype>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/arrow_result.h"
#include "types/batch.h"

namespace laminar {

/// Words of a line: blanks separate, 'quoted text' may hold them ('' is a quote). `quoted[i]` tells NULL from
/// 'NULL'.
inline std::vector<std::string> SplitWords(std::string_view line, std::vector<bool>* quoted) {
  std::vector<std::string> words;
  quoted->clear();
  for (size_t i = 0; i < line.size();) {
    if (std::isspace(static_cast<unsigned char>(line[i]))) {
      ++i;
      continue;
    }
    std::string word;
    const bool in_quotes = line[i] == '\'';
    if (in_quotes) {
      for (++i; i < line.size(); ++i) {
        if (line[i] == '\'' && (++i >= line.size() || line[i] != '\'')) break;
        word.push_back(line[i]);
      }
    } else {
      while (i < line.size() && !std::isspace(static_cast<unsigned char>(line[i]))) word.push_back(line[i++]);
    }
    words.push_back(std::move(word));
    quoted->push_back(in_quotes);
  }
  return words;
}

/// Microseconds of "hh:mm:ss[.ffffff]" on 1970-01-01.
inline int64_t ParseTimeOfDay(const std::string& text) {
  const std::shared_ptr<arrow::Scalar> time =
      OrThrow(arrow::Scalar::Parse(arrow::time64(arrow::TimeUnit::MICRO), text), text.c_str());
  return static_cast<const arrow::Time64Scalar&>(*time).value;
}

inline std::shared_ptr<arrow::Scalar> ParseScalar(const std::string& word,
                                                  const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() == arrow::Type::STRING || type->id() == arrow::Type::BINARY) {
    return OrThrow(arrow::MakeScalar(type, arrow::Buffer::FromString(word)));
  }
  const bool number = word.find_first_not_of("-0123456789") == std::string::npos && word.rfind('-') != 4;
  if (type->id() == arrow::Type::TIMESTAMP && number) {
    return OrThrow(arrow::MakeScalar(type, static_cast<int64_t>(std::stoll(word))));
  }
  if (type->id() == arrow::Type::TIMESTAMP && word.size() > 2 && word[2] == ':') {
    const bool nano = static_cast<const arrow::TimestampType&>(*type).unit() == arrow::TimeUnit::NANO;
    return OrThrow(arrow::MakeScalar(type, ParseTimeOfDay(word) * (nano ? 1000 : 1)));
  }
  if (type->id() == arrow::Type::DECIMAL128) {
    const auto& decimal = static_cast<const arrow::Decimal128Type&>(*type);
    arrow::Decimal128 value;
    int32_t precision = 0, scale = 0;
    OrThrow(arrow::Decimal128::FromString(word, &value, &precision, &scale), word.c_str());
    return std::make_shared<arrow::Decimal128Scalar>(OrThrow(value.Rescale(scale, decimal.scale())), type);
  }
  return OrThrow(arrow::Scalar::Parse(type, word), word.c_str());
}

/// Rows of a schema without nested types: "+ 1 a\n- 2 b\n+ NULL 'two words'". Weights appear when some row is
/// "-" (or "+3", "-2"). Timestamps: `2024-01-01T00:00:00`, `00:00:05` (1970-01-01), or a bare number of
/// units.
inline Batch ParseBatch(std::string_view text, const Schema& schema) {
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;
  for (const Field& field : schema.fields)
    builders.push_back(OrThrow(arrow::MakeBuilder(field.type.arrow_type())));
  std::vector<int32_t> weights;
  bool weighted = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::vector<bool> quoted;
    const std::vector<std::string> words = SplitWords(text.substr(0, end), &quoted);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (words.empty()) continue;
    LAMINAR_CHECK(words.size() == schema.fields.size() + 1, "ParseBatch: wrong number of values");
    const int32_t weight = words[0] == "+" ? 1 : words[0] == "-" ? -1 : std::stoi(words[0]);
    weights.push_back(weight);
    weighted = weighted || weight != 1;
    for (size_t i = 0; i < builders.size(); ++i) {
      const bool is_null = words[i + 1] == "NULL" && !quoted[i + 1];
      OrThrow(is_null ? builders[i]->AppendNull()
                      : builders[i]->AppendScalar(
                            *ParseScalar(words[i + 1], schema.fields[i].type.arrow_type())));
    }
  }
  Batch batch;
  batch.num_rows = static_cast<int64_t>(weights.size());
  for (auto& builder : builders) batch.columns.push_back(OrThrow(builder->Finish()));
  if (weighted) batch.weights = MakeWeights(weights);
  return batch;
}

/// One value: NULL, numbers, text as it is (quoted when it holds a blank, is empty or "NULL"), timestamps of
/// 1970-01-01 as time of day, nested values as Arrow prints them.
inline std::string FormatValue(const arrow::Array& column, int64_t row) {
  if (column.type_id() == arrow::Type::NA || column.IsNull(row)) return "NULL";
  std::string text = OrThrow(column.GetScalar(row))->ToString();
  if (column.type_id() == arrow::Type::TIMESTAMP) {
    if (text.compare(0, 11, "1970-01-01 ") == 0) text = text.substr(11);
    if (const size_t dot = text.find('.'); dot != std::string::npos) {
      while (text.back() == '0') text.pop_back();
      if (text.back() == '.') text.pop_back();
    }
    if (const size_t blank = text.find(' '); blank != std::string::npos) text[blank] = 'T';
    return text;
  }
  if (column.type_id() == arrow::Type::STRING) {
    const bool plain = !text.empty() && text != "NULL" && text.find_first_of(" \t\n'") == std::string::npos;
    if (!plain) {
      std::string quoted = "'";
      for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
      return quoted + "'";
    }
  }
  return text;
}

inline std::string FormatRow(const Batch& batch, int64_t row) {
  std::string text;
  for (const auto& column : batch.columns) text += (text.empty() ? "" : " ") + FormatValue(*column, row);
  return text;
}

/// What ParseBatch reads: "+ 1 a\n- 2 b\n".
inline std::string FormatBatch(const Batch& batch) {
  std::string text;
  for (int64_t row = 0; row < batch.num_rows; ++row) {
    const int32_t weight = batch.weight(row);
    const std::string sign = weight == 1    ? "+"
                             : weight == -1 ? "-"
                                            : (weight > 0 ? "+" : "") + std::to_string(weight);
    text += sign + " " + FormatRow(batch, row) + "\n";
  }
  return text;
}

/// Sum of weights by row text, without those that cancel.
inline std::map<std::string, int64_t> Consolidate(const std::vector<Batch>& batches) {
  std::map<std::string, int64_t> rows;
  for (const Batch& batch : batches) {
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      const auto entry = rows.try_emplace(FormatRow(batch, row), 0).first;
      if ((entry->second += batch.weight(row)) == 0) rows.erase(entry);
    }
  }
  return rows;
}

}  // namespace laminar

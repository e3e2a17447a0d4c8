#include "operators/bad_records.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <utility>

#include "base/arrow_result.h"

namespace laminar {

namespace {

/// As much of a record as an error message holds.
constexpr size_t kShownBytesMax = 200;
/// As much of it as errors keep beside their message.
constexpr size_t kKeptBytesMax = 4096;

std::string Shown(std::string_view raw) {
  if (raw.size() <= kShownBytesMax) return std::string(raw);
  size_t cut = kShownBytesMax;
  while (cut > 0 && (static_cast<unsigned char>(raw[cut]) & 0xC0) == 0x80)
    --cut;  // not within a UTF-8 sequence
  return std::string(raw.substr(0, cut)) + "…";
}

}  // namespace

Schema DeadLetterSchema() {
  return {{{"raw", Type::Bytes()},
           {"error", Type::Text()},
           {"source", Type::Text()},
           {"position", Type::Text()},
           {"timestamp", Type::Timestamp()}}};
}

BadRecords::BadRecords(BadDataPolicy policy, std::string source)
    : policy_(policy), source_(std::move(source)) {}

void BadRecords::Add(std::optional<std::string_view> raw, std::string_view error, std::string_view position) {
  if (policy_ == BadDataPolicy::kFail) {
    std::string message = "bad record of " + source_;
    if (!position.empty()) message += " at " + std::string(position);
    message += ": " + std::string(error);
    if (raw) message += ": " + Shown(*raw);
    throw QueryError(std::move(message), raw ? std::string(raw->substr(0, kKeptBytesMax)) : "");
  }
  if (context_ != nullptr && context_->metrics != nullptr) {
    context_->metrics->bad_records.Add(1);
    if (StatusBoard& board = context_->metrics->board; board.wants_bad_record()) {
      const std::string where = position.empty() ? "" : " at " + std::string(position);
      board.GiveBadRecord("bad record of " + source_ + where + ": " + std::string(error),
                          raw ? raw->substr(0, kKeptBytesMax) : std::string_view());
    }
  }
  if (policy_ == BadDataPolicy::kDrop) return;
  letters_.push_back(
      {raw ? std::optional<std::string>(*raw) : std::nullopt, std::string(error), std::string(position)});
}

void BadRecords::Send(Output& out) {
  if (letters_.empty()) return;
  arrow::BinaryBuilder raw;
  arrow::StringBuilder error, source, position;
  arrow::TimestampBuilder time(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
  const int64_t now_us = context_->clock->now_us();
  for (const Letter& letter : letters_) {
    OrThrow(letter.raw ? raw.Append(*letter.raw) : raw.AppendNull());
    OrThrow(error.Append(letter.error));
    OrThrow(source.Append(source_));
    OrThrow(letter.position.empty() ? position.AppendNull() : position.Append(letter.position));
    OrThrow(time.Append(now_us));
  }
  Batch batch;
  batch.num_rows = static_cast<int64_t>(letters_.size());
  for (arrow::ArrayBuilder* builder :
       std::initializer_list<arrow::ArrayBuilder*>{&raw, &error, &source, &position, &time}) {
    batch.columns.push_back(OrThrow(builder->Finish()));
  }
  letters_.clear();
  out.EmitTo(kDeadLetterOutput, std::move(batch));
}

}  // namespace laminar

#include "cli/preview.h"

#include <arrow/array.h>

#include <algorithm>
#include <cstdio>

#include "functions/expression.h"

namespace laminar::cli {

PreviewFactory JsonPreview(const Registries& registries) {
  return [&registries](const Schema&, bool changelog, int) {
    sql::PreviewSink out;
    out.format = registries.formats.Find(changelog ? "debezium_json" : "json");
    TableSpec table;
    table.name = "preview";
    table.format = out.format;
    out.make = registries.connectors.Find("stdout")->PlanSink(table).make;
    return out;
  };
}

namespace {

/// How many columns of a terminal a text takes, about: its code points.
size_t Width(const std::string& text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class TableSink final : public Sink {
 public:
  TableSink(Schema columns, bool changelog) : changelog_(changelog) {
    for (int i = 0; i < columns.num_columns(); ++i) {
      const Field& field = columns.fields[i];
      names_.push_back(field.name);
      right_.push_back(field.type.is_numeric());
      texts_.push_back(MakeCast(MakeColumn(i, field.name, field.type), Type::Text()));
      widths_.push_back(std::max<size_t>(Width(field.name), 4));
    }
  }

  void Write(const Batch& batch) override {
    std::vector<std::vector<std::string>> cells(texts_.size());
    const EvalContext context{context_.clock, context_.clock->now_us()};
    for (size_t c = 0; c < texts_.size(); ++c) {
      auto array = EvaluateToArray(*texts_[c], batch, context);
      const auto& text = static_cast<const arrow::StringArray&>(*array);
      for (int64_t row = 0; row < batch.num_rows; ++row) {
        cells[c].push_back(text.IsNull(row) ? "NULL" : text.GetString(row));
        widths_[c] = std::max(widths_[c], std::min<size_t>(Width(cells[c].back()), 60));
      }
    }
    if (!header_written_) {
      header_written_ = true;
      Line(names_, ' ');
    }
    std::vector<std::string> line(texts_.size());
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      for (size_t c = 0; c < texts_.size(); ++c) line[c] = cells[c][static_cast<size_t>(row)];
      const int32_t weight = batch.weight(row);
      for (int32_t i = 0; i < std::abs(weight); ++i) Line(line, weight > 0 ? '+' : '-');
    }
  }
  void Flush() override { std::fflush(stdout); }
  void Close() override { std::fflush(stdout); }

 private:
  void Line(const std::vector<std::string>& cells, char sign) {
    std::string out;
    if (changelog_) out = std::string(1, sign) + " ";
    for (size_t c = 0; c < cells.size(); ++c) {
      const std::string space(widths_[c] - std::min(widths_[c], Width(cells[c])), ' ');
      if (c) out += "  ";
      out += right_[c] ? space + cells[c] : cells[c] + space;
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += "\n";
    if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size())
      throw ExternalError("stdout", "cannot write");
  }

  const bool changelog_;
  bool header_written_ = false;
  std::vector<std::string> names_;
  std::vector<bool> right_;
  std::vector<ExpressionPtr> texts_;
  std::vector<size_t> widths_;
};

}  // namespace

PreviewFactory TablePreview() {
  return [](const Schema& columns, bool changelog, int) {
    sql::PreviewSink out;
    out.make = [columns, changelog] { return std::make_unique<TableSink>(columns, changelog); };
    return out;
  };
}

}  // namespace laminar::cli

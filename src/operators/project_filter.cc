#include "operators/project_filter.h"

#include <arrow/array.h>

#include <algorithm>
#include <set>
#include <utility>

namespace laminar {

namespace {

void CollectColumns(const Expression& expression, std::vector<int>* columns) {
  if (const auto* column = dynamic_cast<const ColumnExpression*>(&expression))
    columns->push_back(column->index());
  for (const ExpressionPtr& child : expression.children()) CollectColumns(*child, columns);
}

ExpressionPtr Substitute(const ExpressionPtr& expression, const std::vector<ExpressionPtr>& columns) {
  if (const auto* column = dynamic_cast<const ColumnExpression*>(expression.get())) {
    return columns[static_cast<size_t>(column->index())];
  }
  std::vector<ExpressionPtr> children = expression->children();
  if (children.empty()) return expression;
  for (ExpressionPtr& child : children) child = Substitute(child, columns);
  return expression->WithChildren(std::move(children));
}

/// Worth no thought if evaluated twice.
bool IsCheap(const Expression& expression) {
  return dynamic_cast<const ColumnExpression*>(&expression) != nullptr ||
         dynamic_cast<const LiteralExpression*>(&expression) != nullptr;
}

bool CanSubstitute(const std::vector<ExpressionPtr>& columns, const ProjectFilterOptions& second) {
  std::vector<int> reads;
  if (second.filter) CollectColumns(*second.filter, &reads);
  for (const ExpressionPtr& column : *second.columns) CollectColumns(*column, &reads);
  for (size_t i = 0; i < columns.size(); ++i) {
    if (IsCheap(*columns[i])) continue;
    if (std::count(reads.begin(), reads.end(), static_cast<int>(i)) > 1) return false;
    if (columns[i]->volatility() == Volatility::kVolatile) return false;
  }
  return true;
}

class ProjectFilter final : public Operator {
 public:
  explicit ProjectFilter(ProjectFilterOptions options) : options_(std::move(options)) {
    if (!options_.columns) return;
    std::vector<int> reads;
    for (const ExpressionPtr& expression : *options_.columns) {
      const auto* column = dynamic_cast<const ColumnExpression*>(expression.get());
      plain_columns_.push_back(column != nullptr ? column->index() : -1);
      CollectColumns(*expression, &reads);
    }
    read_columns_.insert(reads.begin(), reads.end());
  }

  void OnBatch(int, Batch batch, Output& out) override {
    const EvalContext context{context_.clock, context_.clock->now_us()};
    if (options_.filter) {
      EvaluateFilter(*options_.filter, batch, context, &selected_);
      if (selected_.empty()) return;
      batch = Select(std::move(batch));
    }
    out.Emit(options_.columns ? Project(batch, context) : std::move(batch));
  }

 private:
  /// The rows of `selected_`. Columns that no output reads are not copied: NULLs stand in for them.
  Batch Select(Batch batch) const {
    const auto count = static_cast<int64_t>(selected_.size());
    if (count == batch.num_rows) return batch;
    if (selected_.back() - selected_.front() + 1 == count) return Slice(batch, selected_.front(), count);
    if (!options_.columns) return Take(batch, selected_);
    Batch read = batch;
    read.columns.clear();
    for (int column : read_columns_) read.columns.push_back(batch.columns[static_cast<size_t>(column)]);
    Batch taken = Take(read, selected_);
    std::vector<std::shared_ptr<arrow::Array>> columns(batch.columns.size());
    size_t next = 0;
    for (int column : read_columns_) columns[static_cast<size_t>(column)] = std::move(taken.columns[next++]);
    std::shared_ptr<arrow::Array> unread;
    for (auto& column : columns) {
      if (column) continue;
      if (!unread) unread = std::make_shared<arrow::NullArray>(count);
      column = unread;
    }
    taken.columns = std::move(columns);
    return taken;
  }

  Batch Project(const Batch& batch, const EvalContext& context) const {
    Batch out;
    out.num_rows = batch.num_rows;
    out.weights = batch.weights;
    out.split = batch.split;
    out.columns.reserve(plain_columns_.size());
    for (size_t i = 0; i < plain_columns_.size(); ++i) {
      out.columns.push_back(plain_columns_[i] >= 0
                                ? batch.columns[static_cast<size_t>(plain_columns_[i])]
                                : EvaluateToArray(*(*options_.columns)[i], batch, context));
    }
    return out;
  }

  const ProjectFilterOptions options_;
  std::vector<int> plain_columns_;  ///< [output columns]: input column passed on as it is, or −1
  std::set<int> read_columns_;      ///< input columns that the output needs
  std::vector<int32_t> selected_;   ///< kept for its memory
};

}  // namespace

std::vector<int> ColumnsRead(const Expression& expression) {
  std::vector<int> columns;
  CollectColumns(expression, &columns);
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

std::optional<ProjectFilterOptions> Fuse(const ProjectFilterOptions& first,
                                         const ProjectFilterOptions& second) {
  ProjectFilterOptions fused = second;
  if (first.columns) {
    // Without a list of its own, the second passes on each of the first's columns once.
    if (second.columns && !CanSubstitute(*first.columns, second)) return std::nullopt;
    if (!second.columns && second.filter) {
      for (int column : ColumnsRead(*second.filter)) {
        if (!IsCheap(*(*first.columns)[static_cast<size_t>(column)])) return std::nullopt;
      }
    }
    if (fused.filter) fused.filter = Substitute(fused.filter, *first.columns);
    if (!fused.columns) {
      fused.columns = first.columns;
    } else {
      for (ExpressionPtr& column : *fused.columns) column = Substitute(column, *first.columns);
    }
  }
  if (first.filter) fused.filter = fused.filter ? MakeAnd(first.filter, fused.filter) : first.filter;
  return fused;
}

std::unique_ptr<Operator> MakeProjectFilter(ProjectFilterOptions options) {
  return std::make_unique<ProjectFilter>(std::move(options));
}

}  // namespace laminar

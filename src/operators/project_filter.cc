#include "operators/project_filter.h"

#include <arrow/array.h>

#include <algorithm>
#include <set>
#include <utility>

#include "operators/shared_expressions.h"

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
  explicit ProjectFilter(ProjectFilterOptions options) : options_(std::move(options)) {}

  void OnBatch(int, Batch batch, Output& out) override {
    const EvalContext context{context_.clock, context_.clock->now_us()};
    if (num_columns_ < 0) Prepare(static_cast<int>(batch.columns.size()));
    Append(0, shared_by_filter_, context, &batch);
    if (options_.filter) {
      EvaluateFilter(*options_.filter, batch, context, &selected_);
      if (selected_.empty()) return;
      if (!options_.columns) batch.columns.resize(static_cast<size_t>(num_columns_));
      batch = Select(std::move(batch));
    }
    Append(shared_by_filter_, shared_.size(), context, &batch);
    out.Emit(options_.columns ? Project(batch, context) : std::move(batch));
  }

 private:
  /// Takes apart what the expressions have in common; a batch has so many columns.
  void Prepare(int num_columns) {
    num_columns_ = num_columns;
    std::vector<ExpressionPtr> expressions;
    if (options_.columns) expressions = *options_.columns;
    expressions.push_back(options_.filter);
    SharedExpressions parts = ShareExpressions(std::move(expressions), num_columns);
    shared_ = std::move(parts.shared);
    options_.filter = std::move(parts.expressions.back());
    parts.expressions.pop_back();
    std::vector<int> reads;
    if (options_.filter) CollectColumns(*options_.filter, &reads);
    // What the filter reads is among the first: those are evaluated on all rows, the others on the rows left.
    for (int column : reads)
      shared_by_filter_ =
          std::max<size_t>(shared_by_filter_, static_cast<size_t>(std::max(0, column + 1 - num_columns)));
    if (!options_.columns) return;
    options_.columns = std::move(parts.expressions);
    reads.clear();
    for (const ExpressionPtr& expression : *options_.columns) {
      const auto* column = dynamic_cast<const ColumnExpression*>(expression.get());
      plain_columns_.push_back(column != nullptr ? column->index() : -1);
      CollectColumns(*expression, &reads);
    }
    for (size_t i = shared_by_filter_; i < shared_.size(); ++i) CollectColumns(*shared_[i], &reads);
    for (int column : reads) {
      if (column < num_columns + static_cast<int>(shared_by_filter_)) read_columns_.insert(column);
    }
  }

  /// Appends the values of shared_[begin, end).
  void Append(size_t begin, size_t end, const EvalContext& context, Batch* batch) const {
    for (size_t i = begin; i < end; ++i)
      batch->columns.push_back(EvaluateToArray(*shared_[i], *batch, context));
  }

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

  ProjectFilterOptions options_;
  int num_columns_ = -1;               ///< of the input; −1: no batch yet
  std::vector<ExpressionPtr> shared_;  ///< appended to the input's columns
  size_t shared_by_filter_ = 0;        ///< so many of them before the filter
  std::vector<int> plain_columns_;     ///< [output columns]: input column passed on as it is, or −1
  std::set<int> read_columns_;         ///< input columns that the output needs
  std::vector<int32_t> selected_;      ///< kept for its memory
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

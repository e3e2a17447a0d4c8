#pragma once

/// Filter, then project: the rows where `filter` is true, with the given expressions as columns. Weights and
/// the split tag stay. Columns that are passed on as they are, and batches of which all rows pass, are not
/// copied. No state.

#include <memory>
#include <optional>
#include <vector>

#include "functions/expression.h"
#include "runtime/operator.h"

namespace laminar {

struct ProjectFilterOptions {
  ExpressionPtr filter = nullptr;  ///< BOOLEAN over the input; null pointer: all rows
  /// Output columns over the input; nullopt: the input's columns. Evaluated on the rows that pass only.
  std::optional<std::vector<ExpressionPtr>> columns = std::nullopt;
};

/// One operator that does `first` and then `second`; nullopt when that would evaluate a costly or volatile
/// expression of `first` more than once.
std::optional<ProjectFilterOptions> Fuse(const ProjectFilterOptions& first,
                                         const ProjectFilterOptions& second);

std::unique_ptr<Operator> MakeProjectFilter(ProjectFilterOptions options);

/// Indices of the input columns that an expression reads, each once, rising.
std::vector<int> ColumnsRead(const Expression& expression);

}  // namespace laminar

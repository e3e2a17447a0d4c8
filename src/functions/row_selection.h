#pragma once

/// Evaluating parts of an expression on parts of a batch (AND, OR, CASE, COALESCE), and putting the parts
/// together again.

#include <arrow/datum.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "functions/expression.h"

namespace laminar {

/// Columns that the expressions read, ascending, each once.
std::vector<int> ReferencedColumns(const std::vector<ExpressionPtr>& expressions);

/// The given rows of the given columns. Other columns become null pointers: only expressions over `columns`
/// may look.
arrow::Result<Batch> SelectRows(const Batch& batch, const std::vector<int32_t>& rows,
                                const std::vector<int>& columns);

/// Row i is row `row_of[i]` of piece `piece_of[i]`. All pieces are of `type`; there is at least one.
/// [piece_of.size()]
arrow::Result<std::shared_ptr<arrow::Array>> Interleave(const std::vector<arrow::Datum>& pieces,
                                                        const std::vector<int32_t>& piece_of,
                                                        const std::vector<int32_t>& row_of,
                                                        const std::shared_ptr<arrow::DataType>& type);

/// A condition's rows: sorts `open` (rows of the batch; the condition was evaluated on exactly these) into
/// those where it is true and the rest (false or NULL).
void SplitByCondition(const arrow::Datum& condition, const std::vector<int32_t>& open,
                      std::vector<int32_t>* is_true, std::vector<int32_t>* is_not_true);

}  // namespace laminar

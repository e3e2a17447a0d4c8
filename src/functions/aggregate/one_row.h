#pragma once

#include <memory>

#include "functions/aggregate.h"
#include "functions/aggregate/ordered_rows.h"

namespace laminar {

/// An aggregate that gives the value column of the first (`last`: last) row in the given order. `type`: of
/// the value.
std::shared_ptr<const AggregateFunction> MakeOneRow(const Type& type, const RowColumns& columns, bool last,
                                                    bool retractable);

}  // namespace laminar

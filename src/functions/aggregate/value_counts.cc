#include "functions/aggregate/value_counts.h"

#include "functions/aggregate/accumulate.h"
#include "functions/aggregate/column_values.h"

namespace laminar {

template <typename T>
void ValueCountsAggregate<T>::Update(uint8_t* const* states, const AggregateInput& input) const {
  const arrow::Array& column = *input.args[value_column_];
  if (column.null_count() == column.length()) return;
  const ColumnValues<T> values(column);
  const ValidRows valid(column);
  for (int64_t i = 0; i < input.count; ++i) {
    const int64_t row = input.row(i);
    if (valid[row]) this->GetOrMake(states[i]).Add(values[row], input.weight(i));
  }
}

template class ValueCountsAggregate<int64_t>;
template class ValueCountsAggregate<uint64_t>;
template class ValueCountsAggregate<double>;
template class ValueCountsAggregate<StoredInt128>;
template class ValueCountsAggregate<std::string_view>;

}  // namespace laminar

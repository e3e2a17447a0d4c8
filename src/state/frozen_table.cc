#include "state/frozen_table.h"

#include <algorithm>

namespace laminar {

void SnapshotWriter::Defer(FrozenTable& table) { table.Finish(); }

FrozenTable::~FrozenTable() {
  if (snapshot_ != nullptr) snapshot_->Forget(this);
}

SlicedSnapshot::~SlicedSnapshot() {
  for (FrozenTable* table : frozen_) table->snapshot_ = nullptr;
}

void SlicedSnapshot::Defer(FrozenTable& table) {
  if (table.snapshot_ != nullptr) table.snapshot_->Forget(&table);
  table.snapshot_ = this;
  frozen_.push_back(&table);
}

void SlicedSnapshot::Forget(FrozenTable* table) {
  table->snapshot_ = nullptr;
  frozen_.erase(std::find(frozen_.begin(), frozen_.end(), table));
}

bool SlicedSnapshot::WriteSlice(int64_t* bytes) {
  while (!frozen_.empty() && *bytes > 0) {
    FrozenTable* table = frozen_.back();
    if (!table->WriteSlice(bytes)) return false;
    Forget(table);
  }
  return frozen_.empty();
}

}  // namespace laminar

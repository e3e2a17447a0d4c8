#pragma once

/// A directory as an object store: written beside, synced, renamed.

#include <memory>
#include <string>

#include "storage/object_store.h"

namespace laminar {

/// `create`: makes the directory when the first object is written or it is locked; else it must exist.
std::shared_ptr<ObjectStore> OpenLocalStore(const std::string& directory, bool create);

}  // namespace laminar

#pragma once

/// A bucket, or a folder of one, as an object store.

#include <memory>

#include "storage/object_store.h"
#include "storage/s3_client.h"

namespace laminar {

/// Names are below the key of the client's URL. Makes no connection.
std::shared_ptr<ObjectStore> OpenS3Store(S3Config config);

}  // namespace laminar

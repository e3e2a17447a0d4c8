#pragma once

/// `Idempotency-Key`: a POST that is sent again gets the first answer instead of acting twice. Kept for 24
/// hours in the metadata store, so that it holds across a restart of the server. Only successes are kept:
/// what was refused changed nothing.

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "api/endpoint.h"
#include "catalog/catalog.h"

namespace laminar::api {

class Idempotency {
 public:
  explicit Idempotency(Catalog& catalog) : catalog_(catalog) {}

  /// `act`, or its answer of before. Throws VALIDATION_ERROR for a key that was used with another request,
  /// INVALID_STATE while the first is under way, and what `act` throws.
  HttpResponse Answer(const Call& call, const std::string& path, const std::function<HttpResponse()>& act);

 private:
  void Keep(const std::string& id, const std::string& request, const HttpResponse& answer);

  Catalog& catalog_;
  std::mutex mutex_;
  std::set<std::string> running_;  // guarded by mutex_
};

}  // namespace laminar::api

#pragma once

/// An error answer: `{"error":{"code","message","details"}}`.

#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace laminar::api {

using Json = nlohmann::json;

class ApiError : public std::exception {
 public:
  ApiError(int status, std::string code, std::string message, Json details = Json::object())
      : status_(status), code_(std::move(code)), message_(std::move(message)), details_(std::move(details)) {}

  int status() const { return status_; }
  const std::string& code() const { return code_; }
  const Json& details() const { return details_; }
  const char* what() const noexcept override { return message_.c_str(); }
  Json Body() const { return {{"error", {{"code", code_}, {"message", message_}, {"details", details_}}}}; }

 private:
  int status_;
  std::string code_;
  std::string message_;
  Json details_;
};

/// 400 with `field` and `reason`.
inline ApiError Invalid(const std::string& field, const std::string& reason) {
  return ApiError(400, "VALIDATION_ERROR", field.empty() ? reason : field + ": " + reason,
                  {{"field", field}, {"reason", reason}});
}
inline ApiError NotFound(const std::string& resource, const std::string& id) {
  return ApiError(404, "NOT_FOUND", "no " + resource + " '" + id + "'", {{"resource", resource}, {"id", id}});
}
inline ApiError AlreadyExists(const std::string& kind, const std::string& name) {
  return ApiError(409, "ALREADY_EXISTS", "a " + kind + " named '" + name + "' exists already",
                  {{"field", "name"}, {"value", name}});
}
inline ApiError InUse(const std::string& what, Json used_by) {
  return ApiError(409, "IN_USE", what, {{"used_by", std::move(used_by)}});
}

}  // namespace laminar::api

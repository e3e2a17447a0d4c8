#pragma once

/// The whole server: catalog, jobs, endpoints, HTTP. Lives as long as the object.

#include <memory>

#include "api/server_config.h"
#include "jobs/engine.h"

namespace laminar::api {

class Server {
 public:
  /// `executable`: what workers are started from. Throws UserError, ExternalError.
  Server(const Engine& engine, const ServerConfig& config, const std::string& executable,
         const std::string& version);
  ~Server();
  int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace laminar::api

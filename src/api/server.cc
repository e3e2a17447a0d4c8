#include "api/server.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "api/event_log.h"
#include "api/http_server.h"
#include "api/idempotency.h"
#include "api/router.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/local_file.h"
#include "storage/bucket_client.h"

namespace laminar::api {

namespace {

/// Two servers on one data directory would run every job twice.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& directory) {
    MakeDirectories(directory);
    const std::string path = directory + "/server.lock";
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0 || flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      const std::string why = fd_ < 0 ? std::string(std::strerror(errno)) : "another server uses it";
      if (fd_ >= 0) close(fd_);
      throw ExternalError("server",
                          "the data directory '" + directory + "' cannot be used: " + why +
                              (why == "another server uses it" ? " (give another --data-dir)" : ""));
    }
  }
  ~DirectoryLock() { close(fd_); }

 private:
  int fd_ = -1;
};

StoreSettings StoreOf(const ServerConfig& config) {
  StoreSettings out;
  out.type = config.Text("database.type");
  if (out.type != "sqlite" && out.type != "postgres")
    throw UserError(Reason::kBadOption, {}, "database.type is sqlite or postgres, not '" + out.type + "'");
  out.target = config.Text("database.url");
  if (out.target.empty() && out.type == "postgres")
    throw UserError(Reason::kMissingOption, {}, "database.type = 'postgres' needs database.url");
  if (out.target.empty()) out.target = config.Text("data_dir") + "/metadata.sqlite";
  return out;
}

RouterSettings RouterOf(const ServerConfig& config) {
  RouterSettings out;
  for (const std::string& text : config.List("api.auth.tokens")) {
    if (!text.empty()) out.tokens.push_back(ParseToken(text));
  }
  const std::string mode = config.Text("api.auth.mode");
  if (mode != "auto" && mode != "none" && mode != "token")
    throw UserError(Reason::kBadOption, {}, "api.auth.mode is none or token, not '" + mode + "'");
  out.auth = mode == "token" || (mode == "auto" && !out.tokens.empty());
  if (out.auth && out.tokens.empty())
    throw UserError(Reason::kMissingOption, {},
                    "api.auth.mode = 'token' needs api.auth.tokens or LAMINAR_API_TOKENS");
  out.cors_origins = config.List("api.cors_origins");
  return out;
}

/// So that a batch of wide rows stays far from filling memory.
constexpr int64_t kBatchRowsMax = 1 << 20;

JobSettings JobsOf(const ServerConfig& config, const std::string& executable) {
  JobSettings out;
  out.executable = executable;
  out.data_dir = std::filesystem::absolute(config.Text("data_dir")).string();
  out.checkpoint_url = config.Text("checkpoint_url");
  if (out.checkpoint_url.empty()) out.checkpoint_url = out.data_dir + "/checkpoints";
  out.checkpoint_options = config.CheckpointStorage();
  // Jobs open it; what is wrong with it is told before there are any.
  const auto bucket = OpenBucket(out.checkpoint_url, out.checkpoint_options);
  if (bucket == nullptr && !out.checkpoint_options.empty()) {
    throw UserError(Reason::kBadOption, {},
                    "setting 'checkpoint_storage." + out.checkpoint_options.begin()->first +
                        "' is for a checkpoint_url of an object store");
  }
  out.allowed_restarts = static_cast<int>(config.Integer("pipeline.allowed_restarts"));
  out.healthy_us = config.DurationUs("pipeline.healthy_duration");
  out.report_timeout_us = config.DurationUs("pipeline.worker_timeout");
  out.flush_interval_us = config.DurationUs("pipeline.update_aggregate_flush_interval");
  out.batch_rows = config.Integer("pipeline.source_batch_size");
  if (out.batch_rows < 1 || out.batch_rows > kBatchRowsMax) {
    throw UserError(Reason::kBadOption, {},
                    "pipeline.source_batch_size is from 1 to " + std::to_string(kBatchRowsMax) + ", not " +
                        std::to_string(out.batch_rows));
  }
  return out;
}

}  // namespace

struct Server::Impl {
  Impl(const Engine& engine, const ServerConfig& config, const std::string& executable,
       const std::string& version)
      : lock(config.Text("data_dir")),
        context{catalog, jobs, planner, engine, version},
        box(SecretBox::Open(config.Text("data_dir") + "/master.key")),
        secrets(config.Text("secrets.file"), config.List("secrets.env_allow")),
        catalog(MetadataStore::Open(StoreOf(config))),
        planner(engine, catalog, box, secrets),
        jobs(catalog, planner, JobsOf(config, executable)),
        metrics_open(config.Boolean("metrics.open")) {
    const RouterSettings routing = RouterOf(config);
    context.auth = routing.auth;
    context.started_us = SystemClock().now_us();
    context.default_checkpoint_interval_us = config.DurationUs("default_checkpoint_interval");
    context.test_limit_us = config.DurationUs("api.test_timeout");
    context.data_dir = config.Text("data_dir");
    context.settings = config.Shown();
    for (const std::string& name : config.SetWithoutEffect())
      spdlog::warn("setting '{}' has no effect: see docs/server.md", name);
    std::vector<Endpoint> endpoints;
    AddServerEndpoints(context, &endpoints);
    AddConnectorEndpoints(context, &endpoints);
    AddProfileEndpoints(context, &endpoints);
    AddTableEndpoints(context, &endpoints);
    AddPipelineEndpoints(context, &endpoints);
    AddJobEndpoints(context, &endpoints);
    AddUdfEndpoints(context, &endpoints);
    AddEventsEndpoint(context, events, &endpoints);
    AddSqlEndpoint(context, &endpoints);
    endpoints.push_back({"GET", "/openapi.json", Role::kOpen, "server", "This document", "", "Object",
                         [this](Call&) { return Reply(open_api); }});
    open_api = OpenApi(endpoints, version);
    router = std::make_unique<Router>(routing, std::move(endpoints));
    context.run = [this](const HttpRequest& from, const std::string& method, const std::string& path,
                         const Json& body) { return router->Run(from, method, path, body); };
    router->SetReplay(
        [this](const Call& call, const std::string& path, const std::function<HttpResponse()>& act) {
          return idempotency.Answer(call, path, act);
        });
    router->SetFallback(
        [this](const HttpRequest& request, HttpResponse* response) { return Other(request, response); });
    event_writer = std::make_unique<EventWriter>(context, catalog, jobs, events);
    jobs.Start();

    HttpServerSettings http_settings;
    http_settings.bind_address = config.Text("api.bind_address");
    http_settings.port = static_cast<int>(config.Integer("api.http_port"));
    http_settings.connections_max = static_cast<int>(config.Integer("api.connections_max"));
    http_settings.request_seconds_max =
        static_cast<int>(std::max<int64_t>(1, config.DurationUs("api.request_timeout") / 1'000'000));
    http = std::make_unique<HttpServer>(
        http_settings, [this](const HttpRequest& request) { return router->Handle(request); });
    if (!routing.auth && !config.IsDefault("api.bind_address") && http_settings.bind_address != "127.0.0.1")
      spdlog::warn("the API listens on {} without authentication: set api.auth.tokens",
                   http_settings.bind_address);
  }

  /// What lies outside of the API.
  bool Other(const HttpRequest& request, HttpResponse* response) {
    if (request.path == "/metrics" && (request.method == "GET" || request.method == "HEAD")) {
      if (!metrics_open) router->Authenticate(request, {"GET", "/metrics", Role::kRead, "", "", "", "", {}});
      response->content_type = "text/plain; version=0.0.4; charset=utf-8";
      response->body = MetricsText(context);
      return true;
    }
    if (request.path == "/" && (request.method == "GET" || request.method == "HEAD")) {
      response->content_type = "text/plain; charset=utf-8";
      response->body = "Laminar " + context.version +
                       ". The API is at /api/v1, its description at /api/v1/openapi.json.\n";
      return true;
    }
    return false;
  }

  DirectoryLock lock;
  ApiContext context;  // the event writer needs it to the end
  SecretBox box;
  SecretSource secrets;
  EventLog events;
  std::unique_ptr<EventWriter> event_writer;  // the catalog and the jobs call it
  Catalog catalog;
  PipelinePlanner planner;
  JobManager jobs;
  Idempotency idempotency{catalog};
  const bool metrics_open;
  Json open_api;
  std::unique_ptr<Router> router;
  std::unique_ptr<HttpServer> http;  // the first to go
};

Server::Server(const Engine& engine, const ServerConfig& config, const std::string& executable,
               const std::string& version)
    : impl_(std::make_unique<Impl>(engine, config, executable, version)) {}

Server::~Server() = default;

int Server::port() const { return impl_->http->port(); }

}  // namespace laminar::api

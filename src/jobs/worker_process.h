#pragma once

/// A worker as its server sees it: a child process made by exec, and the socket to it.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/worker_protocol.h"

namespace laminar {

class WorkerProcess {
 public:
  /// Starts `executable worker`; its standard output goes to `log_file`, its standard error comes in lines.
  /// Throws ExternalError.
  WorkerProcess(const std::string& executable, const std::string& log_file);
  /// Kills it if it still runs, and waits for it.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;

  pid_t pid() const { return pid_; }
  /// Lets `epoll_fd` say with `tag` when there is something to read: of what it reports, and of its standard
  /// error only if `errors`. May be called again for more.
  void Watch(int epoll_fd, uint64_t tag, bool errors);
  void Unwatch();
  int socket() const { return socket_; }
  /// Queues a message and writes what the socket takes now; the rest goes with Flush.
  void Send(const nlohmann::json& message);
  void Flush();
  bool wants_write() const { return !out_.empty(); }
  /// Reads what is there. False at the end of the stream.
  bool Read();
  bool NextMessage(std::string* line) { return in_.Next(line); }
  /// −1 once it has ended.
  int error_stream() const { return error_stream_; }
  /// What it wrote to standard error since the last call, cut at 4 KiB each.
  std::vector<std::string> TakeErrorLines();
  void Kill();
  /// Its wait status once it has ended.
  std::optional<int> Reap();

 private:
  pid_t pid_ = -1;
  int socket_ = -1;
  int error_stream_ = -1;
  int epoll_fd_ = -1;       // −1: not watched
  std::string error_text_;  // without a newline yet
  std::optional<int> status_;
  std::string out_;
  MessageReader in_;
};

}  // namespace laminar

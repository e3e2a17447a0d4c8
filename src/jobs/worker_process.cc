#include "jobs/worker_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

extern char** environ;

namespace laminar {

namespace {
constexpr size_t kLineBytesMax = 4096;
}  // namespace

WorkerProcess::WorkerProcess(const std::string& executable, const std::string& log_file) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw ExternalError("worker", std::string("cannot make a socket: ") + std::strerror(errno),
                        ExternalError::Retry::kBackoff);
  int errors[2];
  if (pipe2(errors, O_CLOEXEC) != 0) {
    close(ends[0]);
    close(ends[1]);
    throw ExternalError("worker", std::string("cannot make a pipe: ") + std::strerror(errno),
                        ExternalError::Retry::kBackoff);
  }
  // Never 3 itself: dup2 of a descriptor onto itself would leave it close-on-exec.
  const int child = fcntl(ends[1], F_DUPFD_CLOEXEC, kWorkerSocket + 1);
  close(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, errors[1], 2);
  posix_spawn_file_actions_adddup2(&actions, child, kWorkerSocket);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  char* const arguments[] = {const_cast<char*>(executable.c_str()), const_cast<char*>("worker"), nullptr};
  const int error = posix_spawn(&pid_, executable.c_str(), &actions, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(child);
  close(errors[1]);
  socket_ = ends[0];
  error_stream_ = errors[0];
  if (error != 0) {
    close(socket_);
    close(error_stream_);
    throw ExternalError("worker", "cannot start '" + executable + "': " + std::strerror(error),
                        ExternalError::Retry::kBackoff);
  }
  fcntl(socket_, F_SETFL, O_NONBLOCK);
  fcntl(error_stream_, F_SETFL, O_NONBLOCK);
}

void WorkerProcess::Watch(int epoll_fd, uint64_t tag, bool errors) {
  epoll_fd_ = epoll_fd;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, socket_, &event);  // refused if it is there already
  if (errors && error_stream_ >= 0) epoll_ctl(epoll_fd, EPOLL_CTL_ADD, error_stream_, &event);
}

/// Closing is not enough: a child that is just being started holds copies until it runs.
void WorkerProcess::Unwatch() {
  if (epoll_fd_ < 0) return;
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, socket_, nullptr);
  if (error_stream_ >= 0) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, error_stream_, nullptr);
}

WorkerProcess::~WorkerProcess() {
  Unwatch();
  if (!status_) {
    Kill();
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  close(socket_);
  if (error_stream_ >= 0) close(error_stream_);
}

std::vector<std::string> WorkerProcess::TakeErrorLines() {
  std::vector<std::string> lines;
  char bytes[16384];
  const auto cut = [&](size_t length, size_t skip) {
    if (length > 0) lines.push_back(error_text_.substr(0, length));
    error_text_.erase(0, length + skip);
  };
  for (int rounds = 0; rounds < 4 && error_stream_ >= 0; ++rounds) {
    const ssize_t got = read(error_stream_, bytes, sizeof bytes);
    if (got < 0) break;  // nothing there
    if (got == 0) {
      if (epoll_fd_ >= 0) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, error_stream_, nullptr);
      close(error_stream_);
      error_stream_ = -1;
      if (!error_text_.empty()) error_text_ += '\n';
    }
    error_text_.append(bytes, static_cast<size_t>(got));
    for (size_t end;
         (end = error_text_.find('\n')) != std::string::npos || error_text_.size() > kLineBytesMax;) {
      const bool long_line = std::min(end, error_text_.size()) > kLineBytesMax;
      cut(long_line ? kLineBytesMax : end, long_line ? 0 : 1);
    }
  }
  return lines;
}

void WorkerProcess::Send(const nlohmann::json& message) {
  out_ += EncodeMessage(message);
  Flush();
}

void WorkerProcess::Flush() {
  while (!out_.empty()) {
    const ssize_t sent = send(socket_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) out_.clear();  // it has ended: Read and Reap tell
    if (sent <= 0) return;
    out_.erase(0, static_cast<size_t>(sent));
  }
}

bool WorkerProcess::Read() {
  char bytes[65536];
  // Bounded, so that one chatty worker does not keep the loop from the others.
  for (int rounds = 0; rounds < 16; ++rounds) {
    const ssize_t got = recv(socket_, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    in_.Append({bytes, static_cast<size_t>(got)});
    if (in_.buffered() > kMessageBytesMax) return false;
  }
  return true;
}

void WorkerProcess::Kill() {
  if (!status_) kill(pid_, SIGKILL);
}

std::optional<int> WorkerProcess::Reap() {
  int status = 0;
  if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_;
}

}  // namespace laminar

#include "jobs/worker_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

extern char** environ;

namespace laminar {

WorkerProcess::WorkerProcess(const std::string& executable, const std::string& log_file) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw ExternalError("worker", std::string("cannot make a socket: ") + std::strerror(errno),
                        ExternalError::Retry::kBackoff);
  // Never 3 itself: dup2 of a descriptor onto itself would leave it close-on-exec.
  const int child = fcntl(ends[1], F_DUPFD_CLOEXEC, kWorkerSocket + 1);
  close(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
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
  socket_ = ends[0];
  if (error != 0) {
    close(socket_);
    throw ExternalError("worker", "cannot start '" + executable + "': " + std::strerror(error),
                        ExternalError::Retry::kBackoff);
  }
  fcntl(socket_, F_SETFL, O_NONBLOCK);
}

WorkerProcess::~WorkerProcess() {
  if (!status_) {
    Kill();
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  close(socket_);
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

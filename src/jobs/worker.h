#pragma once

/// The child process that runs one job: takes its description and commands from the server over a socket,
/// reports over the same. Ends when the server does.

#include "jobs/engine.h"

namespace laminar {

/// Runs until the job is over or the socket is closed; the exit code. `socket` is one end of a stream socket
/// pair.
int RunWorker(const Engine& engine, int socket);

}  // namespace laminar

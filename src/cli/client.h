#pragma once

/// What the commands that are clients of the API share: the nouns, requests, bodies from files.

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace laminar::cli {

using Json = nlohmann::ordered_json;

struct ClientArguments {
  std::string server = "http://127.0.0.1:5115";
  std::string token;
  std::string format = "table";
  std::string name;  ///< of the object, or its id
  std::string file;
  std::string mode, query, checkpoint;
  int parallelism = 0;
  bool force = false, follow = false, ignore_state = false, dry_run = false;
};

/// An object kind of the API. `columns`: of its list as a table.
struct Noun {
  const char* name;
  const char* path;
  std::vector<const char*> columns;
};

/// In the order in which they build on each other: profiles, tables, pipelines, jobs.
const std::vector<Noun>& Nouns();

/// `a b` → `a%20b`.
std::string Escaped(const std::string& text);
/// The answer's body. Throws ExternalError with the text of an error answer.
Json Call(const ClientArguments& a, const std::string& method, const std::string& path,
          const Json& body = nullptr);
/// All pages of a list, as {"data": […]}.
Json All(const ClientArguments& a, const std::string& path);
/// The id that `a.name` stands for.
std::string IdOf(const ClientArguments& a, const Noun& noun);
/// A body from JSON, TOML, YAML, or for pipelines SQL; `-` is standard input. Throws ExternalError.
Json BodyFrom(const std::string& path);
/// Prints an event stream of the API until it ends: records and log lines to standard output, all else,
/// unless `only_rows`, to standard error. Returns the exit code. Throws ExternalError.
int FollowStream(const std::string& server, const std::string& token, const std::string& path,
                 bool only_rows = false);
/// --server and --token.
void AddConnection(CLI::App& command, ClientArguments& a);

/// Creates or updates what the files of `a.file` describe, and prints each difference first.
int Apply(const ClientArguments& a);

}  // namespace laminar::cli

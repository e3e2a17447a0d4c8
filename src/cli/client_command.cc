// `laminar profile|table|pipeline|job …` and `laminar apply`: clients of the REST API.

#include <toml++/toml.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "api/http_client.h"
#include "cli/commands.h"

namespace laminar::cli {

namespace {

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

struct Noun {
  const char* name;
  const char* path;
  std::vector<const char*> columns;
};

const std::vector<Noun>& Nouns() {
  static const std::vector<Noun> nouns = {
      {"profile", "/connection_profiles", {"id", "name", "connector", "description"}},
      {"table", "/connection_tables", {"id", "name", "connector", "table_type", "connection_profile_id"}},
      {"pipeline", "/pipelines", {"id", "name", "state", "stateDetail", "parallelism", "current_job_id"}},
      {"job",
       "/jobs",
       {"id", "pipeline_name", "state", "stateDetail", "run_id", "restarts", "failure_message"}},
  };
  return nouns;
}

std::string Escaped(const std::string& text) {
  std::string out;
  char hex[4];
  for (const unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.') {
      out += static_cast<char>(c);
    } else {
      std::snprintf(hex, sizeof hex, "%%%02X", c);
      out += hex;
    }
  }
  return out;
}

Json Call(const ClientArguments& a, const std::string& method, const std::string& path,
          const Json& body = nullptr) {
  const api::ClientAnswer answer =
      api::Fetch(a.server, a.token, method, "/api/v1" + path, body.is_null() ? "" : body.dump());
  Json json = Json::parse(answer.body, nullptr, false);
  if (answer.status < 300) return json;
  std::string text = "status " + std::to_string(answer.status);
  if (json.is_object() && json.contains("error")) {
    text = json["error"].value("message", text) + " [" + json["error"].value("code", "") + "]";
  }
  throw ExternalError(method + " " + path, text);
}

std::string CellText(const Json& value) {
  return value.is_null() ? "" : value.is_string() ? value.get<std::string>() : value.dump();
}

void PrintTable(const std::vector<Json>& rows, const std::vector<std::string>& columns) {
  std::vector<size_t> widths;
  for (const std::string& column : columns) {
    size_t width = column.size();
    for (const Json& row : rows)
      width = std::max(width, row.contains(column) ? CellText(row[column]).size() : 0);
    widths.push_back(std::min<size_t>(width, 60));
  }
  const auto line = [&](const std::function<std::string(size_t)>& cell) {
    std::string out;
    for (size_t i = 0; i < columns.size(); ++i) {
      std::string text = cell(i);
      text.resize(i + 1 < columns.size() ? std::max(text.size(), widths[i]) : text.size(), ' ');
      out += (i ? "  " : "") + text;
    }
    std::printf("%s\n", out.c_str());
  };
  line([&](size_t i) { return columns[i]; });
  for (const Json& row : rows)
    line([&](size_t i) { return row.contains(columns[i]) ? CellText(row[columns[i]]) : ""; });
}

void Print(const ClientArguments& a, const Json& json, std::vector<std::string> columns = {}) {
  if (a.format == "json" || !json.is_object()) {
    std::printf("%s\n", json.dump(2).c_str());
    return;
  }
  if (json.contains("data") && json["data"].is_array()) {
    std::vector<Json> rows(json["data"].begin(), json["data"].end());
    if (columns.empty() && !rows.empty()) {
      for (const auto& [name, value] : rows[0].items()) columns.push_back(name);
    }
    PrintTable(rows, columns);
    return;
  }
  for (const auto& [name, value] : json.items())
    std::printf("%-28s %s\n", name.c_str(), CellText(value).c_str());
}

/// All pages of a list.
Json All(const ClientArguments& a, const std::string& path) {
  Json all = Json::array();
  for (size_t offset = 0;; offset += 100) {
    const Json page = Call(a, "GET",
                           path + (path.find('?') == std::string::npos ? "?" : "&") +
                               "limit=100&offset=" + std::to_string(offset));
    for (const Json& entry : page["data"]) all.push_back(entry);
    if (!page.value("has_more", false)) return {{"data", all}};
  }
}

/// The id that a name stands for.
std::string IdOf(const ClientArguments& a, const Noun& noun) {
  if (std::string(noun.name) == "job") return a.name;
  const Json found = All(a, noun.path);
  for (const Json& entry : found["data"]) {
    if (entry["id"] == a.name || entry["name"] == a.name) return entry["id"].get<std::string>();
  }
  throw ExternalError("server", std::string("no ") + noun.name + " '" + a.name + "'");
}

Json FromToml(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* list = node.as_array()) {
    Json out = Json::array();
    for (const toml::node& item : *list) out.push_back(FromToml(item));
    return out;
  }
  Json out = Json::object();
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) out[std::string(key.str())] = FromToml(value);
  }
  return out;
}

std::string ReadText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
  } else {
    if (!in) throw ExternalError("file", "cannot open '" + path + "'");
    text << in.rdbuf();
  }
  return text.str();
}

/// A body from JSON, TOML, or for pipelines SQL.
Json BodyFrom(const std::string& path) {
  const std::string text = ReadText(path);
  if (path.ends_with(".toml")) {
    try {
      return FromToml(toml::parse(text));
    } catch (const toml::parse_error& error) {
      throw ExternalError("file", "'" + path + "': " + std::string(error.description()));
    }
  }
  if (path.ends_with(".sql")) return {{"name", std::filesystem::path(path).stem().string()}, {"query", text}};
  Json body = Json::parse(text, nullptr, false, true);
  if (!body.is_object()) throw ExternalError("file", "'" + path + "' is not a JSON object");
  return body;
}

int Follow(const ClientArguments& a, const std::string& path) {
  std::string pending;
  const auto print = [&](const std::string& data) {
    pending += data;
    size_t end;
    while ((end = pending.find("\n\n")) != std::string::npos) {
      const std::string block = pending.substr(0, end);
      pending.erase(0, end + 2);
      const size_t name = block.find("event: "), value = block.find("data: ");
      if (name == std::string::npos || value == std::string::npos) continue;
      const std::string event = block.substr(name + 7, block.find('\n', name) - name - 7);
      const Json json = Json::parse(block.substr(value + 6), nullptr, false);
      if (event == "output") {
        for (const Json& row : json["records"])
          std::printf("%s %s\n", row["op"].get<std::string>().c_str(), row["record"].dump().c_str());
      } else if (event == "log") {
        std::printf("%s\n", json["message"].get<std::string>().c_str());
      } else {
        std::fprintf(stderr, "%s %s\n", event.c_str(), json.dump().c_str());
      }
      std::fflush(stdout);
    }
    return true;
  };
  const api::ClientAnswer answer = api::Fetch(a.server, a.token, "GET", "/api/v1" + path, "", print);
  return answer.status < 300 ? kOk : (std::fprintf(stderr, "laminar: %s\n", answer.body.c_str()), kFailed);
}

int RunVerb(const ClientArguments& a, const Noun& noun, const std::string& verb) {
  const std::string base = noun.path;
  if (verb == "list") {
    Print(a, All(a, base), {noun.columns.begin(), noun.columns.end()});
    return kOk;
  }
  if (verb == "create") {
    Json body = BodyFrom(a.file);
    if (!a.name.empty()) body["name"] = a.name;
    Print(a, Call(a, "POST", base, body));
    return kOk;
  }
  const std::string one = base + "/" + Escaped(IdOf(a, noun));
  Json options = Json::object();
  if (a.parallelism > 0) options["parallelism"] = a.parallelism;
  if (!a.checkpoint.empty()) options["checkpoint_id"] = a.checkpoint;
  if (a.ignore_state) options["ignore_state"] = true;
  if (verb == "get") {
    Print(a, Call(a, "GET", one));
  } else if (verb == "update") {
    Print(a, Call(a, "PATCH", one, BodyFrom(a.file)));
  } else if (verb == "delete") {
    Print(a, Call(a, "DELETE", one + (a.force ? "?force=true" : "")));
  } else if (verb == "start") {
    Print(a, Call(a, "POST", one + "/start", options));
  } else if (verb == "stop") {
    Print(a, Call(a, "POST", one + "/stop", {{"mode", a.mode.empty() ? "checkpoint" : a.mode}}));
  } else if (verb == "restart") {
    if (a.force) options["force"] = true;
    Print(a, Call(a, "POST", one + "/restart", options));
  } else if (verb == "rescale") {
    Print(a, Call(a, "POST", one + "/rescale", options));
  } else {  // pages of a job: of the pipeline's current one
    std::string job = one;
    if (std::string(noun.name) == "pipeline") {
      const Json pipeline = Call(a, "GET", one);
      if (pipeline["current_job_id"].is_null())
        throw ExternalError("server", "the pipeline has never been started");
      job = "/jobs/" + pipeline["current_job_id"].get<std::string>();
    }
    if (a.follow && (verb == "output" || verb == "logs"))
      return Follow(a, job + "/" + verb + (verb == "logs" ? "?follow=true" : ""));
    if (verb == "metrics" || verb == "output") {
      Print(a, Call(a, "GET", job + "/" + verb));
    } else {
      Print(a, All(a, job + "/" + verb));
    }
  }
  return kOk;
}

// ---- apply
// --------------------------------------------------------------------------------------------------

struct Wanted {
  const Noun* noun;
  std::string file;
  Json body;
};

/// `kind` in the file, else the folder or the ending says what it is.
Wanted WantedFrom(const std::filesystem::path& path) {
  Json body = BodyFrom(path.string());
  std::string kind = body.value("kind", path.extension() == ".sql" ? "pipeline" : "");
  body.erase("kind");
  if (kind.empty()) {
    kind = path.parent_path().filename().string();
    if (kind.ends_with("s")) kind.pop_back();
  }
  for (const Noun& noun : Nouns()) {
    if (kind == noun.name && kind != "job") return {&noun, path.string(), std::move(body)};
  }
  throw ExternalError(
      "file", "'" + path.string() + "' does not say its kind: add kind = 'profile', 'table' or 'pipeline'");
}

int Apply(const ClientArguments& a) {
  std::vector<Wanted> wanted;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(a.file)) {
    const std::string ending = entry.path().extension().string();
    if (entry.is_regular_file() && (ending == ".toml" || ending == ".json" || ending == ".sql"))
      wanted.push_back(WantedFrom(entry.path()));
  }
  // Profiles before the tables that name them, tables before pipelines.
  std::stable_sort(wanted.begin(), wanted.end(), [](const Wanted& x, const Wanted& y) {
    return x.noun < y.noun || (x.noun == y.noun && x.file < y.file);
  });
  int changes = 0;
  for (const Wanted& one : wanted) {
    const std::string name = one.body.value("name", "");
    Json existing;
    const Json all = All(a, one.noun->path);
    for (const Json& entry : all["data"]) {
      if (entry["name"] == name) existing = entry;
    }
    if (existing.is_null()) {
      std::printf("+ %s %s\n", one.noun->name, name.c_str());
      ++changes;
      if (!a.dry_run) Call(a, "POST", one.noun->path, one.body);
      continue;
    }
    Json patch = Json::object();
    for (const auto& [key, value] : one.body.items()) {
      if (key == "name" || key == "connector" || key == "table_type" || key == "connection_profile_id" ||
          key == "start")
        continue;
      const bool same =
          existing.contains(key) &&
          (existing[key] == value || (value.is_object() && key == "config" && Json(existing[key]) == value));
      if (same) continue;
      std::printf("~ %s %s: %s\n", one.noun->name, name.c_str(), key.c_str());
      patch[key] = value;
    }
    if (patch.empty()) continue;
    ++changes;
    if (!a.dry_run)
      Call(a, "PATCH", std::string(one.noun->path) + "/" + existing["id"].get<std::string>(), patch);
  }
  std::printf("%d change%s%s\n", changes, changes == 1 ? "" : "s", a.dry_run ? " (nothing was changed)" : "");
  return kOk;
}

void AddConnection(CLI::App& command, ClientArguments& a) {
  command.add_option("--server", a.server, "Address of the server")->envname("LAMINAR_SERVER");
  command.add_option("--token", a.token, "API token")->envname("LAMINAR_TOKEN");
}

}  // namespace

void AddClient(CLI::App& app, Command* chosen) {
  struct Verb {
    const char* name;
    const char* nouns;  ///< p, t, l(ine), j
    const char* help;
  };
  static const std::vector<Verb> verbs = {{"list", "ptlj", "All of them"},
                                          {"get", "ptlj", "One of them"},
                                          {"create", "ptl", "From a JSON, TOML or SQL file"},
                                          {"update", "ptl", "From a JSON or TOML file"},
                                          {"delete", "ptl", "Delete"},
                                          {"start", "l", "Start: makes a job"},
                                          {"stop", "lj", "Stop"},
                                          {"restart", "lj", "Restart"},
                                          {"rescale", "lj", "Run with another parallelism"},
                                          {"logs", "lj", "Log lines"},
                                          {"errors", "lj", "Errors"},
                                          {"output", "lj", "Captured output"},
                                          {"metrics", "lj", "Metrics"},
                                          {"checkpoints", "lj", "Checkpoints"}};
  auto a = std::make_shared<ClientArguments>();
  const char letters[] = {'p', 't', 'l', 'j'};
  for (size_t i = 0; i < Nouns().size(); ++i) {
    const Noun& noun = Nouns()[i];
    auto* group = app.add_subcommand(noun.name, std::string("Work with the server's ") + noun.name + "s");
    group->require_subcommand(1);
    for (const Verb& verb : verbs) {
      const std::string name = verb.name;
      if (std::string(verb.nouns).find(letters[i]) == std::string::npos) continue;
      auto* command = group->add_subcommand(name, verb.help);
      AddConnection(*command, *a);
      command->add_option("-o,--output-format", a->format, "json or table")
          ->check(CLI::IsMember({"json", "table"}));
      if (name == "create" || name == "update")
        command->add_option("-f,--file", a->file, "Body; - for standard input")->required();
      if (name == "create") command->add_option("NAME", a->name, "Name, instead of the file's");
      if (name != "list" && name != "create")
        command->add_option("NAME", a->name, i == 3 ? "Id" : "Name or id")->required();
      if (name == "stop") command->add_option("--mode", a->mode, "checkpoint, graceful, immediate or force");
      if (name == "delete" || name == "restart")
        command->add_flag("--force", a->force, name == "delete" ? "Stop it first" : "Stop at once");
      if (name == "start" || name == "restart") {
        command->add_option("--checkpoint", a->checkpoint, "Checkpoint to start from");
        command->add_flag("--ignore-state", a->ignore_state, "Start from nothing");
      }
      if (name == "start" || name == "restart" || name == "rescale")
        command->add_option("--parallelism", a->parallelism, "Subtasks per operator");
      if (name == "output" || name == "logs") command->add_flag("--follow", a->follow, "As they come");
      command->callback([=, &noun] { *chosen = [=, &noun] { return RunVerb(*a, noun, name); }; });
    }
  }
  auto* apply = app.add_subcommand("apply", "Create or update objects from the files of a folder");
  AddConnection(*apply, *a);
  apply->add_option("-f,--file", a->file, "Folder with TOML, JSON and SQL files")->required();
  apply->add_flag("--dry-run", a->dry_run, "Only print what would change");
  apply->callback([=] { *chosen = [=] { return Apply(*a); }; });
}

}  // namespace laminar::cli

// `laminar profile|table|pipeline|job …` and `laminar apply`: clients of the REST API.

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
#include "cli/client.h"

namespace laminar::cli {

namespace {

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

int RunVerb(const ClientArguments& a, const Noun& noun, const std::string& verb) {
  const std::string base = noun.path;
  if (verb == "list") {
    Print(a, All(a, base), {noun.columns.begin(), noun.columns.end()});
    return kOk;
  }
  if (verb == "create") {
    Json body = BodyFrom(a.file);
    if (std::string(noun.name) == "udf" && body.contains("query"))  // a CREATE FUNCTION statement
      body = {{"definition", body["query"]}, {"language", "sql"}};
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
    if (verb == "savepoint") {
      Print(a, Call(a, "POST", job + "/checkpoints", {{"type", "savepoint"}}));
      return kOk;
    }
    if (a.follow && (verb == "output" || verb == "logs"))
      return FollowStream(a.server, a.token, job + "/" + verb + (verb == "logs" ? "?follow=true" : ""));
    if (verb == "metrics" || verb == "output") {
      Print(a, Call(a, "GET", job + "/" + verb));
    } else {
      Print(a, All(a, job + "/" + verb));
    }
  }
  return kOk;
}

}  // namespace

void AddClient(CLI::App& app, Command* chosen) {
  struct Verb {
    const char* name;
    const char* nouns;  ///< p, t, u, l(ine), j
    const char* help;
  };
  static const std::vector<Verb> verbs = {{"list", "ptulj", "All of them"},
                                          {"get", "ptulj", "One of them"},
                                          {"create", "ptul", "From a JSON, TOML, YAML or SQL file"},
                                          {"update", "ptl", "From a JSON, TOML or YAML file"},
                                          {"delete", "ptul", "Delete"},
                                          {"start", "l", "Start: makes a job"},
                                          {"stop", "lj", "Stop"},
                                          {"restart", "lj", "Restart"},
                                          {"rescale", "lj", "Run with another parallelism"},
                                          {"logs", "lj", "Log lines"},
                                          {"errors", "lj", "Errors"},
                                          {"output", "lj", "Captured output"},
                                          {"metrics", "lj", "Metrics"},
                                          {"checkpoints", "lj", "Checkpoints"},
                                          {"savepoint", "lj", "Take a checkpoint that is kept"}};
  auto a = std::make_shared<ClientArguments>();
  const char letters[] = {'p', 't', 'u', 'l', 'j'};
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
        command->add_option("NAME", a->name, letters[i] == 'j' ? "Id" : "Name or id")->required();
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
  apply->add_option("-f,--file", a->file, "Folder with TOML, YAML, JSON and SQL files, or one such file")
      ->required();
  apply->add_flag("--dry-run", a->dry_run, "Only print what would change");
  apply->callback([=] { *chosen = [=] { return Apply(*a); }; });
}

}  // namespace laminar::cli

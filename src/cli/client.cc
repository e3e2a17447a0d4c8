#include "cli/client.h"

#include <toml++/toml.h>
#include <yaml.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "api/http_client.h"
#include "base/error.h"

namespace laminar::cli {

namespace {

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

struct YamlDocument {
  yaml_parser_t parser;
  yaml_document_t document;
  bool parsed = false;
  explicit YamlDocument(const std::string& text) {
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    parsed = yaml_parser_load(&parser, &document) != 0;
  }
  ~YamlDocument() {
    if (parsed) yaml_document_delete(&document);
    yaml_parser_delete(&parser);
  }
};

/// A plain scalar by YAML's core schema: null, true, 7, 1.5; anything else, and whatever is quoted, is text.
Json FromScalar(const yaml_node_t& node) {
  const std::string text(reinterpret_cast<const char*>(node.data.scalar.value), node.data.scalar.length);
  if (node.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return text;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const Json number = Json::parse(text, nullptr, false);
  return number.is_number() ? number : Json(text);
}

Json FromYamlNode(yaml_document_t& document, int index, int depth, const std::string& path) {
  // Anchors may refer to what they are part of.
  if (depth > 64) throw ExternalError("file", "'" + path + "' is nested deeper than 64 levels");
  const yaml_node_t& node = *yaml_document_get_node(&document, index);
  if (node.type == YAML_SCALAR_NODE) return FromScalar(node);
  if (node.type == YAML_SEQUENCE_NODE) {
    Json out = Json::array();
    for (auto* item = node.data.sequence.items.start; item != node.data.sequence.items.top; ++item)
      out.push_back(FromYamlNode(document, *item, depth + 1, path));
    return out;
  }
  Json out = Json::object();
  if (node.type != YAML_MAPPING_NODE) return out;
  for (auto* pair = node.data.mapping.pairs.start; pair != node.data.mapping.pairs.top; ++pair) {
    const yaml_node_t& key = *yaml_document_get_node(&document, pair->key);
    if (key.type != YAML_SCALAR_NODE) throw ExternalError("file", "'" + path + "' has a key that is no text");
    const std::string name(reinterpret_cast<const char*>(key.data.scalar.value), key.data.scalar.length);
    out[name] = FromYamlNode(document, pair->value, depth + 1, path);
  }
  return out;
}

Json FromYaml(const std::string& text, const std::string& path) {
  YamlDocument yaml(text);
  if (!yaml.parsed) {
    throw ExternalError("file", "'" + path +
                                    "': " + (yaml.parser.problem ? yaml.parser.problem : "not YAML") +
                                    " (line " + std::to_string(yaml.parser.problem_mark.line + 1) + ")");
  }
  if (!yaml_document_get_root_node(&yaml.document)) throw ExternalError("file", "'" + path + "' is empty");
  Json body = FromYamlNode(yaml.document, 1, 0, path);
  if (!body.is_object()) throw ExternalError("file", "'" + path + "' is not a YAML mapping");
  return body;
}

}  // namespace

const std::vector<Noun>& Nouns() {
  static const std::vector<Noun> nouns = {
      {"profile", "/connection_profiles", {"id", "name", "connector", "description"}},
      {"table", "/connection_tables", {"id", "name", "connector", "table_type", "connection_profile_id"}},
      {"udf", "/udfs", {"id", "name", "language", "return_type", "description"}},
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

Json Call(const ClientArguments& a, const std::string& method, const std::string& path, const Json& body) {
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

std::string IdOf(const ClientArguments& a, const Noun& noun) {
  if (std::string(noun.name) == "job") return a.name;
  const Json found = All(a, noun.path);
  for (const Json& entry : found["data"]) {
    if (entry["id"] == a.name || entry["name"] == a.name) return entry["id"].get<std::string>();
  }
  throw ExternalError("server", std::string("no ") + noun.name + " '" + a.name + "'");
}

Json BodyFrom(const std::string& path) {
  const std::string text = ReadText(path);
  if (path.ends_with(".toml")) {
    try {
      return FromToml(toml::parse(text));
    } catch (const toml::parse_error& error) {
      throw ExternalError("file", "'" + path + "': " + std::string(error.description()));
    }
  }
  if (path.ends_with(".yaml") || path.ends_with(".yml")) return FromYaml(text, path);
  if (path.ends_with(".sql")) return {{"name", std::filesystem::path(path).stem().string()}, {"query", text}};
  Json body = Json::parse(text, nullptr, false, true);
  if (!body.is_object()) throw ExternalError("file", "'" + path + "' is not a JSON object");
  return body;
}

void AddConnection(CLI::App& command, ClientArguments& a) {
  command.add_option("--server", a.server, "Address of the server")->envname("LAMINAR_SERVER");
  command.add_option("--token", a.token, "API token")->envname("LAMINAR_TOKEN");
}

}  // namespace laminar::cli

// `laminar apply -f DIR`: makes the server's objects what the files say, and prints what differs.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "base/error.h"
#include "cli/client.h"

namespace laminar::cli {

namespace {

constexpr const char* kMask = "********";
/// Longer texts are shown as changed without their lines being compared.
constexpr size_t kDiffLinesMax = 2000;

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
    if (kind == noun.name && kind != "job" && kind != "udf") return {&noun, path.string(), std::move(body)};
  }
  throw ExternalError("file",
                      "'" + path.string() + "' does not say its kind: add kind: profile, table or pipeline");
}

std::vector<Wanted> WantedBelow(const std::string& root) {
  static const std::vector<std::string> endings = {".toml", ".json", ".sql", ".yaml", ".yml"};
  std::vector<Wanted> wanted;
  std::error_code error;
  if (std::filesystem::is_regular_file(root)) return {WantedFrom(root)};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root, error)) {
    const std::string ending = entry.path().extension().string();
    if (entry.is_regular_file() && std::find(endings.begin(), endings.end(), ending) != endings.end())
      wanted.push_back(WantedFrom(entry.path()));
  }
  if (error) throw ExternalError("file", "cannot read '" + root + "': " + error.message());
  // Profiles before the tables that name them, tables before pipelines.
  std::stable_sort(wanted.begin(), wanted.end(), [](const Wanted& x, const Wanted& y) {
    return x.noun < y.noun || (x.noun == y.noun && x.file < y.file);
  });
  return wanted;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

/// Both texts' lines by their longest common sequence: ` ` in both, `-` only old, `+` only new.
void PrintLines(const std::string& old_text, const std::string& new_text) {
  const std::vector<std::string> a = Lines(old_text), b = Lines(new_text);
  if (a.size() > kDiffLinesMax || b.size() > kDiffLinesMax) return (void)std::printf("    (not shown)\n");
  std::vector<std::vector<int>> common(a.size() + 1, std::vector<int>(b.size() + 1, 0));
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;)
      common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
  }
  for (size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      ++i, ++j;
    } else if (j == b.size() || (i < a.size() && common[i + 1][j] >= common[i][j + 1])) {
      std::printf("    - %s\n", a[i++].c_str());
    } else {
      std::printf("    + %s\n", b[j++].c_str());
    }
  }
}

/// Prints the leaves that differ. What the server shows as a mask cannot be compared and counts as equal.
bool Differs(const std::string& place, const Json& is, const Json& wanted, bool print) {
  if (is == wanted || is == kMask) return false;
  if (is.is_object() && wanted.is_object()) {
    bool differs = false;
    for (const auto& [key, value] : wanted.items())
      differs = Differs(place + "." + key, is.value(key, Json()), value, print) || differs;
    for (const auto& [key, value] : is.items()) {
      if (!wanted.contains(key)) differs = Differs(place + "." + key, value, Json(), print) || differs;
    }
    return differs;
  }
  if (!print) return true;
  const bool lines = is.is_string() && wanted.is_string() &&
                     (is.get<std::string>() + wanted.get<std::string>()).find('\n') != std::string::npos;
  if (lines) {
    std::printf("  %s:\n", place.c_str());
    PrintLines(is.get<std::string>(), wanted.get<std::string>());
  } else {
    std::printf("  %s: %s -> %s\n", place.c_str(), is.is_null() ? "(none)" : is.dump().c_str(),
                wanted.is_null() ? "(none)" : wanted.dump().c_str());
  }
  return true;
}

/// What of `body` a PATCH must carry. Members of `config` that the file does not have are taken out.
Json PatchFor(const Json& existing, const Json& body) {
  Json patch = Json::object();
  for (const auto& [key, value] : body.items()) {
    if (key == "name" || key == "connector" || key == "table_type" || key == "connection_profile_id" ||
        key == "connectionProfileId" || key == "start")
      continue;
    const Json is = existing.value(key, Json());
    if (!Differs(key, is, value, /*print=*/false)) continue;
    patch[key] = value;
    if (key != "config" || !is.is_object()) continue;
    for (const auto& [name, old] : is.items()) {
      if (!value.contains(name)) patch[key][name] = nullptr;
    }
  }
  return patch;
}

/// False: nothing is to be changed.
bool ApplyOne(const ClientArguments& a, const Wanted& one, const Json& existing) {
  const std::string name = one.body.value("name", "");
  if (existing.is_null()) {
    std::printf("+ %s %s\n", one.noun->name, name.c_str());
    if (!a.dry_run) Call(a, "POST", one.noun->path, one.body);
    return true;
  }
  const Json patch = PatchFor(existing, one.body);
  if (patch.empty()) return false;
  std::printf("~ %s %s\n", one.noun->name, name.c_str());
  for (const auto& [key, value] : patch.items())
    Differs(key, existing.value(key, Json()), one.body[key], /*print=*/true);
  if (!a.dry_run)
    Call(a, "PATCH", std::string(one.noun->path) + "/" + existing["id"].get<std::string>(), patch);
  return true;
}

}  // namespace

int Apply(const ClientArguments& a) {
  int changes = 0;
  for (const Wanted& one : WantedBelow(a.file)) {
    const std::string name = one.body.value("name", "");
    if (name.empty()) throw ExternalError("file", "'" + one.file + "' has no name");
    Json existing;
    const Json all = All(a, one.noun->path);
    for (const Json& entry : all["data"]) {
      if (entry["name"] == name) existing = entry;
    }
    try {
      changes += ApplyOne(a, one, existing) ? 1 : 0;
    } catch (const ExternalError& error) {
      throw ExternalError("apply", one.file + ": " + error.what());
    }
  }
  std::printf("%d change%s%s\n", changes, changes == 1 ? "" : "s", a.dry_run ? " (nothing was changed)" : "");
  return kOk;
}

}  // namespace laminar::cli

// User-defined functions: list, create, read, delete, check with tests.

#include <algorithm>

#include "api/time_limit.h"
#include "api/udf_json.h"
#include "base/clock.h"
#include "base/random_id.h"
#include "jobs/function_declaration.h"
#include "jobs/schema_types.h"
#include "sql/parser.h"

namespace laminar::api {

namespace {

constexpr size_t kDefinitionBytesMax = 100 * 1024;
const std::vector<std::string>& Languages() {
  static const std::vector<std::string> languages = {"rust", "python", "sql", "cpp"};
  return languages;
}

bool Given(const Json& body, const char* name) { return body.contains(name) && !body[name].is_null(); }

/// An error in the function's declaration, at its place in the definition.
ApiError DefinitionError(const UserError& error, const FunctionDeclaration& declaration, const Udf& function,
                         const std::string& path) {
  if (error.reason() == Reason::kDuplicateName && error.message().find("parameter") == std::string::npos)
    return Invalid(path + "name", error.message());
  const int64_t offset = error.span().offset - declaration.definition_offset;
  const SourceSpan span = offset >= 0 ? SourceSpan{offset, error.span().length} : SourceSpan{};
  const UserError shifted = UserError(error.reason(), span, error.message()).Hint(error.hint());
  const Diagnostic at = DiagnosticOf(shifted, function.definition);
  Json details = {{"field", path + "definition"},
                  {"error", error.message()},
                  {"reason_code", ReasonName(error.reason())},
                  {"line", at.line > 0 ? Json(at.line) : Json()},
                  {"column", at.column > 0 ? Json(at.column) : Json()},
                  {"output", RenderError(shifted, function.name, function.definition)}};
  if (!error.hint().empty()) details["hint"] = error.hint();
  return ApiError(400, "COMPILATION_ERROR", function.name + ": " + error.message(), std::move(details));
}

/// The body is no value of the declared type: 400 naming both, where that is the only thing wrong.
void ThrowIfReturnType(const ApiContext& context, const UserError& error, const FunctionDeclaration& text,
                       const Udf& function, const std::string& path, const std::vector<std::string>& before) {
  if (error.reason() != Reason::kTypeError) return;
  std::string actual;
  try {
    actual = context.planner.CheckFunction(text.text, before, /*infer=*/true).declared.body_type.ToString();
  } catch (const UserError&) {
    return;
  }
  Json details = DefinitionError(error, text, function, path).details();
  details["field"] = path + "return_type";
  details["expected"] = function.return_type;
  details["actual"] = actual;
  throw ApiError(400, "TYPE_ERROR", function.name + ": " + error.message(), std::move(details));
}

CheckedFunction Checked(const ApiContext& context, const Udf& function, const std::string& path,
                        const std::vector<std::string>& before = {}) {
  const FunctionDeclaration declaration = DeclarationOf(function);
  try {
    return context.planner.CheckFunction(declaration.text, before);
  } catch (const UserError& error) {
    ThrowIfReturnType(context, error, declaration, function, path, before);
    throw DefinitionError(error, declaration, function, path);
  }
}

Json ParameterJson(const std::string& name, const Type& type, bool nullable) {
  return {{"name", name}, {"type", type.ToString()}, {"nullable", nullable}};
}

std::string TypeText(const Json& type, const std::string& path) {
  const auto parsed = ParseSchemaType(type);
  if (!parsed) throw Invalid(path, type.dump() + " is not a type");
  return parsed->ToString();
}

Json GivenParameters(const Json& object, const std::string& path) {
  Json out = Json::array();
  for (size_t i = 0; i < object["parameters"].size(); ++i) {
    const Json& parameter = object["parameters"][i];
    const std::string at = path + "parameters[" + std::to_string(i) + "].type";
    out.push_back({{"name", parameter["name"]},
                   {"type", TypeText(parameter["type"], at)},
                   {"nullable", !Given(parameter, "nullable") || parameter["nullable"].get<bool>()}});
  }
  return out;
}

/// Name, parameters and result of a whole CREATE FUNCTION; what is also given must say the same.
void TakeStatement(const Json& object, const std::string& path, Udf* function) {
  const sql::ParsedScript parsed = sql::ParseScript(function->definition);
  if (!parsed.errors.empty()) throw DefinitionError(parsed.errors[0], {}, *function, path);
  const sql::Statement& statement = parsed.statements.at(0);
  if (!statement.object_kind.empty() && statement.object_kind != "sql")
    throw LanguageNotBuilt(statement.object_kind);
  if (!function->name.empty() && !EqualsIgnoreCase(function->name, statement.name.text))
    throw Invalid(path + "name", "'" + function->name + "' is not the name in the definition, '" +
                                     statement.name.text + "'");
  if (function->name.empty()) function->name = statement.name.text;
  Json parameters = Json::array();
  for (const sql::ColumnDefinition& column : statement.columns) {
    parameters.push_back(
        ParameterJson(column.name.text, *column.type, !column.not_null && !statement.strict));
  }
  if (Given(object, "parameters")) {
    bool same = function->parameters.size() == parameters.size();
    for (size_t i = 0; same && i < parameters.size(); ++i) {
      same = EqualsIgnoreCase(function->parameters[i]["name"].get<std::string>(),
                              parameters[i]["name"].get<std::string>()) &&
             function->parameters[i]["type"] == parameters[i]["type"];
    }
    if (!same) throw Invalid(path + "parameters", "are not those of the definition, " + parameters.dump());
  }
  function->parameters = std::move(parameters);
  const std::string returns = statement.returns ? statement.returns->ToString() : "";
  if (!function->return_type.empty() && !returns.empty() && function->return_type != returns)
    throw Invalid(path + "return_type", "is not that of the definition, " + returns);
  if (!returns.empty()) function->return_type = returns;
}

/// With what the SQL front end knows of it.
void Complete(const CheckedFunction& checked, Udf* function) {
  const SqlFunction& declared = *checked.declared.function;
  function->parameters = Json::array();
  for (const Field& parameter : declared.parameters)
    function->parameters.push_back(ParameterJson(parameter.name, parameter.type, parameter.nullable));
  function->return_type = declared.body->type().ToString();
  function->calls = checked.calls;
}

Json ShowUdf(const Udf& function) {
  return {{"id", function.id},
          {"name", function.name},
          {"prefix", function.prefix.empty() ? Json() : Json(function.prefix)},
          {"definition", function.definition},
          {"language", function.language},
          {"return_type", function.return_type},
          {"parameters", function.parameters},
          {"nullable_return", function.nullable_return},
          {"kind", function.kind},
          {"description", function.description},
          {"created_by", function.created_by},
          {"created_at", TimeText(function.created_us)},
          {"updated_at", TimeText(function.updated_us)}};
}

std::string EtagOfUdf(const Udf& function) { return EtagOf(function.id, function.updated_us); }

HttpResponse CreateUdf(ApiContext& context, Call& call) {
  Udf function = ReadUdf(call.body, "");
  if (context.catalog.FindByName<Udf>(function.name)) throw AlreadyExists("function", function.name);
  Complete(Checked(context, function, ""), &function);
  function.id = RandomId("udf_");
  function.created_by = call.actor();
  function.created_us = function.updated_us = SystemClock().now_us();
  context.catalog.Update([&](Catalog::Transaction& transaction) {
    if (transaction.FindByName<Udf>(function.name)) throw AlreadyExists("function", function.name);
    for (const std::string& name : function.calls) {
      if (!transaction.FindByName<Udf>(name))
        throw Invalid("definition", "function '" + name + "' has just been deleted");
    }
    transaction.Put(function);
  });
  return WithEtag(call, Created(ShowUdf(function), "/api/v1/udfs/" + function.id), EtagOfUdf(function));
}

/// Pipelines and functions that call it. Of previews those that run. `catalog`: or a transaction of it.
template <typename Records>
Json UsersOf(const Records& catalog, const Udf& function) {
  Json out = Json::array();
  const std::string name = LowerCase(function.name);
  for (const auto& pipeline : catalog.template All<Pipeline>()) {
    if (!Contains(pipeline->udf_names, name)) continue;
    const auto job = catalog.template Find<Job>(pipeline->current_job_id);
    if (pipeline->preview && (!job || IsTerminal(ParseDetail(job->detail)))) continue;
    out.push_back({{"kind", "pipeline"}, {"id", pipeline->id}, {"name", pipeline->name}});
  }
  for (const auto& other : catalog.template All<Udf>()) {
    if (Contains(other->calls, name))
      out.push_back({{"kind", "udf"}, {"id", other->id}, {"name", other->name}});
  }
  return out;
}

HttpResponse DeleteUdf(ApiContext& context, Call& call) {
  context.catalog.Update([&](Catalog::Transaction& transaction) {
    const auto found = transaction.Find<Udf>(call.id());
    if (!found) throw NotFound("udf", call.id());
    CheckIfMatch(call, EtagOfUdf(*found));
    Json used_by = UsersOf(transaction, *found);
    if (!used_by.empty())
      throw InUse("function '" + found->name + "' is used by pipelines or functions", std::move(used_by));
    transaction.Delete<Udf>(found->id);
  });
  return Reply({{"message", "UDF deleted successfully"}});
}

void CheckTrials(const Json& tests, const Udf& function) {
  for (size_t i = 0; i < tests.size(); ++i) {
    for (const auto& [name, value] : tests[i]["input"].items()) {
      const bool known = std::any_of(function.parameters.begin(), function.parameters.end(),
                                     [&](const Json& p) { return p["name"] == name; });
      if (!known)
        throw Invalid("tests[" + std::to_string(i) + "].input." + name, "is no parameter of the function");
    }
  }
}

Json Trials(const ApiContext& context, const sql::DeclaredFunction& declared, const Json& tests) {
  return WithTimeLimit<Json>(context.test_limit_us, "the tests", [&context, declared, tests] {
    Json results = Json::array();
    for (const Json& test : tests) {
      const FunctionTrial trial = TryFunction(context.engine, declared, test["input"]);
      const bool wrong =
          test.contains("expected") && !SameResult(context.engine, declared, trial.output, test["expected"]);
      Json result = {
          {"input", test["input"]}, {"output", trial.output}, {"success", trial.error.empty() && !wrong}};
      if (!trial.error.empty()) result["error"] = trial.error;
      results.push_back(std::move(result));
    }
    return results;
  });
}

HttpResponse ValidateUdf(ApiContext& context, Call& call) {
  Udf function = ReadUdf(call.body, "");
  const CheckedFunction checked = Checked(context, function, "");
  Complete(checked, &function);
  const std::string signature = checked.declared.function->Signature();
  Json out = {{"valid", true},
              {"message", signature + " is valid"},
              {"warnings", Json::array()},
              {"name", function.name},
              {"signature", signature}};
  if (Given(call.body, "tests")) {
    CheckTrials(call.body["tests"], function);
    out["test_results"] = Trials(context, checked.declared, call.body["tests"]);
  }
  return Reply(out);
}

HttpResponse ListUdfs(ApiContext& context, Call& call) {
  const auto languages = FilterValues(call, "language", Languages());
  const auto name = call.Query("name");
  const std::string text = LowerCase(call.Query("q").value_or(""));
  std::vector<ListItem> items;
  for (const auto& function : context.catalog.All<Udf>()) {
    if (!languages.empty() && !Contains(languages, function->language)) continue;
    if (name && !MatchesWildcard(*name, function->name)) continue;
    if (LowerCase(function->name).find(text) == std::string::npos) continue;
    items.push_back({function->id, function->name, "", function->created_us, 0,
                     [function] { return ShowUdf(*function); }});
  }
  HttpResponse page = ListPage(call, std::move(items), {"name"});
  Json body = Json::parse(page.body);
  for (const std::string& language : Languages()) {
    const bool available = language == "sql";
    body["meta"]["languages"].push_back(
        {{"language", language},
         {"available", available},
         {"reason", available ? Json() : Json("functions in " + language + " are not in this build")}});
  }
  page.body = Dump(body);
  return page;
}

}  // namespace

ApiError LanguageNotBuilt(const std::string& language) {
  return ApiError(501, "NOT_IMPLEMENTED", "functions in " + language + " are not in this build",
                  {{"feature", "udf:" + language}});
}

Udf ReadUdf(const Json& object, const std::string& path) {
  Udf function;
  function.language = Given(object, "language") ? object["language"].get<std::string>() : "sql";
  if (function.language != "sql") throw LanguageNotBuilt(function.language);
  if (Given(object, "kind") && object["kind"] != "scalar")
    throw Invalid(path + "kind", "functions in sql are scalar, not " + object["kind"].get<std::string>());
  function.definition = object["definition"].get<std::string>();
  if (function.definition.size() > kDefinitionBytesMax)
    throw ApiError(413, "PAYLOAD_TOO_LARGE", path + "definition: is longer than 100 KB",
                   {{"limit_bytes", kDefinitionBytesMax}});
  if (Given(object, "name")) function.name = object["name"].get<std::string>();
  if (Given(object, "prefix")) function.prefix = object["prefix"].get<std::string>();
  if (Given(object, "description")) function.description = object["description"].get<std::string>();
  if (Given(object, "nullable_return")) function.nullable_return = object["nullable_return"].get<bool>();
  if (Given(object, "parameters")) function.parameters = GivenParameters(object, path);
  if (Given(object, "return_type"))
    function.return_type = TypeText(object["return_type"], path + "return_type");
  if (IsFunctionStatement(function.definition)) {
    TakeStatement(object, path, &function);
  } else if (function.name.empty()) {
    throw Invalid(path + "name", "is required unless the definition is a CREATE FUNCTION statement");
  } else if (!Given(object, "parameters")) {
    throw Invalid(path + "parameters", "is required; [] where there are none");
  } else if (function.return_type.empty()) {
    throw Invalid(path + "return_type", "is required");
  }
  CheckSqlName(function.name);
  return function;
}

Json ReadPipelineUdfs(const ApiContext& context, const Json& body) {
  Json out = Json::array();
  if (!Given(body, "udfs")) return out;
  for (size_t i = 0; i < body["udfs"].size(); ++i) {
    const Json& udf = body["udfs"][i];
    const std::string at = "udfs[" + std::to_string(i) + "]";
    if (udf.is_object()) {
      out.push_back(ReadUdf(udf, at + "."));
    } else if (const auto found = context.catalog.FindByName<Udf>(udf.get<std::string>())) {
      out.push_back(found->name);
    } else {
      throw Invalid(at, "no function '" + udf.get<std::string>() + "'");
    }
  }
  return out;
}

void CheckPipelineUdfs(const ApiContext& context, const Json& udfs) {
  std::vector<std::string> before;
  for (size_t i = 0; i < udfs.size(); ++i) {
    if (!udfs[i].is_object()) continue;
    const Udf function = udfs[i].get<Udf>();
    Checked(context, function, "udfs[" + std::to_string(i) + "].", before);
    before.push_back(DeclarationOf(function).text);
  }
}

std::string SignatureOf(const Udf& function) {
  std::string parameters;
  for (const Json& p : function.parameters) {
    parameters += (parameters.empty() ? "" : ", ") + p["name"].get<std::string>() + " " +
                  p["type"].get<std::string>() + (p["nullable"].get<bool>() ? "" : " NOT NULL");
  }
  return function.name + "(" + parameters + ") → " + function.return_type;
}

Json ShowPipelineUdfs(const Json& udfs) {
  Json out = Json::array();
  for (const Json& udf : udfs) {
    if (!udf.is_object()) {
      out.push_back(udf);
      continue;
    }
    Json shown = Json::object();
    for (const char* member : {"name", "definition", "language", "parameters", "return_type"})
      shown[member] = udf[member];
    out.push_back(std::move(shown));
  }
  return out;
}

void AddUdfEndpoints(ApiContext& context, std::vector<Endpoint>* out) {
  const std::string tag = "udfs";
  Endpoint list{
      "GET", "/udfs", Role::kRead, tag, "List user-defined functions", "", "Udf", [&context](Call& call) {
        return ListUdfs(context, call);
      }};
  list.list = true;
  list.query = {{"language", "string", "only of these languages", Languages()},
                {"name", "string", "wildcards * and ?"},
                {"q", "string", "text in the name"}};
  out->push_back(std::move(list));
  out->push_back({"POST", "/udfs", Role::kWrite, tag, "Create a user-defined function", "UdfCreate", "Udf",
                  [&context](Call& call) { return CreateUdf(context, call); }, 201});
  out->push_back({"POST", "/udfs/validate", Role::kRead, tag, "Check a user-defined function, and try it",
                  "UdfValidate", "UdfValidation",
                  [&context](Call& call) { return ValidateUdf(context, call); }});
  out->push_back(
      {"GET", "/udfs/{id}", Role::kRead, tag, "One user-defined function", "", "Udf", [&context](Call& call) {
         const auto found = context.catalog.Find<Udf>(call.id());
         if (!found) throw NotFound("udf", call.id());
         Json shown = ShowUdf(*found);
         shown["used_by"] = UsersOf(context.catalog, *found);
         HttpResponse response = Reply(shown);
         response.headers.emplace_back("ETag", EtagOfUdf(*found));  // used_by changes without it: no 304
         return response;
       }});
  out->push_back({"DELETE", "/udfs/{id}", Role::kWrite, tag, "Delete a user-defined function", "", "Message",
                  [&context](Call& call) { return DeleteUdf(context, call); }});
}

}  // namespace laminar::api

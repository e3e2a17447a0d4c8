// User-defined functions: the engine has none yet, so that the routes answer but nothing can be made.

#include "api/api_context.h"

namespace laminar::api {

void AddUdfEndpoints(ApiContext&, std::vector<Endpoint>* out) {
  const std::string tag = "udfs";
  const auto refuse = [](Call& call) -> HttpResponse {
    const std::string language = call.body["language"].get<std::string>();
    throw ApiError(501, "NOT_IMPLEMENTED", "user-defined functions in " + language + " are not in this build",
                   {{"feature", "udf:" + language}});
  };
  Endpoint list{"GET", "/udfs", Role::kRead, tag, "List user-defined functions", "", "Udf", [](Call& call) {
                  ListPage(call, {}, {"name"});  // checks the parameters
                  Json languages = Json::array();
                  for (const char* name : {"rust", "python", "sql", "cpp"})
                    languages.push_back({{"language", name},
                                         {"available", false},
                                         {"reason", "user-defined functions are not in this build"}});
                  return Reply({{"data", Json::array()},
                                {"has_more", false},
                                {"meta",
                                 {{"total", 0},
                                  {"limit", call.Integer("limit", 20, 1, INT64_MAX)},
                                  {"offset", 0},
                                  {"languages", std::move(languages)}}}});
                }};
  list.list = true;
  out->push_back(std::move(list));
  out->push_back({"POST", "/udfs", Role::kWrite, tag, "Create a user-defined function", "UdfCreate", "Udf",
                  refuse, 201});
  out->push_back({"POST", "/udfs/validate", Role::kRead, tag, "Check a user-defined function", "UdfCreate",
                  "Object", refuse});
  for (const char* method : {"GET", "DELETE"}) {
    out->push_back({method, "/udfs/{id}", method[0] == 'G' ? Role::kRead : Role::kWrite, tag,
                    "One user-defined function", "", "Udf",
                    [](Call& call) -> HttpResponse { throw NotFound("udf", call.id()); }});
  }
}

}  // namespace laminar::api

/// PARSE_URL, URL_ENCODE, URL_DECODE.

#include "base/error.h"
#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/url.h"

namespace laminar {
namespace {

arrow::Result<arrow::Datum> ParseUrl(const ScalarCall& call) {
  if (call.args.size() == 2) {
    return Map<std::string_view, std::string_view>(
        call, arrow::utf8(),
        [](std::string_view url, std::string_view name) -> std::optional<std::string_view> {
          const auto part = ParseUrlPart(name);
          return part ? ExtractUrlPart(url, *part) : std::nullopt;
        });
  }
  return Map<std::string_view, std::string_view, std::string_view>(
      call, arrow::utf8(),
      [](std::string_view url, std::string_view name,
         std::string_view key) -> std::optional<std::string_view> {
        return ParseUrlPart(name) == UrlPart::kQuery ? ExtractQueryValue(url, key) : std::nullopt;
      });
}

ScalarBinder ParseUrlBinder() {
  const ScalarBinder take =
      FixedOptional({Type::Text(), Type::Text(), Type::Text()}, 1, Type::Text(), ParseUrl);
  return [take](const BindArguments& arguments) {
    auto bound = take(arguments);
    const auto part = ConstantText(arguments, 1);
    if (bound && part && !ParseUrlPart(*part)) {
      throw UserError(
          Reason::kTypeError, {},
          "parse_url: no part '" + *part +
              "' in a URL; there are HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY, USERINFO and PORT");
    }
    return bound;
  };
}

}  // namespace

void RegisterUrlFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"parse_url"},
      .doc = {.group = "String",
              .signature = "parse_url(url, part, key?) → TEXT",
              .description =
                  "A part of a URL as written: HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY, USERINFO "
                  "or PORT; "
                  "with QUERY and a key, that parameter's value. NULL when the URL lacks it or is none.",
              .example = "parse_url('https://laminar.dev:8080/a?x=1&y=2', 'QUERY', 'y')",
              .result = "\"2\""},
      .overloads = {ParseUrlBinder()}});
  registry.Add(
      ScalarFunction{.names = {"url_encode"},
                     .doc = {.group = "String",
                             .signature = "url_encode(text) → TEXT",
                             .description = "All but letters, digits and -._~ as %XX of their UTF-8 bytes.",
                             .example = "url_encode('a b&ü')",
                             .result = "\"a%20b%26%C3%BC\""},
                     .overloads = {Fixed({Type::Text()}, Type::Text(), [](const ScalarCall& call) {
                       return MapText<std::string_view>(call, arrow::utf8(), AppendUrlEncoded);
                     })}});
  registry.Add(ScalarFunction{.names = {"url_decode"},
                              .doc = {.group = "String",
                                      .signature = "url_decode(text) → TEXT",
                                      .description = "%XX as bytes of UTF-8 and + as space; NULL when an "
                                                     "escape is broken or the bytes are not UTF-8.",
                                      .example = "url_decode('a%20b%26%C3%BC')",
                                      .result = "\"a b&ü\""},
                              .overloads = {Fixed({Type::Text()}, Type::Text(), [](const ScalarCall& call) {
                                return MapText<std::string_view>(call, arrow::utf8(), AppendUrlDecoded);
                              })}});
}

}  // namespace laminar

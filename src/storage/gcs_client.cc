#include "storage/gcs_client.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/random_id.h"
#include "storage/digest.h"
#include "storage/wire_text.h"

namespace laminar {

namespace {

using Json = nlohmann::json;

/// Objects that one request puts together.
constexpr size_t kComposedMax = 32;
constexpr char kObjectFields[] = "name,size,generation,updated,metadata";

Json JsonOf(const HttpResponse& response) {
  return Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
}

std::string Text(const Json& json, const char* name) {
  return json.is_object() && json.contains(name) && json.at(name).is_string()
             ? json.at(name).get<std::string>()
             : "";
}

StoredObject ObjectOf(const Json& json) {
  return {Text(json, "name"), NumberOfText(Text(json, "size")), Text(json, "generation"),
          TimeUsOfText(Text(json, "updated")),
          json.contains("metadata") ? Text(json.at("metadata"), "laminar") : ""};
}

void AddCondition(const PutTerms& terms, std::map<std::string, std::string>* query) {
  if (terms.over) (*query)["ifGenerationMatch"] = terms.over->empty() ? "0" : *terms.over;
}

Json MetadataOf(const PutTerms& terms) {
  Json metadata = Json::object();
  if (!terms.mark.empty()) metadata["laminar"] = terms.mark;
  return metadata;
}

std::string ErrorMessage(const HttpResponse& response) {
  const Json json = JsonOf(response);
  return json.is_object() && json.contains("error") ? Text(json.at("error"), "message") : "";
}

}  // namespace

std::string GcsClient::ObjectPath(const std::string& key) const {
  return "/storage/v1/b/" + PercentEncode(config_.bucket, false) + "/o" +
         (key.empty() ? "" : "/" + PercentEncode(key, false));
}

void GcsClient::Authorize(Call* call) {
  if (config_.token == nullptr) return;
  const std::string token = config_.token->Get();
  if (!token.empty()) call->headers["authorization"] = "Bearer " + token;
}

bool GcsClient::IsBucketMissing(const HttpResponse& response) const {
  return ErrorMessage(response).find("bucket does not exist") != std::string::npos;
}

std::string GcsClient::Explain(const HttpResponse& response) const {
  const std::string message = ErrorMessage(response);
  std::string text = message.empty() ? "" : ": " + message;
  if (response.status == 404) text += "; is there a bucket '" + config_.bucket + "'?";
  if (response.status == 401 || response.status == 403) {
    const bool asked = config_.token != nullptr && !config_.token->Get().empty();
    text += asked ? "; " + config_.token->who() +
                        " may not do this: give it the role Storage Object User on the bucket"
                  : "; no credentials were given: set google_service_account_path or "
                    "google_service_account_key, or GOOGLE_APPLICATION_CREDENTIALS in the environment";
  }
  return text;
}

std::optional<StoredObject> GcsClient::Head(const std::string& key) {
  const HttpResponse response =
      Do({"GET", key, ObjectPath(key), {{"fields", kObjectFields}}, {}, {}}, {200, 404});
  if (response.status == 404) return std::nullopt;
  StoredObject object = ObjectOf(JsonOf(response));
  object.key = key;
  return object;
}

GcsClient::Call GcsClient::GetCall(const std::string& key, const std::string& version) {
  Call call{"GET", key, ObjectPath(key), {{"alt", "media"}}, {}, {}};
  if (!version.empty()) call.query["ifGenerationMatch"] = version;
  return call;
}

bool GcsClient::Put(const std::string& key, std::string_view data, const PutTerms& terms) {
  Call call{"POST", key, "/upload" + ObjectPath(""), {{"uploadType", "media"}, {"name", key}}, {}, data};
  AddCondition(terms, &call.query);
  std::string body;
  if (!terms.mark.empty()) {
    const std::string boundary = "laminar-" + HexText(RandomBytes(16));
    const Json metadata{{"name", key}, {"metadata", MetadataOf(terms)}};
    body = fmt::format(
        "--{0}\r\ncontent-type: application/json\r\n\r\n{1}\r\n--{0}\r\n"
        "content-type: application/octet-stream\r\n\r\n",
        boundary, metadata.dump());
    body.append(data).append("\r\n--" + boundary + "--\r\n");
    call.query["uploadType"] = "multipart";
    call.headers["content-type"] = "multipart/related; boundary=" + boundary;
    call.body = body;
  }
  return Do(call, {200, 412}).status == 200;
}

void GcsClient::Delete(const std::string& key) {
  Do({"DELETE", key, ObjectPath(key), {}, {}, {}}, {200, 204, 404});
}

GcsClient::Page GcsClient::ListPage(const std::string& prefix, const std::string& from) {
  Call call{"GET", "", ObjectPath(""), {{"prefix", prefix}}, {}, {}};
  call.query["fields"] = fmt::format("items({}),nextPageToken", kObjectFields);
  if (!from.empty()) call.query["pageToken"] = from;
  const Json json = JsonOf(Do(call, {200}));
  Page page;
  page.next = Text(json, "nextPageToken");
  if (json.is_object() && json.contains("items")) {
    for (const Json& item : json.at("items")) page.objects.push_back(ObjectOf(item));
  }
  return page;
}

std::string GcsClient::CreateUpload(const std::string& key, const PutTerms& terms) {
  return HexText(RandomBytes(8));
}

UploadedPart GcsClient::UploadPart(const std::string& key, const std::string& upload, int number,
                                   std::string_view data) {
  // A process that was given up for dead and still sends cannot write over it.
  const std::string name = fmt::format("{:05}-{}", number, HexText(RandomBytes(8)));
  Put(PartsFolder() + key + "/" + upload + "/" + name, data, {});
  return {name, static_cast<int64_t>(data.size())};
}

BucketClient::Completed GcsClient::CompleteUpload(const std::string& key, const std::string& upload,
                                                  const std::vector<UploadedPart>& parts,
                                                  const PutTerms& terms) {
  const std::string folder = PartsFolder() + key + "/" + upload + "/";
  std::vector<std::string> sources;
  for (const UploadedPart& part : parts) sources.push_back(folder + part.tag);
  for (int level = 1; sources.size() > kComposedMax; ++level) {
    std::vector<std::string> composed;
    for (size_t begin = 0; begin < sources.size(); begin += kComposedMax) {
      const size_t end = std::min(sources.size(), begin + kComposedMax);
      composed.push_back(fmt::format("{}level{}-{:05}", folder, level, composed.size()));
      const Completed done = Compose(composed.back(),
                                     {sources.begin() + static_cast<std::ptrdiff_t>(begin),
                                      sources.begin() + static_cast<std::ptrdiff_t>(end)},
                                     {});
      if (done != Completed::kDone) return done;
    }
    sources = std::move(composed);
  }
  const Completed done = Compose(key, sources, terms);
  if (done == Completed::kDone) AbortUpload(key, upload);
  return done;
}

BucketClient::Completed GcsClient::Compose(const std::string& key, const std::vector<std::string>& sources,
                                           const PutTerms& terms) {
  Json names = Json::array();
  for (const std::string& source : sources) names.push_back({{"name", source}});
  const std::string body =
      Json{{"sourceObjects", std::move(names)},
           {"destination", {{"contentType", "application/octet-stream"}, {"metadata", MetadataOf(terms)}}}}
          .dump();
  Call call{"POST", key, ObjectPath(key) + "/compose", {}, {{"content-type", "application/json"}}, body};
  AddCondition(terms, &call.query);
  switch (Do(call, {200, 404, 412}).status) {
    case 200:
      return Completed::kDone;
    case 404:
      return Completed::kNoSuchUpload;
    default:
      return Completed::kTermsNotMet;
  }
}

void GcsClient::AbortUpload(const std::string& key, const std::string& upload) {
  for (const StoredObject& part : List(PartsFolder() + key + "/" + upload + "/")) Delete(part.key);
}

std::vector<Upload> GcsClient::ListUploads(const std::string& prefix) {
  std::vector<Upload> found;
  const std::string folder = PartsFolder();
  for (const StoredObject& part : List(folder + prefix)) {
    // <key>/<upload>/<part>
    const size_t part_slash = part.key.rfind('/');
    const size_t upload_slash = part.key.rfind('/', part_slash - 1);
    if (upload_slash == std::string::npos || upload_slash < folder.size()) continue;
    Upload upload{part.key.substr(folder.size(), upload_slash - folder.size()),
                  part.key.substr(upload_slash + 1, part_slash - upload_slash - 1)};
    if (found.empty() || found.back().id != upload.id) found.push_back(std::move(upload));
  }
  return found;
}

}  // namespace laminar

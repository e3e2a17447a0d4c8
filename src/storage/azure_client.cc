#include "storage/azure_client.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "base/error.h"
#include "base/random_id.h"
#include "storage/digest.h"
#include "storage/wire_text.h"

namespace laminar {

namespace {

constexpr char kVersion[] = "2021-12-02";
constexpr char kMarkHeader[] = "x-ms-meta-laminar";

void AddCondition(const PutTerms& terms, std::map<std::string, std::string>* headers) {
  if (!terms.over) return;
  if (terms.over->empty()) {
    (*headers)["if-none-match"] = "*";
  } else {
    (*headers)["if-match"] = "\"" + *terms.over + "\"";
  }
}

std::string ErrorCode(const HttpResponse& response) {
  const auto header = response.headers.find("x-ms-error-code");
  return header != response.headers.end() ? header->second : XmlText(response.body, "Code");
}

/// Its conditions were not met; 409 says so of `If-None-Match: *`.
bool TermsNotMet(const HttpResponse& response) {
  return response.status == 412 || ErrorCode(response) == "BlobAlreadyExists";
}

}  // namespace

AzureClient::Call AzureClient::CallOf(std::string method, const std::string& key) const {
  Call call;
  call.method = std::move(method);
  call.key = key;
  call.path =
      "/" + PercentEncode(config_.container, false) + (key.empty() ? "" : "/") + PercentEncode(key, true);
  return call;
}

void AzureClient::Authorize(Call* call) {
  call->headers["x-ms-version"] = kVersion;
  call->headers["x-ms-date"] = fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(std::time(nullptr)));
  if (!config_.key.empty()) {
    call->headers["authorization"] =
        "SharedKey " + config_.account + ":" + Base64(HmacSha256(config_.key, TextToSign(*call)));
  } else if (config_.token != nullptr) {
    call->headers["authorization"] = "Bearer " + config_.token->Get();
  } else {
    call->query.insert(config_.sas.begin(), config_.sas.end());
  }
}

std::string AzureClient::TextToSign(const Call& call) const {
  const auto header = [&](const char* name) {
    const auto found = call.headers.find(name);
    return found == call.headers.end() ? std::string() : found->second;
  };
  std::string text = call.method + "\n\n\n";  // no encoding, no language
  text += (call.body.empty() ? "" : std::to_string(call.body.size())) + "\n\n\n\n\n";
  text += header("if-match") + "\n" + header("if-none-match") + "\n\n" + header("range") + "\n";
  for (const auto& [name, value] : call.headers) {
    if (name.rfind("x-ms-", 0) == 0) text += name + ":" + value + "\n";
  }
  const std::string& endpoint = place().endpoint;
  const size_t path = endpoint.find('/', endpoint.find("//") + 2);
  text += "/" + config_.account + (path == std::string::npos ? "" : endpoint.substr(path)) + call.path;
  for (const auto& [name, value] : call.query) text += "\n" + name + ":" + value;
  return text;
}

bool AzureClient::IsBucketMissing(const HttpResponse& response) const {
  return ErrorCode(response) == "ContainerNotFound";
}

std::string AzureClient::Explain(const HttpResponse& response) const {
  const std::string code = ErrorCode(response);
  // Its second line is an id and a time.
  std::string message = XmlText(response.body, "Message");
  message = message.substr(0, message.find('\n'));
  if (!message.empty() && message.back() == '.') message.pop_back();
  std::string text = (code.empty() ? "" : " " + code) + (message.empty() ? "" : ": " + message);
  // Who asks for what is not public without saying who he is gets a 404, or a 409.
  const bool anonymous = config_.key.empty() && config_.sas.empty() && config_.token == nullptr;
  if (anonymous && response.status >= 400 && response.status < 500) {
    text +=
        "; no credentials were given: set azure_storage_account_key or azure_sas_token, or AZURE_STORAGE_KEY "
        "or AZURE_STORAGE_SAS_TOKEN in the environment";
  } else if (response.status == 401 || response.status == 403) {
    text +=
        !config_.key.empty()
            ? "; check that azure_storage_account_key is a key of account '" + config_.account + "'"
        : config_.token != nullptr
            ? "; " + config_.token->who() + " may not do this: give it the role Storage Blob Data Contributor"
            : "; check azure_sas_token: it may have ended, or allow too little (racwdl is needed)";
  }
  return text;
}

std::optional<StoredObject> AzureClient::Head(const std::string& key) {
  HttpResponse response = Do(CallOf("HEAD", key), {200, 404});
  if (response.status == 404) return std::nullopt;
  return StoredObject{key, NumberOfText(response.headers["content-length"]),
                      WithoutQuotes(response.headers["etag"]),
                      TimeUsOfText(response.headers["last-modified"]), response.headers[kMarkHeader]};
}

AzureClient::Call AzureClient::GetCall(const std::string& key, const std::string& version) {
  Call call = CallOf("GET", key);
  if (!version.empty()) call.headers["if-match"] = "\"" + version + "\"";
  return call;
}

bool AzureClient::Put(const std::string& key, std::string_view data, const PutTerms& terms) {
  Call call = CallOf("PUT", key);
  call.body = data;
  call.headers["x-ms-blob-type"] = "BlockBlob";
  AddCondition(terms, &call.headers);
  if (!terms.mark.empty()) call.headers[kMarkHeader] = terms.mark;
  const HttpResponse response = Do(call, {201, 409, 412});
  if (response.status == 201) return true;
  if (!TermsNotMet(response)) Throw(call, response, false);
  return false;
}

void AzureClient::Delete(const std::string& key) { Do(CallOf("DELETE", key), {202, 404}); }

AzureClient::Page AzureClient::ListPage(const std::string& prefix, const std::string& from) {
  Call call = CallOf("GET", "");
  call.query = {{"restype", "container"}, {"comp", "list"}, {"prefix", prefix}};
  if (!from.empty()) call.query["marker"] = from;
  const HttpResponse response = Do(call, {200});
  Page page;
  page.next = XmlText(response.body, "NextMarker");
  for (const std::string_view entry : XmlElements(response.body, "Blob")) {
    // Accounts with folders list them too.
    if (XmlText(entry, "ResourceType") == "directory") continue;
    page.objects.push_back({XmlText(entry, "Name"), NumberOfText(XmlText(entry, "Content-Length")),
                            WithoutQuotes(XmlText(entry, "Etag")),
                            TimeUsOfText(XmlText(entry, "Last-Modified")), ""});
  }
  return page;
}

std::string AzureClient::CreateUpload(const std::string& key, const PutTerms& terms) {
  return HexText(RandomBytes(8));
}

UploadedPart AzureClient::UploadPart(const std::string& key, const std::string& upload, int number,
                                     std::string_view data) {
  if (data.empty()) return {};  // there are no empty blocks
  // A process that was given up for dead and still sends cannot write over it.
  const std::string block = Base64(fmt::format("{:05}-{}", number, HexText(RandomBytes(8))));
  Call call = CallOf("PUT", key);
  call.query = {{"comp", "block"}, {"blockid", block}};
  call.body = data;
  Do(call, {201});
  return {block, static_cast<int64_t>(data.size())};
}

BucketClient::Completed AzureClient::CompleteUpload(const std::string& key, const std::string& upload,
                                                    const std::vector<UploadedPart>& parts,
                                                    const PutTerms& terms) {
  std::string body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (const UploadedPart& part : parts) {
    if (!part.tag.empty()) body += "<Latest>" + part.tag + "</Latest>";
  }
  body += "</BlockList>";
  Call call = CallOf("PUT", key);
  call.query = {{"comp", "blocklist"}};
  call.body = body;
  AddCondition(terms, &call.headers);
  if (!terms.mark.empty()) call.headers[kMarkHeader] = terms.mark;
  const HttpResponse response = Do(call, {201, 400, 409, 412});
  if (response.status == 201) return Completed::kDone;
  if (TermsNotMet(response)) return Completed::kTermsNotMet;
  if (ErrorCode(response) == "InvalidBlockList") return Completed::kNoSuchUpload;
  Throw(call, response, false);
}

}  // namespace laminar

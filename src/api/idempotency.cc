#include "api/idempotency.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>

#include "base/clock.h"

namespace laminar::api {

namespace {

constexpr int64_t kKeptUs = 24 * 3'600'000'000LL;
constexpr size_t kAnswersMax = 10'000;
constexpr size_t kKeyBytesMax = 255;

std::string Digest(const std::string& text) {
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
  std::string out;
  for (const unsigned char byte : hash) out += fmt::format("{:02x}", byte);
  return out;
}

HttpResponse Again(const StoredAnswer& stored) {
  HttpResponse out;
  out.status = stored.status;
  out.body = stored.body;
  for (const auto& [name, value] : stored.headers) out.headers.emplace_back(name, value);
  out.headers.emplace_back("Idempotent-Replayed", "true");
  return out;
}

}  // namespace

HttpResponse Idempotency::Answer(const Call& call, const std::string& path,
                                 const std::function<HttpResponse()>& act) {
  const std::string key = call.request.Header("idempotency-key");
  if (key.size() > kKeyBytesMax) throw Invalid("Idempotency-Key", "is longer than 255 bytes");
  const std::string id = Digest(call.principal.name + "\n" + key);
  const std::string request = Digest(path + "\n" + Dump(call.body));
  {
    std::lock_guard lock(mutex_);
    if (!running_.insert(id).second)
      throw ApiError(409, "INVALID_STATE", "a request with this Idempotency-Key is under way",
                     {{"state", "running"}, {"allowed", Json::array()}});
  }
  struct Done {
    Idempotency* self;
    const std::string& id;
    ~Done() {
      std::lock_guard lock(self->mutex_);
      self->running_.erase(id);
    }
  } done{this, id};
  const auto stored = catalog_.Find<StoredAnswer>(id);
  if (stored && SystemClock().now_us() - stored->created_us < kKeptUs) {
    if (stored->request != request)
      throw Invalid("Idempotency-Key", "was used with another request: take a new key");
    return Again(*stored);
  }
  HttpResponse answer = act();
  if (answer.status < 300 && !answer.stream) Keep(id, request, answer);
  return answer;
}

void Idempotency::Keep(const std::string& id, const std::string& request, const HttpResponse& answer) {
  StoredAnswer stored;
  stored.id = id;
  stored.request = request;
  stored.status = answer.status;
  stored.body = answer.body;
  for (const auto& [name, value] : answer.headers) stored.headers[name] = value;
  stored.created_us = SystemClock().now_us();
  catalog_.Update([&](Catalog::Transaction& transaction) {
    auto kept = transaction.All<StoredAnswer>();
    std::sort(kept.begin(), kept.end(),
              [](const auto& a, const auto& b) { return a->created_us < b->created_us; });
    for (size_t i = 0; i < kept.size(); ++i) {
      const bool expired = stored.created_us - kept[i]->created_us >= kKeptUs;
      if (!expired && kept.size() - i < kAnswersMax) break;
      transaction.Delete<StoredAnswer>(kept[i]->id);
    }
    transaction.Put(stored);
  });
}

}  // namespace laminar::api

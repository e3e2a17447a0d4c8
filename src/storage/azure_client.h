#pragma once

/// Azure Blob Storage: block blobs, over the Blob interface (which accounts with folders have too).
///
/// The parts of an upload are blocks that no list names yet: nobody sees them, and the store drops them a
/// week after the last one. There is no call that drops them sooner, so AbortUpload does nothing.

#include <string>
#include <vector>

#include "storage/azure_config.h"
#include "storage/bucket_client.h"

namespace laminar {

class AzureClient final : public BucketClient {
 public:
  explicit AzureClient(AzureConfig config) : BucketClient(config.place), config_(std::move(config)) {}

  std::optional<StoredObject> Head(const std::string& key) override;
  bool Put(const std::string& key, std::string_view data, const PutTerms& terms) override;
  void Delete(const std::string& key) override;
  std::string CreateUpload(const std::string& key, const PutTerms& terms) override;
  UploadedPart UploadPart(const std::string& key, const std::string& upload, int number,
                          std::string_view data) override;
  Completed CompleteUpload(const std::string& key, const std::string& upload,
                           const std::vector<UploadedPart>& parts, const PutTerms& terms) override;
  void AbortUpload(const std::string& key, const std::string& upload) override {}
  std::vector<Upload> ListUploads(const std::string& prefix) override { return {}; }

 private:
  Call CallOf(std::string method, const std::string& key) const;
  Call GetCall(const std::string& key, const std::string& version) override;
  Page ListPage(const std::string& prefix, const std::string& from) override;
  void Authorize(Call* call) override;
  std::string Explain(const HttpResponse& response) const override;
  bool IsBucketMissing(const HttpResponse& response) const override;

  std::string TextToSign(const Call& call) const;

  const AzureConfig config_;
};

}  // namespace laminar

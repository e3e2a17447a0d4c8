#pragma once

/// Google Cloud Storage, over its JSON API.
///
/// The parts of an upload are objects `<prefix>/.tmp/parts/<key>/<upload>/<number>-<random>`, composed when
/// it is completed, 32 at a time, and then removed. That is plainer than the store's own resumable uploads,
/// whose bytes cannot be cut back to where a checkpoint was.

#include <string>
#include <vector>

#include "storage/bucket_client.h"
#include "storage/gcs_config.h"

namespace laminar {

class GcsClient final : public BucketClient {
 public:
  explicit GcsClient(GcsConfig config) : BucketClient(config.place), config_(std::move(config)) {}

  std::optional<StoredObject> Head(const std::string& key) override;
  bool Put(const std::string& key, std::string_view data, const PutTerms& terms) override;
  void Delete(const std::string& key) override;
  std::string CreateUpload(const std::string& key, const PutTerms& terms) override;
  UploadedPart UploadPart(const std::string& key, const std::string& upload, int number,
                          std::string_view data) override;
  Completed CompleteUpload(const std::string& key, const std::string& upload,
                           const std::vector<UploadedPart>& parts, const PutTerms& terms) override;
  void AbortUpload(const std::string& key, const std::string& upload) override;
  std::vector<Upload> ListUploads(const std::string& prefix) override;

 private:
  std::string ObjectPath(const std::string& key) const;
  /// Where the parts of all uploads are.
  std::string PartsFolder() const { return place().KeyOf(".tmp/parts/"); }
  Call GetCall(const std::string& key, const std::string& version) override;
  Page ListPage(const std::string& prefix, const std::string& from) override;
  void Authorize(Call* call) override;
  std::string Explain(const HttpResponse& response) const override;
  bool IsBucketMissing(const HttpResponse& response) const override;

  Completed Compose(const std::string& key, const std::vector<std::string>& sources, const PutTerms& terms);

  const GcsConfig config_;
};

}  // namespace laminar

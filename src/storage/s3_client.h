#pragma once

/// Amazon S3 and what speaks like it.

#include <map>
#include <string>
#include <vector>

#include "storage/bucket_client.h"
#include "storage/s3_config.h"

namespace laminar {

class S3Client final : public BucketClient {
 public:
  explicit S3Client(S3Config config) : BucketClient(config.place), config_(std::move(config)) {}

  std::optional<StoredObject> Head(const std::string& key) override;
  /// An object of another version that gives way is deleted first: not all servers know `If-Match` of a PUT.
  bool Put(const std::string& key, std::string_view data, const PutTerms& terms) override;
  void Delete(const std::string& key) override;
  std::string CreateUpload(const std::string& key, const PutTerms& terms) override;
  UploadedPart UploadPart(const std::string& key, const std::string& upload, int number,
                          std::string_view data) override;
  Completed CompleteUpload(const std::string& key, const std::string& upload,
                           const std::vector<UploadedPart>& parts, const PutTerms& terms) override;
  void AbortUpload(const std::string& key, const std::string& upload) override;
  std::vector<Upload> ListUploads(const std::string& prefix) override;

  /// The ETag that an object of these parts has.
  static std::string EtagOfParts(const std::vector<UploadedPart>& parts);

 private:
  Call CallOf(std::string method, const std::string& key) const;
  Call GetCall(const std::string& key, const std::string& version) override;
  Page ListPage(const std::string& prefix, const std::string& from) override;
  void Authorize(Call* call) override;
  std::string Explain(const HttpResponse& response) const override;
  bool IsTransient(const HttpResponse& response) const override;
  bool IsBucketMissing(const HttpResponse& response) const override;

  Completed TryComplete(const Call& call);
  /// Removes the object if it is of the version that `terms` let go.
  bool MakeWay(const std::string& key, const PutTerms& terms);

  const S3Config config_;
};

}  // namespace laminar

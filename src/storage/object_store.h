#pragma once

/// Named objects below a URL: what checkpoints lie in, and sinks that stage their output. An object is seen
/// whole or not at all. Failures are ExternalErrors that name the object and the store without its secrets.
/// All calls may block; a store may be used by several threads.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

struct ObjectInfo {
  std::string name;
  int64_t bytes = 0;
};

/// An object on its way. Dropped without a trace unless committed.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual void Write(std::string_view data) = 0;
  /// Durable and visible once this returns.
  virtual void Commit() = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  /// Where it is, for messages; no secrets.
  virtual const std::string& url() const = 0;

  /// Replaces an object of that name on commit. Names are relative paths with '/'.
  virtual std::unique_ptr<ObjectWriter> Create(const std::string& name) = 0;
  /// False, and nothing changed, when there is an object of that name.
  virtual bool PutIfAbsent(const std::string& name, std::string_view data) = 0;
  /// `bytes` bytes from `offset`; an ExternalError when there are fewer.
  virtual std::string Read(const std::string& name, int64_t offset, int64_t bytes) = 0;
  /// How much a Read of an object that is read to the end should ask for: more costs memory, less costs
  /// calls.
  virtual int64_t read_bytes() const { return 4 << 20; }
  /// nullopt when there is none.
  virtual std::optional<int64_t> Size(const std::string& name) = 0;
  /// All objects whose names begin with `prefix`, sorted by name.
  virtual std::vector<ObjectInfo> List(const std::string& prefix) = 0;
  /// No error when there is none.
  virtual void Delete(const std::string& name) = 0;
  /// Held by at most one process at a time where the store can tell (a local directory); an ExternalError
  /// when another has it. Given back when the store is destroyed or the process ends.
  virtual void Lock() {}
  /// Gives it back earlier than that: for a process that will write no more, but takes its time to end.
  virtual void Unlock() {}
  /// Removes what writers left behind that ended without a commit, of objects whose names begin with
  /// `prefix`. Only while nobody writes such objects.
  virtual void RemoveUnfinished(const std::string& prefix) {}

  void Put(const std::string& name, std::string_view data) {
    auto writer = Create(name);
    writer->Write(data);
    writer->Commit();
  }
};

/// Options `storage.*` of the URL's store, by name.
using StorageOptions = std::map<std::string, std::string>;

/// `url`: a local path, file:///path, or an object store's URL. An ExternalError (not to be retried) when the
/// scheme is unknown. Makes no connection and, `create` false, no directory.
std::shared_ptr<ObjectStore> OpenObjectStore(const std::string& url, const StorageOptions& options,
                                             bool create = true);

}  // namespace laminar

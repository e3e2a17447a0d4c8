#pragma once

/// Accumulators that need memory of their own: a pointer to an object, made when the first value comes, and
/// the bytes that such objects are written as (little-endian, lengths as 32 or 64 bits).

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "functions/aggregate.h"

namespace laminar {

template <typename T>
void PutFixed(std::string* out, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  out->append(reinterpret_cast<const char*>(&value), sizeof(T));
}
inline void PutBytes(std::string* out, std::string_view bytes) {
  PutFixed(out, static_cast<uint32_t>(bytes.size()));
  out->append(bytes);
}

/// Reads what PutFixed and PutBytes wrote; running past the end is a bug and aborts.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Fixed() {
    T value;
    std::memcpy(&value, Take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string_view Bytes() { return Take(Fixed<uint32_t>()); }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view Take(size_t count) {
    LAMINAR_CHECK(count <= bytes_.size(), "accumulator bytes end early");
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::string_view bytes_;
};

/// `Object` has a default constructor, `void Serialize(std::string*) const` and `void
/// Deserialize(ByteReader&)`. No object is the same as an empty one, and is written as nothing.
template <typename Object>
class OwningAggregate : public AggregateFunction {
 public:
  explicit OwningAggregate(Type result) : AggregateFunction(std::move(result), sizeof(Object*)) {}

  void Init(uint8_t* state) const override { Put(state, nullptr); }
  void Destroy(uint8_t* state) const override {
    delete Find(state);
    Put(state, nullptr);
  }
  bool owns_memory() const override { return true; }
  void Serialize(const uint8_t* state, std::string* out) const override {
    if (const Object* object = Find(state)) object->Serialize(out);
  }
  void Deserialize(std::string_view bytes, uint8_t* state) const override {
    Init(state);
    if (bytes.empty()) return;
    ByteReader reader(bytes);
    GetOrMake(state).Deserialize(reader);
  }

 protected:
  /// nullptr when nothing has come yet.
  static Object* Find(const uint8_t* state) {
    Object* object;
    std::memcpy(&object, state, sizeof(object));
    return object;
  }
  static Object& GetOrMake(uint8_t* state) {
    if (Object* object = Find(state)) return *object;
    auto made = std::make_unique<Object>();
    Put(state, made.get());
    return *made.release();
  }

 private:
  static void Put(uint8_t* state, Object* object) { std::memcpy(state, &object, sizeof(object)); }
};

}  // namespace laminar

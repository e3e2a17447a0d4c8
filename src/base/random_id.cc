#include "base/random_id.h"

#include <sys/random.h>

#include <cerrno>

#include "base/error.h"

namespace laminar {

std::string RandomBytes(size_t bytes) {
  std::string out(bytes, '\0');
  for (size_t done = 0; done < bytes;) {
    const ssize_t got = getrandom(out.data() + done, bytes - done, 0);
    LAMINAR_CHECK(got >= 0 || errno == EINTR, "getrandom failed");
    if (got > 0) done += static_cast<size_t>(got);
  }
  return out;
}

std::string RandomId(std::string_view prefix) {
  static constexpr std::string_view kLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string out(prefix);
  size_t letters = 0;
  while (letters < 10) {
    for (const char c : RandomBytes(16)) {
      const unsigned value = static_cast<unsigned char>(c) & 63u;
      if (value >= kLetters.size() || letters == 10) continue;  // all letters equally likely
      out += kLetters[value];
      ++letters;
    }
  }
  return out;
}

}  // namespace laminar

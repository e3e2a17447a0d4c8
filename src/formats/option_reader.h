#pragma once

/// Typed access to a format's options. Whatever is asked for counts as used; what nobody asked for is
/// reported by the planner as unknown.

#include <optional>
#include <string>
#include <vector>

#include "formats/format.h"

namespace laminar {

class OptionReader {
 public:
  /// `format` names the options in errors: "'json.unstructured' …".
  OptionReader(const FormatSpec& spec, std::string format) : spec_(spec), format_(std::move(format)) {}

  bool Has(const std::string& name) const { return spec_.options.count(name) > 0; }
  std::string Text(const std::string& name, const std::string& otherwise) const;
  bool Boolean(const std::string& name, bool otherwise) const;
  /// A single character; `\t`, `\x01` and such may be written with a backslash.
  char Character(const std::string& name, char otherwise) const;
  /// Index of the value in `values`, which are compared without case; `otherwise` when the option is absent.
  int Choice(const std::string& name, const std::vector<std::string>& values, int otherwise) const;
  /// A positive number, with KB, MB or GB (× 1024). `*has_unit` says which it was.
  int64_t Size(const std::string& name, int64_t otherwise, bool* has_unit) const;
  [[noreturn]] void Fail(const std::string& name, const std::string& wanted) const;

 private:
  const std::string* Find(const std::string& name) const;

  const FormatSpec& spec_;
  std::string format_;
};

}  // namespace laminar

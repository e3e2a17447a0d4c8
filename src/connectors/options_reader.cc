#include "connectors/options_reader.h"

#include <algorithm>
#include <cctype>

#include "connectors/option_text.h"

namespace laminar {

namespace {

OptionSpec Common(std::string name, OptionType type, std::string otherwise, std::string description) {
  OptionSpec spec;
  spec.name = std::move(name);
  spec.type = type;
  spec.default_value = std::move(otherwise);
  spec.description = std::move(description);
  return spec;
}

OptionSpec ForSources(OptionSpec spec) {
  spec.for_sink = false;
  return spec;
}

OptionSpec WithAlias(OptionSpec spec, std::string alias) {
  spec.aliases.push_back(std::move(alias));
  return spec;
}

OptionSpec WithValues(OptionSpec spec, std::vector<std::string> values) {
  spec.values = std::move(values);
  return spec;
}

std::vector<OptionSpec> MakeCommonOptions() {
  const auto text = OptionType::kText;
  const auto integer = OptionType::kInteger;
  const auto duration = OptionType::kDuration;
  return {
      Common("connector", text, "", "id of the connector"),
      WithAlias(Common("connection_profile", text, "", "name or id of the connection profile"), "connection"),
      WithAlias(WithValues(Common("type", text, "", "what the table is for"), {"source", "sink", "lookup"}),
                "table_type"),
      Common("format", text, "", "how records are encoded"),
      WithAlias(WithValues(Common("framing", text, "", "how records are told apart within a message or file"),
                           {"none", "newline", "length"}),
                "framing.method"),
      WithAlias(Common("framing.newline.max_length", OptionType::kSize, "", "longer lines are bad records"),
                "framing.max_line_length"),
      Common("framing.length.bytes", integer, "4", "bytes of the big-endian length before each record"),
      Common("framing.length.max_length", OptionType::kSize, "64MB", "longer records are bad records"),
      WithAlias(WithValues(Common("bad_data", text, "fail", "what becomes of records that do not fit"),
                           {"fail", "drop", "dead_letter"}),
                "bad_data.behavior"),
      ForSources(Common("dead_letter", text, "", "sink table that gets bad records")),
      ForSources(Common("event_time_field", text, "", "TIMESTAMP column that is the row time")),
      ForSources(Common("watermark_field", text, "", "column that is the watermark itself")),
      ForSources(
          Common("watermark_delay", duration, "", "how far the watermark trails the row time; default: 1 s")),
      ForSources(Common(
          "idle_time", duration, "",
          "a split without data for so long does not hold the watermark back; ≤ 0: never; default: 5 min")),
      ForSources(Common("idle_micros", duration, "", "idle_time in microseconds")),
      ForSources(Common("rate_limit", OptionType::kDouble, "", "rows per second and subtask")),
      Common("max_retries", integer, "20", "attempts to connect before the job recovers"),
      Common("retry_backoff", duration, "50ms", "first pause between attempts"),
      Common("retry_max_backoff", duration, "5s", "longest pause between attempts"),
      Common("lookup.cache.max_bytes", OptionType::kSize, "0", "size of the lookup cache; 0: off"),
      Common("lookup.cache.ttl", duration, "", "how long a lookup is kept"),
  };
}

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

/// `timestampFormat`, `Timestamp-Format` → `timestamp_format`, as FormatOptions wants it.
std::string FormatOptionName(std::string_view name) {
  std::string out;
  bool was_lower = false;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isupper(byte) && was_lower) out.push_back('_');
    was_lower = std::islower(byte) || std::isdigit(byte);
    out.push_back(c == '-' ? '_' : static_cast<char>(std::tolower(byte)));
  }
  return out;
}

std::string Joined(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) out += (out.empty() ? "" : ", ") + value;
  return out;
}

/// What a value should have been; empty when it is right. Canonicalises values from a fixed list.
std::string WhatIsWrong(const OptionSpec& spec, std::string* value) {
  switch (spec.type) {
    case OptionType::kInteger:
      if (!ParseIntegerText(*value)) return "a whole number";
      break;
    case OptionType::kDouble:
      if (!ParseDoubleText(*value)) return "a number";
      break;
    case OptionType::kBoolean:
      if (!ParseBooleanText(*value)) return "true or false";
      break;
    case OptionType::kDuration:
      if (!ParseDurationUs(*value)) {
        return "a duration such as '5s' or '1 minute 30 seconds' (no months or years)";
      }
      break;
    case OptionType::kSize:
      if (!ParseSizeBytes(*value)) return "a size such as '64 MB' or a number of bytes";
      break;
    case OptionType::kText:
    case OptionType::kList:
      if (spec.required && value->empty()) return "a text that is not empty";
      break;
  }
  if (spec.values.empty()) return "";
  for (const std::string& allowed : spec.values) {
    if (FoldOptionName(allowed) == FoldOptionName(*value)) {
      *value = allowed;
      return "";
    }
  }
  return "one of " + Joined(spec.values);
}

bool IsReference(std::string_view value) {
  const size_t begin = value.find("{{");
  return begin != std::string_view::npos && value.find("}}", begin) != std::string_view::npos;
}

/// A value of the option's type in place of one that is only known when it runs.
std::string StandIn(const OptionSpec& spec, const std::string& reference) {
  if (!spec.default_value.empty()) return spec.default_value;
  if (!spec.values.empty()) return spec.values.front();
  switch (spec.type) {
    case OptionType::kInteger:
    case OptionType::kDouble:
    case OptionType::kSize:
      return "1";
    case OptionType::kBoolean:
      return "true";
    case OptionType::kDuration:
      return "1s";
    case OptionType::kText:
    case OptionType::kList:
      break;
  }
  return reference;
}

class OptionsReader {
 public:
  OptionsReader(const ConnectorInfo& info, const FormatRegistry& formats, SourceSpan table_span,
                std::optional<TableKind> kind, bool references_stand)
      : info_(info), formats_(formats), table_span_(table_span), references_stand_(references_stand) {
    out_.kind = kind;
  }

  TableOptions Read(const std::vector<RawOption>& raw) {
    for (const OptionSpec& spec : info_.options) specs_.push_back(&spec);
    for (const OptionSpec& spec : CommonOptions()) {
      // A connector may describe an option that all have in its own words.
      const bool overridden = std::any_of(info_.options.begin(), info_.options.end(),
                                          [&](const OptionSpec& own) { return own.name == spec.name; });
      if (!overridden) specs_.push_back(&spec);
    }
    // Format and kind decide how the others are read.
    for (const RawOption& option : raw) ReadFormatName(option);
    ChooseFormat();
    for (const RawOption& option : raw) ReadOption(option);
    DecideKind();
    for (const RawOption& option : raw) CheckKind(option);
    FoldIdleMicros();
    AddDefaults();
    FillFraming();
    return std::move(out_);
  }

 private:
  void Fail(Reason reason, SourceSpan span, std::string message, std::string hint = "") {
    UserError error(reason, span, std::move(message));
    if (!hint.empty()) error.Hint(std::move(hint));
    out_.errors.push_back(std::move(error));
  }

  /// The option that `folded` names, without looking at `source.` and `sink.`; null when unknown.
  const OptionSpec* FindExact(std::string_view folded) const {
    for (const OptionSpec* spec : specs_) {
      if (FoldOptionName(spec->name) == folded) return spec;
      for (const std::string& alias : spec->aliases) {
        if (FoldOptionName(alias) == folded) return spec;
      }
    }
    for (const OptionSpec* spec : specs_) {
      if (!spec->prefix) continue;
      if (StartsWith(folded, FoldOptionName(spec->name))) return spec;
    }
    return nullptr;
  }

  const OptionSpec* Find(const std::string& name) const {
    const std::string folded = FoldOptionName(name);
    if (const OptionSpec* spec = FindExact(folded)) return spec;
    const std::string_view bare = WithoutKindPrefix(folded);
    return bare.size() < folded.size() ? FindExact(bare) : nullptr;
  }

  static std::string_view WithoutKindPrefix(std::string_view name) {
    for (const std::string_view prefix : {"source.", "sink."}) {
      if (name.size() > prefix.size() && EqualsIgnoreCase(name.substr(0, prefix.size()), prefix)) {
        return name.substr(prefix.size());
      }
    }
    return name;
  }

  /// The canonical key: the name in the spec, and for prefix options what follows the prefix as written.
  static std::string CanonicalName(const OptionSpec& spec, std::string_view written) {
    if (!spec.prefix) return spec.name;
    const std::string folded = FoldOptionName(spec.name);
    if (!StartsWith(FoldOptionName(written), folded)) written = WithoutKindPrefix(written);
    const size_t dots = static_cast<size_t>(std::count(spec.name.begin(), spec.name.end(), '.'));
    size_t at = 0;
    for (size_t i = 0; i < dots; ++i) at = written.find('.', at) + 1;
    return spec.name + std::string(written.substr(at));
  }

  void ReadFormatName(const RawOption& raw) {
    if (FoldOptionName(WithoutKindPrefix(raw.name)) == "format") format_option_ = &raw;
    if (FormatOptionName(WithoutKindPrefix(raw.name)) == "json.debezium") debezium_option_ = &raw;
  }

  /// 'json.debezium' = true is another way to write format 'debezium_json'.
  std::string FormatName() {
    std::string name = format_option_ != nullptr ? format_option_->value : info_.default_format;
    if (debezium_option_ == nullptr || FormatOptionName(name) != "json") return name;
    const auto debezium = ParseBooleanText(debezium_option_->value);
    if (!debezium) {
      Fail(Reason::kBadOption, debezium_option_->value_span,
           "option '" + debezium_option_->name + "': '" + debezium_option_->value + "' is not true or false");
    }
    debezium_taken_ = true;
    return debezium.value_or(false) ? "debezium_json" : name;
  }

  void ChooseFormat() {
    if (info_.formats.empty()) {
      if (format_option_ != nullptr) {
        Fail(Reason::kUnknownOption, format_option_->name_span,
             "connector '" + info_.id + "' takes no format: it makes or swallows rows itself");
      }
      return;
    }
    const std::string name = FormatName();
    const SourceSpan span = format_option_ != nullptr ? format_option_->value_span : table_span_;
    out_.format = formats_.Find(name);
    if (out_.format == nullptr) {
      FailUnknownFormat(name, span);
      return;
    }
    for (const std::string& allowed : info_.formats) {
      for (const std::string& known : out_.format->names) {
        if (FoldOptionName(known) == FoldOptionName(allowed)) return;
      }
    }
    Fail(Reason::kBadOption, span,
         "connector '" + info_.id + "' does not take format '" + name + "', only " + Joined(BuiltFormats()));
  }

  std::vector<std::string> BuiltFormats() const {
    std::vector<std::string> built;
    for (const std::string& allowed : info_.formats) {
      if (formats_.Find(allowed) != nullptr) built.push_back(allowed);
    }
    return built;
  }

  void FailUnknownFormat(const std::string& name, SourceSpan span) {
    for (const std::string& allowed : info_.formats) {
      if (FoldOptionName(allowed) != FoldOptionName(name)) continue;
      Fail(Reason::kUnsupported, span, "format '" + name + "' is not in this build");
      return;
    }
    const std::vector<std::string> built = BuiltFormats();
    const std::string near = NearestName(name, built);
    Fail(Reason::kBadOption, span,
         "unknown format '" + name + "'; connector '" + info_.id + "' takes " + Joined(built),
         near.empty() ? "" : "did you mean '" + near + "'?");
  }

  void ReadOption(const RawOption& raw) {
    if (&raw == debezium_option_ && debezium_taken_) return;
    const OptionSpec* spec = Find(raw.name);
    if (spec == nullptr) {
      if (!ReadFormatOption(raw)) FailUnknown(raw);
      return;
    }
    std::string value = raw.value;
    if (references_stand_ && IsReference(value)) value = StandIn(*spec, value);
    const std::string wanted = WhatIsWrong(*spec, &value);
    if (!wanted.empty()) {
      const std::string shown = spec->secret ? "the value" : "'" + raw.value + "'";
      Fail(Reason::kBadOption, raw.value_span, "option '" + raw.name + "': " + shown + " is not " + wanted);
      return;
    }
    const std::string name = CanonicalName(*spec, raw.name);
    const auto [at, added] = out_.options.values.insert_or_assign(name, OptionValue{value, raw.value_span});
    if (!added) out_.warnings.push_back("option '" + raw.name + "' is given twice: the last value counts");
  }

  /// `<format>.<name>`. True when it was one, right or wrong.
  bool ReadFormatOption(const RawOption& raw) {
    const std::string_view name = WithoutKindPrefix(raw.name);
    const size_t dot = name.find('.');
    if (dot == std::string_view::npos) return false;
    const std::string_view owner = name.substr(0, dot);
    const Format* named = formats_.Find(owner);
    if (named == nullptr || info_.formats.empty()) return false;
    // 'json.x' also reaches the formats built on JSON, e.g. debezium_json.
    const bool built_on = out_.format != nullptr && EndsWithWord(out_.format->names.front(), owner);
    if (out_.format != nullptr && named != out_.format && !built_on) {
      Fail(Reason::kUnknownOption, raw.name_span,
           "option '" + raw.name + "' belongs to format '" + named->names.front() +
               "'; this table's format is '" + out_.format->names.front() + "'");
      return true;
    }
    const std::string option = FormatOptionName(name.substr(dot + 1));
    const auto [at, added] =
        out_.format_spec.options.insert_or_assign(option, FormatOption{raw.value, raw.value_span});
    if (!added) out_.warnings.push_back("option '" + raw.name + "' is given twice: the last value counts");
    return true;
  }

  static bool EndsWithWord(std::string_view name, std::string_view word) {
    return name.size() > word.size() + 1 && name[name.size() - word.size() - 1] == '_' &&
           EqualsIgnoreCase(name.substr(name.size() - word.size()), word);
  }

  void FailUnknown(const RawOption& raw) {
    std::vector<std::string> known;
    for (const OptionSpec* spec : specs_) {
      known.push_back(spec->name);
      known.insert(known.end(), spec->aliases.begin(), spec->aliases.end());
    }
    if (out_.format != nullptr) {
      for (const auto& [name, meaning] : out_.format->doc.options) {
        known.push_back(out_.format->names.front() + "." + name);
      }
    }
    std::string near = NearestName(WithoutKindPrefix(raw.name), known);
    if (near.empty()) near = NearestName(raw.name, known);
    Fail(Reason::kUnknownOption, raw.name_span,
         "connector '" + info_.id + "' has no option '" + raw.name + "'",
         near.empty() ? "" : "did you mean '" + near + "'?");
  }

  void DecideKind() {
    const auto type = out_.options.values.find("type");
    if (type != out_.options.values.end()) {
      const std::string& text = type->second.text;
      const TableKind kind = text == "source" ? TableKind::kSource
                             : text == "sink" ? TableKind::kSink
                                              : TableKind::kLookup;
      out_.kind = kind;
    }
    if (!out_.kind && info_.source + info_.sink + info_.lookup == 1) {
      out_.kind = info_.source ? TableKind::kSource : info_.sink ? TableKind::kSink : TableKind::kLookup;
    }
    if (!out_.kind || Has(*out_.kind)) return;
    Fail(Reason::kBadOption, type != out_.options.values.end() ? type->second.span : table_span_,
         "connector '" + info_.id + "' cannot be a " + std::string(TableKindName(*out_.kind)));
  }

  bool Has(TableKind kind) const {
    if (kind == TableKind::kSource) return info_.source;
    return kind == TableKind::kSink ? info_.sink : info_.lookup;
  }

  bool Fits(const OptionSpec& spec) const {
    if (!out_.kind) return true;
    return *out_.kind == TableKind::kSink ? spec.for_sink
                                          : *out_.kind == TableKind::kLookup || spec.for_source;
  }

  /// Options of the other kind are as unknown as misspelt ones: they would have no effect.
  void CheckKind(const RawOption& raw) {
    const OptionSpec* spec = Find(raw.name);
    if (spec == nullptr || Fits(*spec)) return;
    const std::string kind(TableKindName(*out_.kind));
    Fail(Reason::kUnknownOption, raw.name_span,
         "option '" + raw.name + "' is for " + (spec->for_source ? "sources" : "sinks") +
             "; this table is a " + kind);
  }

  /// `idle_micros` is `idle_time` in another unit: readers look at one.
  void FoldIdleMicros() {
    auto& values = out_.options.values;
    const auto found = values.find("idle_micros");
    if (found == values.end()) return;
    const int64_t idle_us = out_.options.DurationUs("idle_micros");
    values.insert_or_assign("idle_time", OptionValue{std::to_string(idle_us) + "us", found->second.span});
    values.erase(found);
  }

  void AddDefaults() {
    for (const OptionSpec* spec : specs_) {
      if (spec->prefix || out_.options.Has(spec->name) || !Fits(*spec)) continue;
      if (!spec->default_value.empty()) {
        out_.options.values[spec->name] = {spec->default_value, {}};
      } else if (spec->required && !FailedAlready(spec->name)) {
        Fail(Reason::kMissingOption, table_span_,
             "connector '" + info_.id + "' needs the option '" + spec->name + "': " + spec->description);
      }
    }
  }

  /// A required option whose value was wrong is not missing too.
  bool FailedAlready(const std::string& name) const {
    return std::any_of(out_.errors.begin(), out_.errors.end(), [&](const UserError& error) {
      return error.reason() == Reason::kBadOption && error.message().find(name) != std::string::npos;
    });
  }

  void FillFraming() {
    FormatSpec& spec = out_.format_spec;
    const std::string framing = out_.options.Text("framing");
    const bool lines =
        framing == "newline" ||
        (framing.empty() && (info_.reads_lines || (out_.format && out_.format->newline_implied)));
    spec.framing = lines                 ? FramingMethod::kNewline
                   : framing == "length" ? FramingMethod::kLength
                                         : FramingMethod::kNone;
    spec.line_bytes_max = out_.options.Bytes("framing.newline.max_length");
    spec.one_message = !info_.reads_lines;
  }

  const ConnectorInfo& info_;
  const FormatRegistry& formats_;
  const SourceSpan table_span_;
  const bool references_stand_;
  std::vector<const OptionSpec*> specs_;
  const RawOption* format_option_ = nullptr;
  const RawOption* debezium_option_ = nullptr;
  bool debezium_taken_ = false;
  TableOptions out_;
};

}  // namespace

std::string_view TableKindName(TableKind kind) {
  switch (kind) {
    case TableKind::kSource:
      return "source";
    case TableKind::kSink:
      return "sink";
    case TableKind::kLookup:
      return "lookup";
  }
  return "";
}

const std::vector<OptionSpec>& CommonOptions() {
  static const std::vector<OptionSpec> options = MakeCommonOptions();
  return options;
}

TableOptions ReadTableOptions(const std::vector<RawOption>& raw, const ConnectorInfo& info,
                              const FormatRegistry& formats, SourceSpan table_span,
                              std::optional<TableKind> kind, bool references_stand) {
  return OptionsReader(info, formats, table_span, kind, references_stand).Read(raw);
}

std::vector<UserError> UnusedFormatOptions(const FormatSpec& spec, const Format& format) {
  std::vector<std::string> known;
  for (const auto& [name, meaning] : format.doc.options) known.push_back(name);
  std::vector<UserError> errors;
  for (const auto& [name, option] : spec.options) {
    if (option.used) continue;
    UserError error(Reason::kUnknownOption, option.span,
                    "format '" + format.names.front() + "' has no option '" + name + "'");
    const std::string near = NearestName(name, known);
    if (!near.empty() && near != name) {
      error.Hint("did you mean '" + format.names.front() + "." + near + "'?");
    }
    errors.push_back(std::move(error));
  }
  return errors;
}

}  // namespace laminar

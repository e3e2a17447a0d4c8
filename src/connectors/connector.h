#pragma once

/// What a connector declares. SQL validation, `laminar connectors`, the REST listing and the console's forms
/// all read `ConnectorInfo`; nothing anywhere switches on a connector's name.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "formats/format.h"
#include "runtime/sink.h"
#include "runtime/source.h"
#include "types/type.h"

namespace laminar {

enum class OptionType { kText, kInteger, kDouble, kBoolean, kDuration, kSize, kList };

struct OptionSpec {
  std::string name;  ///< snake_case, dots for nesting: "rolling_policy.file_size"
  std::vector<std::string> aliases =
      {};  ///< other spellings; a leading "source." or "sink." is always accepted
  OptionType type = OptionType::kText;
  bool required = false;
  std::string default_value = "";  ///< as text; empty: none
  std::string description = "";
  bool for_source = true;
  bool for_sink = true;
  bool secret = false;
  std::vector<std::string> values = {};  ///< allowed values; empty: any
  bool prefix = false;                   ///< "storage." takes any option that starts with the name
  bool tells_kind = false;               ///< JSON's `config.type` object must have it to mean this kind
  bool profile = false;                  ///< belongs to the connection, so a connection profile may hold it
};

struct OptionValue {
  std::string text;
  SourceSpan span;
};

/// The options of one table, after names were folded (case, `_`, `-`) and aliases resolved: keys are
/// canonical names. Values were checked against their types, so the typed getters do not fail.
class Options {
 public:
  std::map<std::string, OptionValue> values;

  bool Has(const std::string& name) const { return values.count(name) > 0; }
  std::string Text(const std::string& name, std::string otherwise = "") const;
  int64_t Integer(const std::string& name, int64_t otherwise = 0) const;
  double Double(const std::string& name, double otherwise = 0) const;
  bool Boolean(const std::string& name, bool otherwise = false) const;
  /// Microseconds. `'5s'`, `'5 seconds'`, `'1 minute 30 seconds'`; a bare number counts in the unit that the
  /// name ends in (`_micros`, `_millis`/`_ms`, `_secs`/`_seconds`), else seconds.
  int64_t DurationUs(const std::string& name, int64_t otherwise = 0) const;
  int64_t Bytes(const std::string& name, int64_t otherwise = 0) const;  ///< `10MB` = 10 × 1024²
  /// `a, b` or `[a, b]`.
  std::vector<std::string> List(const std::string& name) const;
  SourceSpan span(const std::string& name) const;
};

/// Microseconds of '5s', '5 seconds', '1 day 02:00:00', or a bare number in `bare_unit_us`. nullopt: not a
/// duration.
std::optional<int64_t> ParseDurationUs(std::string_view text, int64_t bare_unit_us = 1'000'000);
/// Bytes of '10MB', '64 KB', '1024'. nullopt: not a size.
std::optional<int64_t> ParseSizeBytes(std::string_view text);

/// A declared table, as a connector sees it.
struct TableSpec {
  std::string name;
  Options options;
  Schema columns;                          ///< physical columns in declared order (sources: may be implied)
  std::vector<std::string> metadata_keys;  ///< metadata columns that the plan reads, in order
  std::vector<int> primary_key;
  std::vector<std::string> partition_by;  ///< PARTITIONED BY
  const Format* format = nullptr;         ///< null for connectors without formats
  FormatSpec format_spec;
  int event_time_column = -1;  ///< sinks: column of the row time in `columns`; −1: none
};

struct MetadataColumn {
  std::string key;
  Type type;
};

/// How a table of this connector is read.
struct SourcePlan {
  enum class Emits {
    kRecords,  ///< rows of (payload BINARY, then `metadata_keys` columns): the decode operator follows
    kRows,     ///< rows of `schema`: no format
  };
  Emits emits = Emits::kRecords;
  /// kRows: the columns, in order. kRecords: unused.
  Schema schema;
  bool bounded = false;
  int parallelism_max = 0;  ///< 0: any; 1: only subtask 0 reads, and decoding is spread behind it
  bool changelog = false;   ///< rows carry weights
  /// kRecords of data at rest: a split's records may be decoded side by side. Not for live data: a decoder
  /// that happens to get no rows would hold the watermark back.
  bool spread_decoding = false;
  /// Row time when the table declares none: a column of `schema` (kRows), or the metadata column "event_time"
  /// µs that the source appends last (kRecords); −1: arrival time.
  int default_event_time = -1;
  std::function<std::unique_ptr<Source>()> make;
};

struct SinkPlan {
  enum class Takes {
    kRecords,  ///< one BINARY column of encoded records (then the row-time column, if any)
    kRows,     ///< rows of the table's columns, with weights if `changelog`
  };
  Takes takes = Takes::kRecords;
  bool changelog = false;   ///< kRows: takes weights. kRecords: as its format does
  int parallelism_max = 0;  ///< 1: one writer
  std::string header;       ///< unused by kRows
  std::function<std::unique_ptr<Sink>()> make;
};

/// Whether tables of a connector take their connection from a connection profile.
enum class ProfileUse { kNone, kOptional, kRequired };

struct ConnectorInfo {
  std::string id;
  std::vector<std::string> aliases;
  std::string name;  ///< "Single File"
  std::string description;
  std::string category;
  std::string version = "1.0";
  bool source = false;
  bool sink = false;
  bool lookup = false;
  std::vector<OptionSpec> options;
  std::vector<std::string> formats;  ///< allowed; empty: none taken
  std::string default_format = "json";
  /// Of a sink: the format that takes the place of the default one when the query updates; empty: none does.
  std::string updating_format;
  std::vector<MetadataColumn> metadata;
  std::map<std::string, bool> features;  ///< exactly_once, compression …
  std::string source_guarantee;          ///< "exactly once", …
  std::string sink_guarantee;
  bool implied_schema = false;  ///< columns come from the connector, a column list must match
  bool reads_lines = false;  ///< source payloads are pieces of a file: newline framing unless told otherwise
  ProfileUse profile = ProfileUse::kNone;  ///< kRequired only in the REST API: SQL may name all options
  bool enabled = true;  ///< false: described, so that profiles and tables can be made, but not in this build
  bool hidden = false;  ///< left out of listings
};

struct ConnectionTestResult {
  std::string message;
  std::string version;  ///< of the external system; empty: not known
};

struct Suggestion {
  std::string value;
  std::string type;  ///< topic, table, column …
};

class Connector {
 public:
  virtual ~Connector() = default;
  /// Options of a profile as (name, value), names as written.
  using ProfileOptions = std::vector<std::pair<std::string, std::string>>;
  /// Reaches the system that a profile describes. Does I/O, at most 30 s. Throws ExternalError.
  virtual ConnectionTestResult TestConnection(const ProfileOptions& profile) const;
  /// Names that a user may want to choose from; `kind` empty: the connector's main kind. Does I/O.
  virtual std::vector<Suggestion> Suggest(const ProfileOptions& profile, const std::string& kind,
                                          const std::string& parent) const {
    return {};
  }
  virtual const ConnectorInfo& info() const = 0;
  /// Columns that the connector itself fixes (nexmark); nullopt when they must be declared or inferred.
  virtual std::optional<Schema> ImpliedSchema(const TableSpec& table) const { return std::nullopt; }
  /// The first bytes that a source would read, for schema inference. Does I/O; only `run` calls it. nullopt:
  /// cannot sample.
  virtual std::optional<std::string> Sample(const TableSpec& table) const { return std::nullopt; }
  /// Throws UserError for options that contradict each other. Opens nothing.
  virtual SourcePlan PlanSource(const TableSpec& table) const;
  virtual SinkPlan PlanSink(const TableSpec& table) const;
};

class ConnectorRegistry {
 public:
  void Add(std::unique_ptr<Connector> connector);
  const Connector* Find(
      std::string_view id) const;  ///< id or alias, any case, `-` equals `_`; nullptr when unknown
  std::vector<const Connector*> connectors() const;
  std::vector<std::string> ids() const;

 private:
  std::map<std::string, std::shared_ptr<const Connector>> connectors_;
};

}  // namespace laminar

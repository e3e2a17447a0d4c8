#include "connectors/described/connectors.h"

#include <utility>

namespace laminar {

namespace {

const std::vector<std::string> kMessageFormats = {"json", "debezium_json", "avro",      "protobuf",
                                                  "csv",  "raw_string",    "raw_bytes", "raw"};

[[noreturn]] void Missing(const ConnectorInfo& info) {
  throw ExternalError(info.id, "this build has no client for " + info.name, ExternalError::Retry::kNever);
}

class MissingSource final : public Source {
 public:
  explicit MissingSource(const ConnectorInfo& info) : info_(info) {}
  PollResult Poll(Output&) override { Missing(info_); }
  void Snapshot(SnapshotWriter&) override {}
  void Restore(const SnapshotReader&) override {}

 private:
  const ConnectorInfo& info_;
};

class MissingSink final : public Sink {
 public:
  explicit MissingSink(const ConnectorInfo& info) : info_(info) {}
  void Open(const OperatorContext&) override { Missing(info_); }
  void Write(const Batch&) override { Missing(info_); }

 private:
  const ConnectorInfo& info_;
};

class DescribedConnector final : public Connector {
 public:
  explicit DescribedConnector(ConnectorInfo info) : info_(std::move(info)) { info_.enabled = false; }
  const ConnectorInfo& info() const override { return info_; }
  SourcePlan PlanSource(const TableSpec& table) const override {
    SourcePlan plan;
    plan.changelog = table.format && table.format->changelog;
    plan.default_event_time = 1 + static_cast<int>(table.metadata_keys.size());
    plan.make = [this] { return std::make_unique<MissingSource>(info_); };
    return plan;
  }
  SinkPlan PlanSink(const TableSpec& table) const override {
    SinkPlan plan;
    plan.changelog = table.format && table.format->changelog;
    plan.make = [this] { return std::make_unique<MissingSink>(info_); };
    return plan;
  }

 private:
  ConnectorInfo info_;
};

// ---- short ways to say an option ----

OptionSpec Option(std::string name, std::string description, OptionType type = OptionType::kText) {
  OptionSpec out;
  out.name = std::move(name);
  out.type = type;
  out.description = std::move(description);
  return out;
}
OptionSpec Required(OptionSpec option) {
  option.required = true;
  return option;
}
OptionSpec OfProfile(OptionSpec option) {
  option.profile = true;
  return option;
}
OptionSpec Secret(OptionSpec option) {
  option.secret = true;
  return option;
}
OptionSpec Source_(OptionSpec option) {
  option.for_sink = false;
  return option;
}
OptionSpec Sink_(OptionSpec option) {
  option.for_source = false;
  return option;
}
OptionSpec TellsKind(OptionSpec option) {
  option.tells_kind = true;
  return option;
}
OptionSpec Also(OptionSpec option, std::vector<std::string> aliases) {
  option.aliases = std::move(aliases);
  return option;
}
OptionSpec OneOf(OptionSpec option, std::vector<std::string> values, std::string otherwise = "") {
  option.values = std::move(values);
  option.default_value = std::move(otherwise);
  return option;
}
OptionSpec Default(OptionSpec option, std::string value) {
  option.default_value = std::move(value);
  return option;
}
OptionSpec Prefix(OptionSpec option) {
  option.prefix = true;
  return option;
}

constexpr auto kInt = OptionType::kInteger;
constexpr auto kBool = OptionType::kBoolean;
constexpr auto kDuration = OptionType::kDuration;
constexpr auto kList = OptionType::kList;

struct Kinds {
  bool source = false, sink = false, lookup = false;
};

ConnectorInfo Info(const char* id, const char* name, const char* version, const char* category, Kinds kinds,
                   ProfileUse profile, const char* description) {
  ConnectorInfo info;
  info.id = id;
  info.name = name;
  info.version = version;
  info.category = category;
  info.source = kinds.source;
  info.sink = kinds.sink;
  info.lookup = kinds.lookup;
  info.profile = profile;
  info.description = description;
  info.formats = kMessageFormats;
  return info;
}

/// No feature works without a client.
void Features(ConnectorInfo* info, std::initializer_list<const char*> names) {
  for (const char* name : names) info->features[name] = false;
}

std::vector<OptionSpec> TlsOptions() {
  return {OfProfile(Option("tls.ca", "file with certificates that are trusted")),
          OfProfile(Option("tls.cert", "file with the client's certificate")),
          OfProfile(Option("tls.key", "file with the client's key")),
          OfProfile(Option("tls.verify", "check the server's certificate", kBool))};
}

ConnectorInfo Kafka() {
  ConnectorInfo info = Info("kafka", "Apache Kafka", "3.4.0", "messaging", {.source = true, .sink = true},
                            ProfileUse::kRequired, "Topics of a Kafka cluster");
  info.aliases = {"confluent"};
  info.options = {
      Required(OfProfile(Option("bootstrap_servers", "brokers as host:port, separated by commas", kList))),
      OfProfile(OneOf(Option("auth.type", "how to authenticate"), {"none", "sasl", "aws_msk_iam"})),
      OfProfile(OneOf(Also(Option("auth.protocol", "with or without TLS"), {"security_protocol"}),
                      {"SASL_SSL", "SASL_PLAINTEXT", "SSL", "PLAINTEXT"})),
      OfProfile(OneOf(Also(Option("auth.mechanism", "SASL mechanism"), {"sasl_mechanism"}),
                      {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"})),
      OfProfile(Also(Option("auth.username", "SASL user"), {"sasl_username"})),
      Secret(OfProfile(Also(Option("auth.password", "SASL password"), {"sasl_password"}))),
      OfProfile(Option("auth.region", "AWS region, for aws_msk_iam")),
      OfProfile(Option("schema_registry.endpoint", "URL of the schema registry")),
      Secret(OfProfile(Option("schema_registry.api_key", "user of the schema registry"))),
      Secret(OfProfile(Option("schema_registry.api_secret", "password of the schema registry"))),
      Prefix(OfProfile(Option("connection_properties.", "any setting of the client library"))),
      Required(Also(Option("topic", "topic, or a regular expression over topics for a source"),
                    {"topic_pattern"})),
      Source_(TellsKind(OneOf(Also(Option("offset", "where to begin without a checkpoint"), {"offset_reset"}),
                              {"earliest", "latest", "group"}, "latest"))),
      Source_(Also(Option("group_id", "consumer group"), {"consumer_group"})),
      Source_(Option("group_id_prefix", "start of the generated consumer group")),
      Source_(OneOf(Option("read_mode", "rows of open transactions"), {"read_uncommitted", "read_committed"},
                    "read_uncommitted")),
      Source_(Option("partition_discovery_interval", "how often new partitions are looked for; 0: never",
                     kDuration)),
      Sink_(TellsKind(
          Default(OneOf(Option("commit_mode", "delivery guarantee"), {"at_least_once", "exactly_once"}),
                  "at_least_once"))),
      Sink_(Option("key_field", "column that becomes the key")),
      Sink_(Option("timestamp_field", "column that becomes the timestamp; default: event time")),
      Sink_(OneOf(Option("compression_type", "compression of batches"),
                  {"none", "gzip", "snappy", "lz4", "zstd"}, "none")),
      Option("client_configs", "settings of the client library, 'k=v,k2=v2'"),
      Prefix(Option("client_configs.", "one setting of the client library")),
      Also(Option("value.subject", "subject in the schema registry"), {"value_subject"}),
  };
  for (OptionSpec& option : TlsOptions()) info.options.push_back(std::move(option));
  info.metadata = {{"topic", Type::Text()},
                   {"partition", Type::Int32()},
                   {"offset", Type::Int64()},
                   {"offset_id", Type::Int64()},
                   {"timestamp", Type::Timestamp(3)},
                   {"key", Type::Bytes()},
                   {"headers", Type::Map(Type::Text(), Type::Bytes())}};
  Features(&info, {"exactly_once", "schema_registry", "transactions", "partitioning", "compression"});
  return info;
}

ConnectorInfo Kinesis() {
  ConnectorInfo info = Info("kinesis", "Amazon Kinesis", "2.0", "cloud", {.source = true, .sink = true},
                            ProfileUse::kOptional, "Streams of Amazon Kinesis");
  info.options = {
      OfProfile(Option("access_key_id", "AWS access key")),
      Secret(OfProfile(Option("secret_access_key", "AWS secret key"))),
      Secret(OfProfile(Option("session_token", "AWS session token"))),
      OfProfile(Option("role_arn", "role to assume")),
      OfProfile(Also(Option("aws_region", "AWS region"), {"region"})),
      OfProfile(Option("endpoint", "another endpoint than AWS's")),
      Required(Option("stream_name", "name of the stream")),
      Source_(TellsKind(
          OneOf(Also(Option("offset", "where to begin without a checkpoint"), {"starting_position"}),
                {"latest", "earliest", "at_timestamp"}, "latest"))),
      Source_(Option("timestamp", "for at_timestamp")),
      Sink_(Default(
          Also(Option("records_per_batch", "most records per request", kInt), {"max_records_per_batch"}),
          "500")),
      Sink_(Default(Also(Option("batch_max_buffer_size", "most bytes per request", OptionType::kSize),
                         {"max_bytes_per_batch"}),
                    "4000000")),
      Sink_(Default(Also(Option("batch_flush_interval_millis", "longest wait for a batch", kInt),
                         {"flush_interval_millis"}),
                    "1000")),
      Sink_(Option("partition_key", "column that becomes the partition key; default: random")),
  };
  info.metadata = {{"shard_id", Type::Text()},
                   {"sequence_number", Type::Text()},
                   {"partition_key", Type::Text()},
                   {"timestamp", Type::Timestamp(3)}};
  Features(&info, {"encryption", "cross_region", "batching"});
  return info;
}

ConnectorInfo RabbitMq() {
  ConnectorInfo info = Info("rabbitmq", "RabbitMQ Streams", "3.13", "messaging",
                            {.source = true, .sink = true}, ProfileUse::kRequired, "Streams of RabbitMQ");
  info.options = {
      OfProfile(Default(Option("host", "host name"), "localhost")),
      OfProfile(Default(Option("port", "port of the streams protocol", kInt), "5552")),
      OfProfile(Default(Option("username", "user"), "guest")),
      Secret(OfProfile(Option("password", "password; default: guest"))),
      OfProfile(Default(Option("virtual_host", "virtual host"), "/")),
      OfProfile(Also(Option("tls.enabled", "use TLS", kBool), {"tls_config.enabled"})),
      OfProfile(Also(Option("tls.trust_certificates", "accept any certificate", kBool),
                     {"tls_config.trust_certificates"})),
      OfProfile(Also(Option("tls.root_certificates_path", "file with trusted certificates"),
                     {"tls_config.root_certificates_path"})),
      OfProfile(Also(Option("tls.client_certificates_path", "file with the client's certificate"),
                     {"tls_config.client_certificates_path"})),
      OfProfile(Also(Option("tls.client_keys_path", "file with the client's key"),
                     {"tls_config.client_keys_path"})),
      OfProfile(Option("load_balancer_mode", "the host is a load balancer", kBool)),
      Required(Option("stream", "name of the stream; it must exist")),
      Source_(TellsKind(
          OneOf(Option("offset", "where to begin without a checkpoint"), {"first", "last", "next"}, "next"))),
      Source_(Option("consumer_name", "name of the consumer")),
      Sink_(Option("producer_name", "name of the producer, for deduplication")),
  };
  Features(&info, {"encryption"});
  return info;
}

ConnectorInfo Nats() {
  ConnectorInfo info = Info("nats", "NATS", "2.10", "messaging", {.source = true, .sink = true},
                            ProfileUse::kRequired, "Subjects and JetStream streams of NATS");
  info.options = {
      Required(OfProfile(Option("servers", "servers, separated by commas", kList))),
      OfProfile(OneOf(Option("auth.type", "how to authenticate"), {"none", "credentials", "jwt"})),
      OfProfile(Option("auth.username", "user")),
      Secret(OfProfile(Option("auth.password", "password"))),
      Secret(OfProfile(Option("auth.jwt", "JWT"))),
      Secret(OfProfile(Option("auth.nkey_seed", "NKey seed"))),
      Also(OneOf(Option("source.type", "core or jetstream; default: by subject or stream"),
                 {"core", "jetstream"}),
           {"sink.type"}),
      Option("subject", "subject; wildcards * and > for sources"),
      Source_(Option("stream", "JetStream stream")),
      Source_(Default(OneOf(Also(Option("ack_policy", "acknowledgement"), {"consumer.ack_policy"}),
                            {"Explicit", "None", "All"}),
                      "Explicit")),
      Source_(Default(OneOf(Option("replay_policy", "replay"), {"Instant", "Original"}), "Instant")),
      Source_(Option("ack_wait", "seconds to wait for acknowledgements", kInt)),
      Source_(Option("description", "of the consumer")),
      Source_(Option("filter_subjects", "subjects of the stream", kList)),
      Source_(Option("sample_frequency", "per cent", kInt)),
      Source_(Option("num_replicas", "of the consumer", kInt)),
      Source_(Option("inactive_threshold", "seconds", kInt)),
      Source_(Option("max_ack_pending", "", kInt)),
      Source_(Option("max_deliver", "", kInt)),
      Source_(Option("max_waiting", "", kInt)),
      Source_(Option("max_batch", "", kInt)),
      Source_(Option("max_bytes", "", kInt)),
      Source_(Option("max_expires", "milliseconds", kInt)),
  };
  info.metadata = {{"subject", Type::Text()}, {"sequence", Type::Int64()}, {"timestamp", Type::Timestamp()}};
  Features(&info, {"encryption", "replay"});
  return info;
}

ConnectorInfo Mqtt() {
  ConnectorInfo info = Info("mqtt", "MQTT", "5.0", "iot", {.source = true, .sink = true},
                            ProfileUse::kRequired, "Topics of an MQTT broker");
  info.options = {
      Required(OfProfile(Option("url", "tcp://, mqtt://, ssl:// or mqtts:// address"))),
      OfProfile(Option("username", "user")),
      Secret(OfProfile(Option("password", "password"))),
      OfProfile(Default(Option("client_prefix", "start of the client id"), "laminar-mqtt")),
      OfProfile(Option("max_packet_size", "bytes", kInt)),
      Required(Option("topic", "topic, with wildcards + and # for sources")),
      OneOf(Option("qos", "quality of service"), {"AtMostOnce", "AtLeastOnce", "ExactlyOnce", "0", "1", "2"}),
      Sink_(TellsKind(Option("retain", "the broker keeps the last message", kBool))),
  };
  for (OptionSpec& option : TlsOptions()) info.options.push_back(std::move(option));
  info.metadata = {{"topic", Type::Text()}};
  Features(&info, {"encryption"});
  return info;
}

ConnectorInfo Redis() {
  ConnectorInfo info = Info("redis", "Redis", "7.0", "cache", {.sink = true, .lookup = true},
                            ProfileUse::kRequired, "Keys of a Redis server or cluster");
  info.options = {
      OfProfile(Option("address", "redis:// or rediss:// address")),
      OfProfile(Also(Option("cluster.addresses", "addresses of a cluster", kList), {"addresses"})),
      OfProfile(Option("username", "user")),
      Secret(OfProfile(Option("password", "password"))),
      Sink_(OneOf(Also(Option("sink.type", "what a row becomes"), {"target"}), {"string", "list", "hash"})),
      Sink_(Option("key_prefix", "start of keys")),
      Sink_(Option("key_column", "column with the rest of the key")),
      Sink_(Option("ttl_secs", "seconds until a key goes", kInt)),
      Sink_(Option("list_prefix", "start of keys of lists")),
      Sink_(Option("list_key_column", "column with the rest of the key")),
      Sink_(Option("max_length", "of a list", kInt)),
      Sink_(OneOf(Option("operation", "which end of a list"), {"Append", "Prepend"})),
      Sink_(Option("hash_key_prefix", "start of keys of hashes")),
      Sink_(Option("hash_key_column", "column with the rest of the key")),
      Sink_(Option("hash_field_column", "column with the field")),
  };
  info.metadata = {{"key", Type::Text()}};
  Features(&info, {"clustering", "ttl", "upsert", "lookup"});
  return info;
}

OptionSpec Headers() { return Option("headers", "Name: value, separated by commas"); }

ConnectorInfo Webhook() {
  ConnectorInfo info = Info("webhook", "Webhook", "1.0", "http", {.source = true, .sink = true},
                            ProfileUse::kNone, "Rows as HTTP requests");
  info.options = {
      Sink_(Required(Also(Option("endpoint", "URL that gets the rows"), {"url"}))),
      OneOf(Option("method", "HTTP method"), {"GET", "POST", "PUT", "PATCH"}, "POST"),
      Headers(),
      Prefix(Option("headers.", "one header")),
      Sink_(Default(Option("max_in_flight", "requests at once", kInt), "50")),
      Sink_(Default(Option("batch_size", "rows per request", kInt), "1")),
      Sink_(Option("batch_interval", "longest wait for a batch", kDuration)),
      Sink_(Default(Option("timeout", "of a request", kDuration), "30s")),
      Source_(Required(Option("path", "served at /webhooks/<path>"))),
      Source_(OneOf(Option("auth_type", "how callers authenticate"), {"none", "basic", "bearer", "api_key"},
                    "none")),
      Source_(Option("username", "for basic")),
      Source_(Secret(Option("password", "for basic"))),
      Source_(Secret(Option("token", "for bearer"))),
      Source_(Option("header", "for api_key")),
      Source_(Secret(Option("key", "for api_key"))),
      Source_(OneOf(Option("ack", "when a request is answered"), {"off", "checkpoint"}, "off")),
  };
  Features(&info, {"authentication", "retry", "batching"});
  return info;
}

ConnectorInfo WebSocket() {
  ConnectorInfo info = Info("websocket", "WebSocket", "1.0", "http", {.source = true}, ProfileUse::kNone,
                            "Messages of a WebSocket");
  info.options = {
      Required(Option("endpoint", "ws:// or wss:// address")),
      Headers(),
      Prefix(Option("headers.", "one header")),
      Also(Option("subscription_messages", "messages to send after connecting"), {"subscription_message"}),
      Prefix(Option("subscription_messages.", "one message")),
      Default(Option("ping_interval", "", kDuration), "30s")};
  Features(&info, {"authentication", "retry"});
  return info;
}

ConnectorInfo Sse() {
  ConnectorInfo info = Info("sse", "Server-Sent Events", "1.0", "http", {.source = true}, ProfileUse::kNone,
                            "Events of an HTTP event stream");
  info.options = {Required(Option("endpoint", "URL of the stream")), Headers(),
                  Prefix(Option("headers.", "one header")),
                  Option("events", "names of events; default: all", kList)};
  info.metadata = {{"event", Type::Text()}, {"id", Type::Text()}};
  Features(&info, {"authentication", "retry"});
  return info;
}

ConnectorInfo PollingHttp() {
  ConnectorInfo info = Info("polling_http", "Polling HTTP", "1.0", "http", {.source = true},
                            ProfileUse::kNone, "Answers of an HTTP endpoint, asked at an interval");
  info.aliases = {"http_polling"};
  info.options = {Required(Option("endpoint", "URL")),
                  Headers(),
                  Prefix(Option("headers.", "one header")),
                  OneOf(Option("method", "HTTP method"), {"GET", "POST", "PUT", "PATCH"}, "GET"),
                  Option("body", "of the request"),
                  Default(Option("poll_interval_ms", "milliseconds between starts", kInt), "1000"),
                  OneOf(Option("emit_behavior", "what gives a row"), {"all", "changed"}, "all")};
  info.metadata = {{"status", Type::Int32()}};
  Features(&info, {"authentication", "retry"});
  return info;
}

std::vector<OptionSpec> TableWriting() {
  return {Sink_(OneOf(Option("write_mode", "how rows are written"), {"append", "upsert", "overwrite"})),
          Option("primary_keys", "key columns", kList),
          Sink_(Default(Option("batch_size", "rows per statement", kInt), "1000")),
          Sink_(Default(Option("flush_interval", "longest wait for a batch", kDuration), "1s")),
          Sink_(Option("create_table", "make the table if it is missing", kBool)),
          Sink_(OneOf(Option("commit_mode", "delivery guarantee"), {"at_least_once", "exactly_once"}))};
}

ConnectorInfo Postgres() {
  ConnectorInfo info =
      Info("postgres", "PostgreSQL", "14.0", "database", {.source = true, .sink = true, .lookup = true},
           ProfileUse::kRequired, "Tables of PostgreSQL, with change data capture");
  info.aliases = {"postgresql", "postgres_cdc"};
  info.formats = {"json", "debezium_json"};
  info.options = {OfProfile(Option("host", "host name")),
                  OfProfile(Default(Option("port", "", kInt), "5432")),
                  OfProfile(Option("database", "name of the database")),
                  OfProfile(Also(Option("username", "user"), {"user"})),
                  Secret(OfProfile(Option("password", "password"))),
                  OfProfile(OneOf(Option("sslmode", "TLS"),
                                  {"disable", "prefer", "require", "verify-ca", "verify-full"}, "prefer")),
                  OfProfile(Option("sslrootcert", "file")),
                  OfProfile(Option("connect_timeout", "", kDuration)),
                  Secret(OfProfile(Option("url", "instead of the others"))),
                  Required(Also(Option("table", "table, or schema.table"), {"table_name"})),
                  Default(Option("schema", "schema of the table"), "public"),
                  Source_(OneOf(Also(Option("mode", "how the table is read"), {"scan_mode"}),
                                {"cdc", "snapshot", "full", "incremental"}, "cdc")),
                  Source_(Option("slot_name", "replication slot")),
                  Source_(Option("publication", "publication")),
                  Source_(OneOf(Option("snapshot_mode", "whether what is there is read first"),
                                {"initial", "never", "always"}, "initial")),
                  Source_(Option("incremental_column", "")),
                  Source_(Option("poll_interval", "", kDuration))};
  for (OptionSpec& option : TableWriting()) info.options.push_back(std::move(option));
  info.metadata = {{"lsn", Type::Text()},
                   {"xid", Type::Int64()},
                   {"timestamp", Type::Timestamp()},
                   {"table", Type::Text()},
                   {"schema", Type::Text()}};
  Features(&info, {"cdc", "snapshot", "bulk_insert", "upsert", "transactions", "exactly_once", "lookup"});
  return info;
}

ConnectorInfo MySql() {
  ConnectorInfo info = Info("mysql", "MySQL", "8.0", "database", {.source = true, .sink = true},
                            ProfileUse::kRequired, "Tables of MySQL and MariaDB, with change data capture");
  info.aliases = {"mysql_cdc"};
  info.formats = {"json", "debezium_json"};
  info.options = {
      Required(OfProfile(Option("host", "host name"))),
      OfProfile(Default(Option("port", "", kInt), "3306")),
      OfProfile(Option("database", "name of the database")),
      Required(OfProfile(Also(Option("username", "user"), {"user"}))),
      Secret(OfProfile(Option("password", "password"))),
      OfProfile(Option("ssl_mode", "TLS")),
      Required(Also(Option("table", "table, or a regular expression over db.table"), {"table_name"})),
      Source_(Option("server_id", "", kInt)),
      Source_(OneOf(Option("scan_startup_mode", "where to begin"),
                    {"initial", "latest", "timestamp", "binlog"}, "initial")),
      Source_(Option("scan_startup_timestamp_millis", "", kInt)),
      Source_(Option("binlog_file", "")),
      Source_(Option("binlog_position", "", kInt)),
      Source_(Option("gtid_set", ""))};
  for (OptionSpec& option : TableWriting()) info.options.push_back(std::move(option));
  info.metadata = {{"database", Type::Text()},
                   {"table", Type::Text()},
                   {"timestamp", Type::Timestamp()},
                   {"gtid", Type::Text()}};
  Features(&info, {"cdc", "snapshot", "parallel_snapshot", "upsert", "transactions", "exactly_once"});
  return info;
}

ConnectorInfo Elasticsearch() {
  ConnectorInfo info = Info("elasticsearch", "Elasticsearch", "8.0", "search", {.sink = true},
                            ProfileUse::kRequired, "Indices of Elasticsearch and OpenSearch");
  info.aliases = {"opensearch"};
  info.formats = {"json"};
  info.options = {Required(OfProfile(Also(Option("hosts", "addresses", kList), {"url"}))),
                  OfProfile(Option("username", "user")),
                  Secret(OfProfile(Option("password", "password"))),
                  Secret(OfProfile(Option("api_key", "API key"))),
                  Required(Option("index", "index; may hold {column}")),
                  Default(Option("document_type", "ignored from version 7 on"), "_doc"),
                  Option("id_field", "column that becomes the id"),
                  Default(Option("bulk_size", "documents per request", kInt), "1000"),
                  Default(Option("bulk_bytes", "bytes per request", OptionType::kSize), "5MB"),
                  Default(Option("flush_interval", "longest wait for a batch", kDuration), "1s"),
                  Option("routing_field", "column for routing"),
                  Option("pipeline", "ingest pipeline")};
  for (OptionSpec& option : TlsOptions()) info.options.push_back(std::move(option));
  Features(&info, {"bulk_indexing", "upsert", "routing"});
  return info;
}

ConnectorInfo Delta() {
  ConnectorInfo info = Info("delta", "Delta Lake", "2.0", "storage", {.sink = true}, ProfileUse::kOptional,
                            "A Delta Lake table");
  info.formats = {"parquet"};
  info.default_format = "parquet";
  info.options = {
      Required(Option("path", "URL of the table")),
      OneOf(Option("write_mode", "how rows are written"), {"append", "overwrite", "merge"}, "append"),
      Option("merge_keys", "", kList),
      Prefix(OfProfile(Option("storage.", "settings of the object store"))),
      Option("partitioning.fields", "partition columns", kList),
      Option("rolling_policy.file_size", "a file is closed at this size", OptionType::kSize),
      Option("rolling_policy.interval", "… after this time", kDuration)};
  Features(&info, {"exactly_once", "acid_transactions", "partitioning"});
  return info;
}

ConnectorInfo Iceberg() {
  ConnectorInfo info = Info("iceberg", "Apache Iceberg", "1.0", "storage", {.sink = true},
                            ProfileUse::kOptional, "An Apache Iceberg table");
  info.formats = {"parquet"};
  info.default_format = "parquet";
  info.options = {
      OfProfile(OneOf(Option("catalog.type", "kind of catalog"), {"rest", "hadoop", "glue", "hive", "sql"},
                      "rest")),
      OfProfile(Also(Option("catalog.rest.url", "URL of the catalog"), {"catalog.url"})),
      Secret(OfProfile(Also(Option("catalog.rest.token", "token of the catalog"), {"catalog.token"}))),
      OfProfile(Option("catalog.warehouse", "warehouse")),
      Default(Also(Option("namespace", "namespace"), {"database"}), "default"),
      Required(Also(Option("table_name", "table"), {"table"})),
      Option("location_path", "where files go"),
      Prefix(OfProfile(Option("storage.", "settings of the object store"))),
      OneOf(Option("write_mode", "how rows are written"), {"append", "overwrite", "upsert"}, "append"),
      Option("rolling_policy.file_size", "a file is closed at this size", OptionType::kSize),
      Option("rolling_policy.interval", "… after this time", kDuration)};
  Features(&info, {"exactly_once", "acid_transactions", "partitioning"});
  return info;
}

}  // namespace

void RegisterDescribed(ConnectorRegistry& registry) {
  for (ConnectorInfo& info : std::vector<ConnectorInfo>{
           Kafka(), Kinesis(), RabbitMq(), Nats(), Mqtt(), Redis(), Webhook(), WebSocket(), Sse(),
           PollingHttp(), Postgres(), MySql(), Elasticsearch(), Delta(), Iceberg()}) {
    registry.Add(std::make_unique<DescribedConnector>(std::move(info)));
  }
}

}  // namespace laminar

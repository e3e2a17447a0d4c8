#include "formats/json_walker.h"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "formats/json_text.h"
#include "formats/scalar_text.h"
#include "formats/text_value.h"

namespace laminar {

namespace {

constexpr size_t kKeysKept = 4096;
constexpr size_t kKeyBytesKept = 256;

/// True for what may start a value that is not nested.
bool StartsScalar(char c) {
  return c == '"' || c == '-' || static_cast<unsigned char>(c - '0') <= 9 || c == 't' || c == 'f' || c == 'n';
}

/// In what steps a TIMESTAMP column counts; 0 for those that are not kept in microseconds.
int64_t UnitUs(const Type& type) {
  if (type.id() == TypeId::kTimestampTz) return 1;
  if (type.id() != TypeId::kTimestamp || type.precision() > 6) return 0;
  return type.precision() == 6 ? 1 : type.precision() == 3 ? 1'000 : 1'000'000;
}

/// Copies a string's inside, sixteen bytes at a time; false when it holds a backslash. Reads and writes up to
/// 15 bytes beyond the end.
bool CopyPlain(const char* from, int64_t bytes, char* to) {
#if defined(__SSE2__)
  const __m128i backslash = _mm_set1_epi8('\\');
  for (int64_t i = 0; i < bytes; i += 16) {
    const __m128i piece = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), piece);
    auto mask = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(piece, backslash)));
    if (bytes - i < 16) mask &= (1u << (bytes - i)) - 1;
    if (mask != 0) return false;
  }
  return true;
#else
  std::memcpy(to, from, static_cast<size_t>(bytes));
  return std::memchr(from, '\\', static_cast<size_t>(bytes)) == nullptr;
#endif
}

}  // namespace

JsonWalker::JsonWalker(const JsonReadOptions& options, const Schema& columns)
    : options_(options), rules_{options.epoch_unit, options.decimal_bytes} {
  root_.keys.emplace_back();
  for (const Field& field : columns.fields) {
    columns_.push_back(std::make_unique<ColumnWriter>(field.type, field.nullable));
    root_.fields.push_back(MakeReader(field.name, columns_.back().get()));
  }
}

JsonWalker::ValueReader JsonWalker::MakeReader(const std::string& name, ColumnWriter* column) {
  ValueReader reader;
  reader.name = name;
  reader.column = column;
  reader.id = column->id();
  reader.unit_us = UnitUs(column->type());
  if (reader.id == TypeId::kStruct) {
    reader.object = std::make_unique<ObjectReader>();
    reader.object->keys.emplace_back();
    for (int i = 0; i < column->num_children(); ++i) {
      reader.object->fields.push_back(
          MakeReader(column->type().fields()[static_cast<size_t>(i)].name, &column->child(i)));
    }
  } else if (reader.id == TypeId::kArray) {
    reader.element = std::make_unique<ValueReader>(MakeReader("[]", &column->child(0)));
  } else if (reader.id == TypeId::kMap) {
    reader.key = std::make_unique<ValueReader>(MakeReader("key", &column->child(0)));
    reader.element = std::make_unique<ValueReader>(MakeReader("value", &column->child(1)));
  }
  return reader;
}

void JsonWalker::GrowRows(int64_t rows) {
  capacity_ = std::max(rows, capacity_ * 2);
  for (auto& column : columns_) column->ReserveRows(capacity_);
}

Batch JsonWalker::Finish() {
  Batch batch;
  batch.num_rows = num_rows_;
  for (auto& column : columns_) batch.columns.push_back(column->Finish());
  num_rows_ = capacity_ = 0;
  return batch;
}

// ---- errors: all of it off the hot path
// --------------------------------------------------------------------------------

bool JsonWalker::FailSyntax(const char* what) {
  error_is_syntax_ = true;
  error_ = *at_ >= bytes_end_ ? "the record ends too early" : what;
  error_path_.clear();
  return false;
}

bool JsonWalker::FailValue(const ValueReader& reader, std::string_view text) {
  return FailedValue(DescribeBadValue(text, reader.column->type()));
}

/// The value could not be read; `error` says why without naming the column.
bool JsonWalker::FailedValue(std::string error) {
  error_ = std::move(error);
  error_path_.clear();
  return false;
}

/// Adds a level to the path of the value that failed.
bool JsonWalker::InField(const std::string& name) {
  if (error_is_syntax_) return false;
  error_path_ = error_path_.empty()     ? name
                : error_path_[0] == '[' ? name + error_path_
                                        : name + "." + error_path_;
  return false;
}

// ---- records and objects
// -----------------------------------------------------------------------------------------------

bool JsonWalker::ReadRecord(uint32_t bytes_end) {
  ReserveRows(num_rows_ + 1);
  bytes_end_ = bytes_end;
  const uint32_t* first = at_;
  bool good = options_.unstructured ? ReadWholeRecord() : ReadRoot();
  if (good) {
    if (at_[-1] >= bytes_end) {
      // The tokens that closed it belong to the next record.
      good = FailSyntax("the record ends too early");
    } else if (*at_ < bytes_end) {
      good = FailSyntax("something follows the end of the record");
    }
  }
  if (good) {
    ++num_rows_;
    return true;
  }
  if (!error_path_.empty()) error_ = "column '" + error_path_ + "': " + error_;
  for (auto& column : columns_) column->Rewind(num_rows_);
  at_ = first;  // it may have run on into the next record
  SkipRecord(bytes_end);
  return false;
}

bool JsonWalker::ReadRoot() {
  error_is_syntax_ = false;
  if (buffer_[*at_] != '{') return FailSyntax("a record must be a JSON object");
  return ReadObject(&root_, num_rows_);
}

bool JsonWalker::ReadWholeRecord() {
  error_is_syntax_ = false;
  JsonValueText value;
  const char* error;
  if (!CheckJsonValue(buffer_, at_, bytes_end_, &value, &error)) return FailSyntax(error);
  at_ = value.next;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i == 0) {
      columns_[i]->AppendBytes(value.text);
    } else {
      columns_[i]->AppendNull();
    }
  }
  return true;
}

bool JsonWalker::ReadObject(ObjectReader* object, int64_t row) {
  ++at_;
  size_t written = 0;
  int32_t known = -1;  // the key before
  if (buffer_[*at_] == '}') {
    ++at_;
    return FillMissing(object, row);
  }
  while (true) {
    const uint32_t start = at_[0];
    const uint32_t colon = at_[1];
    if (buffer_[start] != '"' || buffer_[colon] != ':')
      return FailSyntax("expected a field name in quotes and ':'");
    int32_t* predicted = known < 0 ? &object->first : &object->keys[static_cast<size_t>(known)].next;
    if (*predicted < 0 ||
        !Matches(object->keys[static_cast<size_t>(*predicted)], buffer_ + start, colon - start)) {
      const int32_t found = FindKey(object, std::string_view(buffer_ + start, colon - start));
      if (found < 0) return FailSyntax("a bad escape in a field name");
      // FindKey may have moved the keys.
      predicted = known < 0 ? &object->first : &object->keys[static_cast<size_t>(known)].next;
      *predicted = found;
    }
    known = *predicted;
    const KnownKey& key = object->keys[static_cast<size_t>(known)];
    at_ += 2;
    if (key.field < 0) {
      if (!SkipValue()) return false;
    } else {
      ValueReader& field = object->fields[static_cast<size_t>(key.field)];
      if (field.column->length() > row) [[unlikely]] {
        if (!PrepareRepeated(&field, key, row)) {
          if (!SkipValue()) return false;
        } else if (!ReadValue(&field)) {
          return InField(field.name);
        }
      } else {
        if (key.loose) field.loose_row = row;
        if (!ReadValue(&field)) return InField(field.name);
        ++written;
      }
    }
    const char c = buffer_[*at_++];
    if (c == ',') continue;
    if (c == '}') break;
    --at_;
    return FailSyntax("expected ',' or '}' after a field");
  }
  return written == object->fields.size() || FillMissing(object, row);
}

/// A field that comes again: the last one wins, but a name in other case never wins over the exact one. True
/// when the value is to be read.
bool JsonWalker::PrepareRepeated(ValueReader* field, const KnownKey& key, int64_t row) {
  if (key.loose && field->loose_row != row) return false;
  field->loose_row = key.loose ? row : -1;
  field->column->Rewind(row);
  return true;
}

bool JsonWalker::FillMissing(ObjectReader* object, int64_t row) {
  for (ValueReader& field : object->fields) {
    if (field.column->length() > row) continue;
    if (!field.column->nullable()) {
      FailedValue("is NOT NULL but the record has no such field");
      return InField(field.name);
    }
    field.column->AppendNull();
  }
  return true;
}

JsonWalker::KnownKey JsonWalker::MakeKey(std::string_view text, const ObjectReader& object) {
  KnownKey key;
  key.text = std::string(text);
  const size_t size = text.size();
  key.head_mask = size >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * size)) - 1;
  char head[8] = {};
  std::memcpy(head, text.data(), std::min<size_t>(size, 8));
  key.head = LoadWord(head);
  if (size >= 8) key.tail = LoadWord(text.data() + size - 8);
  std::string name(size, '\0');
  const auto length = UnescapeJson(text.substr(1, size - 2), name.data());
  name.resize(length ? static_cast<size_t>(*length) : 0);
  if (!length) return key;
  for (size_t i = 0; i < object.fields.size(); ++i) {
    if (object.fields[i].name == name) {
      key.field = static_cast<int32_t>(i);
      return key;
    }
  }
  for (size_t i = 0; i < object.fields.size() && key.field < 0; ++i) {
    if (!EqualsIgnoreCase(object.fields[i].name, name)) continue;
    key.field = static_cast<int32_t>(i);
    key.loose = true;
  }
  return key;
}

/// The key at the start of `text`, which may have space behind it; −1 when it is malformed.
int32_t JsonWalker::FindKey(ObjectReader* object, std::string_view text) {
  while (IsJsonSpace(text.back())) text.remove_suffix(1);
  if (text.size() < 2 || text.back() != '"' || !HasValidEscapes(text.substr(1, text.size() - 2))) return -1;
  if (text.size() > kKeyBytesKept || object->keys.size() >= kKeysKept) {
    const auto found = object->key_ids.find(std::string(text));
    if (found != object->key_ids.end()) return found->second;
    object->keys[0] = MakeKey(text, *object);
    return 0;
  }
  const auto [place, added] =
      object->key_ids.try_emplace(std::string(text), static_cast<int32_t>(object->keys.size()));
  if (added) object->keys.push_back(MakeKey(text, *object));
  return place->second;
}

// ---- values
// ------------------------------------------------------------------------------------------------------------

std::string_view JsonWalker::StringInside() const {
  // Between a string and the next token is only space, so the closing quote is found from behind.
  const char* start = buffer_ + at_[0] + 1;
  const char* end = buffer_ + at_[1] - 1;
  while (*end != '"') --end;
  return {start, static_cast<size_t>(end - start)};
}

std::string_view JsonWalker::BareText() const {
  const char* start = buffer_ + at_[0];
  const char* end = buffer_ + at_[1];
  while (end > start && IsJsonSpace(end[-1])) --end;
  return {start, static_cast<size_t>(end - start)};
}

bool JsonWalker::SkipValue() {
  const char c = buffer_[*at_];
  if (c == '{' || c == '[') return SkipNested();
  if (!StartsScalar(c)) return FailSyntax("expected a value");
  ++at_;
  return true;
}

bool JsonWalker::SkipNested() {
  int depth = 0;
  do {
    if (*at_ >= bytes_end_) return FailSyntax("the record ends too early");
    // `[` and `{` differ in one bit, and so do `]` and `}`.
    const char c = static_cast<char>(buffer_[*at_++] | 0x20);
    depth += (c == '{') - (c == '}');
    if (depth > kJsonDepthMax) return FailSyntax("nested deeper than 1024 levels");
  } while (depth > 0);
  return true;
}

bool JsonWalker::ReadValue(ValueReader* reader) {
  const char c = buffer_[*at_];
  if (c == 'n') return ReadNull(reader);
  switch (reader->id) {
    case TypeId::kStruct:
      if (c == '{') return ReadStruct(reader);
      break;
    case TypeId::kArray:
      if (c == '[') return ReadArray(reader);
      break;
    case TypeId::kMap:
      if (c == '{') return ReadMap(reader);
      break;
    case TypeId::kText:
      if (c != '"') return ReadRawText(reader);
      if (!AppendText(reader->column, StringInside())) return false;
      ++at_;
      return true;
    case TypeId::kJson:
      return ReadRawText(reader);
    case TypeId::kInt64:
      if (c != '"') {
        int64_t value;
        if (ParseInt64(BareText(), &value) != NumberError::kNone) [[unlikely]] {
          return ReadBare(reader);
        }
        reader->column->AppendFixed(value);
        ++at_;
        return true;
      }
      return ReadString(reader);
    case TypeId::kInt32:
      if (int64_t value; c != '"' && ParseInt64(BareText(), &value) == NumberError::kNone &&
                         value == static_cast<int32_t>(value)) [[likely]] {
        reader->column->AppendFixed(static_cast<int32_t>(value));
        ++at_;
        return true;
      }
      return c == '"' ? ReadString(reader) : ReadBare(reader);
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return c == '"' ? ReadTimestamp(reader) : ReadBare(reader);
    default:
      return c == '"' ? ReadString(reader) : ReadBare(reader);
  }
  if (c != '"' && c != '{' && c != '[' && !StartsScalar(c)) return FailSyntax("expected a value");
  return FailValue(*reader, c == '"' || StartsScalar(c) ? BareText() : std::string_view(&c, 1));
}

bool JsonWalker::ReadNull(ValueReader* reader) {
  if (BareText() != "null") return FailSyntax("expected a value");
  ++at_;
  if (!reader->column->nullable()) {
    return FailedValue("is NOT NULL but the record has null");
  }
  reader->column->AppendNull();
  return true;
}

bool JsonWalker::ReadStruct(ValueReader* reader) {
  reader->column->BeginStruct();
  if (!ReadObject(reader->object.get(), reader->column->length())) return false;
  reader->column->CommitStruct();
  return true;
}

bool JsonWalker::ReadArray(ValueReader* reader) {
  ValueReader& element = *reader->element;
  ++at_;
  if (buffer_[*at_] == ']') {
    ++at_;
    reader->column->CommitList();
    return true;
  }
  while (true) {
    if (*at_ >= bytes_end_) return FailSyntax("the record ends too early");
    element.column->ReserveRows(element.column->length() + 1);
    if (!ReadValue(&element)) return InField(element.name);
    const char c = buffer_[*at_];
    if (c != ',' && c != ']') return FailSyntax("expected ',' or ']' after an element");
    ++at_;
    if (c == ']') break;
  }
  reader->column->CommitList();
  return true;
}

namespace {

struct MapEntry {
  std::string key;
  const uint32_t* value;
  bool dropped = false;
};

/// Marks all but the last entry of each key.
void DropRepeated(std::vector<MapEntry>* entries) {
  std::unordered_map<std::string_view, size_t> last;
  for (size_t i = 0; i < entries->size(); ++i) {
    const auto [place, added] = last.try_emplace((*entries)[i].key, i);
    if (added) continue;
    (*entries)[place->second].dropped = true;
    place->second = i;
  }
}

}  // namespace

// Finds all entries first: of a key that comes twice only the last counts, and what was appended cannot be
// cut out.
bool JsonWalker::ReadMap(ValueReader* reader) {
  std::vector<MapEntry> entries;
  ++at_;
  bool more = buffer_[*at_] != '}';
  if (!more) ++at_;
  while (more) {
    if (buffer_[at_[0]] != '"' || buffer_[at_[1]] != ':')
      return FailSyntax("expected a field name in quotes and ':'");
    const std::string_view inside = StringInside();
    std::string key(inside.size(), '\0');
    const auto length = UnescapeJson(inside, key.data());
    if (!length) return FailSyntax("a bad escape in a field name");
    key.resize(static_cast<size_t>(*length));
    at_ += 2;
    entries.push_back({std::move(key), at_});
    if (!SkipValue()) return false;
    const char c = buffer_[*at_];
    if (c != ',' && c != '}') return FailSyntax("expected ',' or '}' after a field");
    ++at_;
    more = c == ',';
  }
  if (entries.size() > 1) DropRepeated(&entries);
  const uint32_t* behind = at_;
  for (const MapEntry& entry : entries) {
    if (entry.dropped) continue;
    reader->key->column->ReserveRows(reader->key->column->length() + 1);
    reader->element->column->ReserveRows(reader->element->column->length() + 1);
    if (!AppendMapKey(reader->key.get(), entry.key)) return false;
    at_ = entry.value;
    if (!ReadValue(reader->element.get())) return InField(entry.key);
  }
  at_ = behind;
  reader->column->CommitList();
  return true;
}

bool JsonWalker::AppendMapKey(ValueReader* reader, std::string_view text) {
  if (reader->id == TypeId::kText || reader->id == TypeId::kJson) {
    reader->column->AppendBytes(text);
    return true;
  }
  scratch_.assign(text);
  scratch_.append(kNumberPadding, '\0');
  return AppendTextValue(reader->column, {scratch_.data(), text.size()}, rules_, &error_) ||
         FailedValue(std::move(error_));
}

/// JSON columns, and TEXT columns that get something else than a string: the value as it stands in the
/// record.
bool JsonWalker::ReadRawText(ValueReader* reader) {
  JsonValueText value;
  const char* error;
  if (!CheckJsonValue(buffer_, at_, bytes_end_, &value, &error)) return FailSyntax(error);
  at_ = value.next;
  reader->column->AppendBytes(value.text);
  return true;
}

bool JsonWalker::AppendText(ColumnWriter* column, std::string_view inside) {
  const auto bytes = static_cast<int64_t>(inside.size());
  char* out = column->BytesRoom(bytes);
  if (CopyPlain(inside.data(), bytes, out)) [[likely]] {
    column->CommitBytes(bytes);
    return true;
  }
  const auto length = UnescapeJson(inside, out);
  if (!length) return FailedValue("'" + ShortenText(inside) + "' has a bad escape");
  column->CommitBytes(*length);
  return true;
}

bool JsonWalker::ReadString(ValueReader* reader) {
  std::string_view inside = StringInside();
  if (std::memchr(inside.data(), '\\', inside.size()) != nullptr) [[unlikely]] {
    scratch_.assign(inside.size() + kNumberPadding, '\0');
    const auto length = UnescapeJson(inside, scratch_.data());
    if (!length) return FailedValue("'" + ShortenText(inside) + "' has a bad escape");
    inside = std::string_view(scratch_.data(), static_cast<size_t>(*length));
  }
  if (!AppendTextValue(reader->column, inside, rules_, &error_)) return FailedValue(std::move(error_));
  ++at_;
  return true;
}

bool JsonWalker::ReadTimestamp(ValueReader* reader) {
  int64_t us;
  if (reader->unit_us == 0 || !times_.Read(StringInside(), &us)) return ReadString(reader);
  const int64_t rest = us % reader->unit_us;
  reader->column->AppendFixed<int64_t>(us - rest - (rest < 0 ? reader->unit_us : 0));
  ++at_;
  return true;
}

/// A number or literal that is not a string: `true`, `12`, `1.5e3`.
bool JsonWalker::ReadBare(ValueReader* reader) {
  const char c = buffer_[*at_];
  if (!StartsScalar(c)) {
    if (c != '{' && c != '[') return FailSyntax("expected a value");
    return FailValue(*reader, std::string_view(&c, 1));
  }
  if (!AppendBareValue(reader->column, BareText(), rules_, &error_)) return FailedValue(std::move(error_));
  ++at_;
  return true;
}

}  // namespace laminar

#include "api/endpoint.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <ctime>

namespace laminar::api {

namespace {

struct Page {
  int64_t limit = 20;
  int64_t offset = 0;
  std::string starting_after;
};

Page PageOf(const Call& call) {
  Page page;
  page.limit = std::min<int64_t>(100, call.Integer("limit", 20, 1, INT64_MAX));
  page.offset = call.Integer("offset", 0, 0, INT64_MAX);
  page.starting_after = call.Query("starting_after").value_or("");
  if (!page.starting_after.empty() && call.Query("offset"))
    throw Invalid("starting_after", "cannot be given together with offset");
  return page;
}

}  // namespace

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::optional<std::string> Call::Query(const std::string& name) const {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return std::nullopt;
  return found->second;
}

bool Call::Flag(const std::string& name) const {
  const auto value = Query(name);
  if (!value) return false;
  const std::string text = LowerCase(*value);
  if (text.empty() || text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  throw Invalid(name, "'" + *value + "' is not true or false");
}

int64_t Call::Integer(const std::string& name, int64_t otherwise, int64_t least, int64_t most) const {
  const auto text = Query(name);
  if (!text) return otherwise;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc::result_out_of_range && !text->empty() && (*text)[0] != '-') value = INT64_MAX;
  if ((error != std::errc() && error != std::errc::result_out_of_range) || end != text->data() + text->size())
    throw Invalid(name, "'" + *text + "' is not a whole number");
  if (value < least || value > most) {
    throw Invalid(name, "'" + *text + "' is out of range: at least " + std::to_string(least) +
                            (most == INT64_MAX ? "" : ", at most " + std::to_string(most)));
  }
  return value;
}

bool Call::WantsEvents() const {
  return request.Header("accept").find("text/event-stream") != std::string::npos;
}

HttpResponse Reply(const Json& body, int status) {
  HttpResponse out;
  out.status = status;
  out.body = Dump(body);
  return out;
}

HttpResponse Created(const Json& body, const std::string& location) {
  HttpResponse out = Reply(body, 201);
  out.headers.emplace_back("Location", location);
  return out;
}

HttpResponse ListPage(const Call& call, std::vector<ListItem> items,
                      const std::vector<std::string>& sortable) {
  const Page page = PageOf(call);
  std::string field = "created_at";
  bool descending = true;
  if (const auto sort = call.Query("sort"); sort && !sort->empty()) {
    const size_t colon = sort->find(':');
    field = LowerCase(sort->substr(0, colon));
    const std::string direction = colon == std::string::npos ? "asc" : LowerCase(sort->substr(colon + 1));
    if (field != "created_at" && !Contains(sortable, field))
      throw Invalid("sort", "cannot sort by '" + field + "'");
    if (direction != "asc" && direction != "desc")
      throw Invalid("sort", "'" + direction + "' is not asc or desc");
    descending = direction == "desc";
  }
  auto before = [&](const ListItem& a, const ListItem& b) {
    if (a.number.has_value() != b.number.has_value()) return a.number.has_value();
    const int by = field == "name"         ? LowerCase(a.name).compare(LowerCase(b.name))
                   : field == "state"      ? a.state.compare(b.state)
                   : field == "start_time" ? (a.start_us < b.start_us ? -1 : a.start_us > b.start_us)
                   : field == "created_at" ? (a.created_us < b.created_us ? -1 : a.created_us > b.created_us)
                                           : (a.number < b.number ? -1 : a.number > b.number);
    if (by != 0) return descending ? by > 0 : by < 0;
    return a.id < b.id;
  };
  std::sort(items.begin(), items.end(), before);
  size_t begin = static_cast<size_t>(std::min<int64_t>(page.offset, static_cast<int64_t>(items.size())));
  if (!page.starting_after.empty()) {
    const auto found = std::find_if(items.begin(), items.end(),
                                    [&](const ListItem& item) { return item.id == page.starting_after; });
    if (found == items.end())
      throw Invalid("starting_after", "no entry '" + page.starting_after + "' in this list");
    begin = static_cast<size_t>(found - items.begin()) + 1;
  }
  const size_t end = std::min(items.size(), begin + static_cast<size_t>(page.limit));
  Json data = Json::array();
  for (size_t i = begin; i < end; ++i) data.push_back(items[i].show());
  return Reply({{"data", std::move(data)},
                {"has_more", end < items.size()},
                {"meta",
                 {{"total", items.size()},
                  {"limit", page.limit},
                  {"offset", page.starting_after.empty() ? Json(page.offset) : Json()}}}});
}

HttpResponse OrderedPage(const Call& call, const std::vector<Json>& entries) {
  const Page page = PageOf(call);
  size_t begin = static_cast<size_t>(std::min<int64_t>(page.offset, static_cast<int64_t>(entries.size())));
  if (!page.starting_after.empty()) {
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const Json& entry) {
      return entry.value("id", "") == page.starting_after;
    });
    if (found == entries.end())
      throw Invalid("starting_after", "no entry '" + page.starting_after + "' in this list");
    begin = static_cast<size_t>(found - entries.begin()) + 1;
  }
  const size_t end = std::min(entries.size(), begin + static_cast<size_t>(page.limit));
  return Reply({{"data", Json(std::vector<Json>(entries.begin() + static_cast<std::ptrdiff_t>(begin),
                                                entries.begin() + static_cast<std::ptrdiff_t>(end)))},
                {"has_more", end < entries.size()},
                {"meta",
                 {{"total", entries.size()},
                  {"limit", page.limit},
                  {"offset", page.starting_after.empty() ? Json(page.offset) : Json()}}}});
}

std::vector<std::string> FilterValues(const Call& call, const std::string& name,
                                      const std::vector<std::string>& known) {
  std::vector<std::string> out;
  const auto text = call.Query(name);
  if (!text) return out;
  size_t from = 0;
  while (from <= text->size()) {
    const size_t comma = std::min(text->find(',', from), text->size());
    std::string value = LowerCase(text->substr(from, comma - from));
    while (!value.empty() && value.front() == ' ') value.erase(0, 1);
    while (!value.empty() && value.back() == ' ') value.pop_back();
    if (!value.empty()) {
      if (!known.empty() &&
          std::none_of(known.begin(), known.end(), [&](const auto& k) { return LowerCase(k) == value; })) {
        std::string list;
        for (const std::string& k : known) list += (list.empty() ? "" : ", ") + k;
        throw Invalid(name, "'" + value + "' is not one of " + list);
      }
      out.push_back(std::move(value));
    }
    from = comma + 1;
  }
  return out;
}

bool Contains(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool MatchesWildcard(const std::string& pattern, const std::string& text) {
  std::string escaped;  // only * and ? are special
  for (const char c : LowerCase(pattern)) {
    if (c == '[' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return fnmatch(escaped.c_str(), LowerCase(text).c_str(), 0) == 0;
}

std::string LowerCase(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string TimeText(int64_t us) {
  const time_t second = us / 1'000'000;
  std::tm parts{};
  gmtime_r(&second, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, us % 1'000'000);
}

}  // namespace laminar::api

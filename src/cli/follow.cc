#include <cstdio>

#include "api/http_client.h"
#include "cli/client.h"
#include "cli/commands.h"

namespace laminar::cli {

int FollowStream(const std::string& server, const std::string& token, const std::string& path,
                 bool only_rows) {
  std::string pending;
  const auto print = [&](const std::string& data) {
    pending += data;
    size_t end;
    while ((end = pending.find("\n\n")) != std::string::npos) {
      const std::string block = pending.substr(0, end);
      pending.erase(0, end + 2);
      const size_t name = block.find("event: "), value = block.find("data: ");
      if (name == std::string::npos || value == std::string::npos) continue;
      const std::string event = block.substr(name + 7, block.find('\n', name) - name - 7);
      const Json json = Json::parse(block.substr(value + 6), nullptr, false);
      if (event == "output") {
        for (const Json& row : json["records"])
          std::printf("%s %s\n", row["op"].get<std::string>().c_str(), row["record"].dump().c_str());
      } else if (event == "log") {
        std::printf("%s\n", json["message"].get<std::string>().c_str());
      } else if (!only_rows) {
        std::fprintf(stderr, "%s %s\n", event.c_str(), json.dump().c_str());
      }
      std::fflush(stdout);
    }
    return true;
  };
  const api::ClientAnswer answer = api::Fetch(server, token, "GET", "/api/v1" + path, "", print);
  return answer.status < 300 ? kOk : (std::fprintf(stderr, "laminar: %s\n", answer.body.c_str()), kFailed);
}

}  // namespace laminar::cli

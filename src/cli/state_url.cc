#include "cli/state_url.h"

namespace laminar::cli {

CLI::Option* StateUrl::AddOptionsTo(CLI::App& command) {
  return command
      .add_option("--state-option", options,
                  "Setting of the state's object store, e.g. aws_endpoint=http://127.0.0.1:9000; repeatable. "
                  "Secrets are better given by the environment (docs/checkpoints.md)")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        const size_t equals = text.find('=');
        return equals != std::string::npos && equals > 0 ? std::string() : "write name=value";
      });
}

std::shared_ptr<ObjectStore> StateUrl::Open(bool create) const {
  StorageOptions by_name;
  for (const std::string& option : options) {
    const size_t equals = option.find('=');
    by_name[option.substr(0, equals)] = option.substr(equals + 1);
  }
  return OpenObjectStore(url, by_name, create);
}

}  // namespace laminar::cli

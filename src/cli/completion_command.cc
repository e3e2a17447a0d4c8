// `laminar completion SHELL`: a script for the shell, made from the table of commands itself.

#include <cstdio>
#include <map>

#include "cli/commands.h"

namespace laminar::cli {

namespace {

struct Words {
  std::vector<std::pair<std::string, std::string>> commands, options;  ///< word, help
};

/// By the commands before, with a blank in front of each: "", " pipeline", " pipeline start".
using Places = std::map<std::string, Words>;

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

void Collect(const CLI::App& app, const std::string& place, Places* out) {
  Words& words = (*out)[place];
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames())
      words.options.emplace_back("--" + name, FirstLine(option->get_description()));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == "worker") continue;  // started by the server, not by people
    if (command->get_name().empty()) {              // a group of options
      Collect(*command, place, out);
      continue;
    }
    words.commands.emplace_back(command->get_name(), FirstLine(command->get_description()));
    Collect(*command, place + " " + command->get_name(), out);
  }
}

/// A shell function that prints the words that may stand at a place.
std::string WordsFunction(const Places& places) {
  std::string out = "_laminar_words() {\n  case \"$1\" in\n";
  for (const auto& [place, words] : places) {
    out += "    '" + place + "') echo '";
    for (const auto* list : {&words.commands, &words.options}) {
      for (const auto& [word, help] : *list) out += word + " ";
    }
    out += "' ;;\n";
  }
  return out + "  esac\n}\n";
}

constexpr const char* kBash = R"sh(
_laminar() {
  local current="${COMP_WORDS[COMP_CWORD]}" place="" word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    case " $(_laminar_words "$place") " in
      *" $word "*) [[ $word == -* ]] || place="$place $word" ;;
    esac
  done
  COMPREPLY=($(compgen -W "$(_laminar_words "$place")" -- "$current"))
  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _laminar laminar
)sh";

constexpr const char* kZsh = R"sh(
_laminar() {
  local place="" word i
  local -a choices
  for ((i = 2; i < CURRENT; i++)); do
    word="${words[i]}"
    case " $(_laminar_words "$place") " in
      *" $word "*) [[ $word == -* ]] || place="$place $word" ;;
    esac
  done
  choices=(${=$(_laminar_words "$place")})
  compadd -- $choices
  _files
}
if [ "$funcstack[1]" = "_laminar" ]; then _laminar "$@"; else compdef _laminar laminar; fi
)sh";

std::string FishQuoted(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return "'" + out + "'";
}

/// Condition and words for each place; fish shows the help beside them.
std::string Fish(const Places& places) {
  std::string out =
      "function __laminar_at\n"
      "  set -l place ''\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    string match -q -- '-*' $word; or set place \"$place $word\"\n"
      "  end\n"
      "  test \"$place\" = \"$argv[1]\"; or string match -q -- \"$argv[1] *\" \"$place\"; and test "
      "\"$argv[2]\" "
      "= options\n"
      "end\n";
  for (const auto& [place, words] : places) {
    for (const auto& [word, help] : words.commands)
      out += "complete -c laminar -f -n " + FishQuoted("__laminar_at " + FishQuoted(place) + " commands") +
             " -a " + word + " -d " + FishQuoted(help) + "\n";
    for (const auto& [word, help] : words.options)
      out += "complete -c laminar -n " + FishQuoted("__laminar_at " + FishQuoted(place) + " options") +
             " -l " + word.substr(2) + " -d " + FishQuoted(help) + "\n";
  }
  return out;
}

int Print(const CLI::App& app, const std::string& shell) {
  Places places;
  Collect(app, "", &places);
  std::string text = "# laminar completion " + shell + "\n";
  if (shell == "zsh") text = "#compdef laminar\n" + text;
  text += shell == "fish" ? Fish(places) : WordsFunction(places) + (shell == "bash" ? kBash : kZsh);
  std::fputs(text.c_str(), stdout);
  return kOk;
}

}  // namespace

void AddCompletion(CLI::App& app, Command* chosen) {
  auto shell = std::make_shared<std::string>();
  auto* command =
      app.add_subcommand("completion", "Completion for a shell: source <(laminar completion bash)");
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([=, &app] { *chosen = [=, &app] { return Print(app, *shell); }; });
}

}  // namespace laminar::cli

#include <iostream>

#include "app/verbs/grammar.hpp"
#include "app/verbs/verbs.hpp"

/// Completion scripts for shells: a table of the words that may follow each verb, and a few lines
/// in the shell's own language that look into it.
namespace postern::app::verbs {

namespace {

constexpr std::string_view bash_lookup = R"(_postern() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path=postern word i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        [[ $word == -* ]] && continue
        [[ -n ${_postern_words[$path $word]+set} ]] && path+=" $word"
    done
    case " ${_postern_files[$path]-} " in *" $previous "*) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
    case " ${_postern_values[$path]-} " in *" $previous "*) return ;; esac
    COMPREPLY=($(compgen -W "${_postern_words[$path]-}" -- "$current"))
    [[ $current == -* || -z ${_postern_arguments[$path]-} ]] || COMPREPLY+=($(compgen -f -- "$current"))
}
complete -o filenames -F _postern postern
)";

void add_word(std::string& words, const std::string& word) { words += (words.empty() ? "" : " ") + word; }

/// Bash's associative arrays. Zsh reads the same through its bashcompinit.
void print_bash(const std::vector<VerbFacts>& verbs) {
    std::string words, files, values, arguments;
    for (const auto& verb : verbs) {
        std::string next, paths, plain;
        bool file_arguments = false;
        for (const auto& sub : verb.subverbs) add_word(next, sub);
        for (const auto& o : verb.options) {
            file_arguments = file_arguments || (o.positional && o.names_a_file());
            for (const auto& spelling : o.spellings) {
                add_word(next, spelling);
                if (o.takes_value()) add_word(o.names_a_file() ? paths : plain, spelling);
            }
        }
        add_word(next, "--help");
        const auto key = "[\"postern" + (verb.path.empty() ? "" : " " + verb.path) + "\"]=";
        words += "    " + key + "\"" + next + "\"\n";
        if (!paths.empty()) files += "    " + key + "\"" + paths + "\"\n";
        if (!plain.empty()) values += "    " + key + "\"" + plain + "\"\n";
        if (file_arguments) arguments += "    " + key + "yes\n";
    }
    std::cout << "declare -A _postern_words=(\n" << words << ")\ndeclare -A _postern_files=(\n" << files << ")\ndeclare -A _postern_values=(\n"
              << values << ")\ndeclare -A _postern_arguments=(\n" << arguments << ")\n" << bash_lookup;
}

/// In single quotes, for fish.
std::string fish_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

void print_fish(const std::vector<VerbFacts>& verbs) {
    std::cout << "complete -c postern -f\n";
    for (const auto& verb : verbs) {
        std::string condition;
        for (std::size_t from = 0; from < verb.path.size();) {
            const auto end = std::min(verb.path.find(' ', from), verb.path.size());
            condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + verb.path.substr(from, end - from));
            from = end + 1;
        }
        if (condition.empty()) condition = "__fish_use_subcommand";
        const auto begin = "complete -c postern -n " + fish_quoted(condition);
        for (const auto& other : verbs) {
            const auto parent = verb.path.empty() ? "" : verb.path + " ";
            if (other.path.size() <= parent.size() || !other.path.starts_with(parent)) continue;
            const auto name = other.path.substr(parent.size());
            if (name.find(' ') == std::string::npos) std::cout << begin << " -a " << name << " -d " << fish_quoted(other.description) << "\n";
        }
        for (const auto& o : verb.options) {
            if (o.positional) {
                if (o.names_a_file()) std::cout << begin << " -F\n";
                continue;
            }
            std::cout << begin << " -l " << o.spellings.back().substr(2) << (o.takes_value() ? o.names_a_file() ? " -r -F" : " -x" : "") << " -d "
                      << fish_quoted(o.description) << "\n";
        }
    }
}

int print_completion(const CLI::App& app, const std::string& shell) {
    const auto verbs = facts(app);
    if (shell == "fish") {
        print_fish(verbs);
        return 0;
    }
    if (shell == "zsh") std::cout << "#compdef postern\nautoload -U +X bashcompinit && bashcompinit\n";
    print_bash(verbs);
    return 0;
}

}  // namespace

void add_completion(CLI::App& app, Run& run) {
    auto shell = std::make_shared<std::string>();
    auto* verb = app.add_subcommand("completion", "Print a shell's completion script");
    verb->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
    verb->callback([&app, &run, shell] { run = [&app, shell] { return print_completion(app, *shell); }; });
}

}  // namespace postern::app::verbs

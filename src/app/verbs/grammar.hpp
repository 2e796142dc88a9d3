#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

/// The command line as data, read from the parser itself: what the manual page and the shell's
/// completion are made of, so that neither can say what the program does not do.
namespace postern::app::verbs {

struct OptionFacts {
    OptionFacts() = default;
    std::vector<std::string> spellings;  ///< "--data", "-h"; empty for a positional
    std::string placeholder;             ///< "FILE"; empty for a flag
    std::string description, preset;     ///< preset: the default, empty for none
    bool positional = false, required = false, repeatable = false;
    [[nodiscard]] bool takes_value() const { return !placeholder.empty(); }
    /// The value is a path, as far as its name tells.
    [[nodiscard]] bool names_a_file() const;
};

struct VerbFacts {
    VerbFacts() = default;
    std::string path;  ///< "cert revoke"; empty for the program itself
    std::string description;
    std::vector<OptionFacts> options;   ///< without --help, positionals last
    std::vector<std::string> subverbs;  ///< "list", "show"
};

/// The program and all its verbs, each before its own subverbs. Hidden ones (of no group) are left out.
std::vector<VerbFacts> facts(const CLI::App& app);

}  // namespace postern::app::verbs

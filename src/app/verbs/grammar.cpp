#include "app/verbs/grammar.hpp"

#include <algorithm>

namespace postern::app::verbs {

namespace {

OptionFacts facts_of(const CLI::Option& option) {
    OptionFacts out;
    for (const auto& name : option.get_snames()) out.spellings.push_back("-" + name);
    for (const auto& name : option.get_lnames()) out.spellings.push_back("--" + name);
    out.positional = !option.nonpositional();
    out.required = option.get_required();
    out.repeatable = option.get_items_expected_max() > 1;
    out.description = option.get_description();
    out.preset = option.get_default_str();
    if (out.positional)
        out.placeholder = option.get_name(true);
    else if (option.get_items_expected_max() > 0)
        out.placeholder = option.get_type_name().starts_with("INT") ? "NUMBER" : "VALUE";
    return out;
}

void add(const CLI::App& app, const std::string& path, std::vector<VerbFacts>& out) {
    VerbFacts verb;
    verb.path = path;
    verb.description = app.get_description();
    for (const auto* option : app.get_options())
        if (option != app.get_help_ptr() && !option->get_group().empty()) verb.options.push_back(facts_of(*option));
    std::ranges::stable_sort(verb.options, {}, &OptionFacts::positional);
    const auto shown = app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
    for (const auto* sub : shown) verb.subverbs.push_back(sub->get_name());
    out.push_back(std::move(verb));
    for (const auto* sub : shown) add(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), out);
}

}  // namespace

bool OptionFacts::names_a_file() const {
    static constexpr std::string_view endings[] = {"file", "data", "config", "crl", "FILE", "FOLDER", "BACKUP"};
    if (!takes_value()) return false;
    const auto& name = positional ? placeholder : spellings.back();
    return std::ranges::any_of(endings, [&](std::string_view e) { return name.ends_with(e); });
}

std::vector<VerbFacts> facts(const CLI::App& app) {
    std::vector<VerbFacts> out;
    add(app, {}, out);
    return out;
}

}  // namespace postern::app::verbs

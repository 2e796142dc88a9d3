#include "core/toml/reader.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <utility>

#include "core/base/time.hpp"
#include "core/json/writer.hpp"
#include "core/toml/keys.hpp"

namespace postern::toml {
namespace {

struct File {
    std::string name;
    ::toml::table root;
};

core::Problem malformed(std::string text) {
    return {core::ProblemKind::malformed, std::move(text)};
}

std::string below(std::string_view path, std::string_view key) {
    std::string text(path);
    if (!text.empty()) text += '.';
    return text + written_key(key);
}

/// "file:12: listen.https"; no line and no path at the root.
std::string place_of(const File& file, ::toml::source_position place, std::string_view path) {
    std::string text = file.name;
    if (place.line > 0 && !path.empty()) text += ":" + std::to_string(place.line);
    if (!path.empty()) text.append(": ").append(path);
    return text;
}

/// toml++ keeps tables sorted by name; this is the order of the text.
std::vector<std::pair<const ::toml::key*, const ::toml::node*>> in_order(const ::toml::table& table) {
    std::vector<std::pair<const ::toml::key*, const ::toml::node*>> members;
    members.reserve(table.size());
    for (auto member = table.begin(); member != table.end(); ++member) {
        members.emplace_back(&member->first, &member->second);
    }
    std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
        return a.first->source().begin < b.first->source().begin;
    });
    return members;
}

/// Tables within tables. toml++ bounds brackets, but a dotted key has as many levels as dots.
constexpr unsigned deepest = 128;
constexpr std::size_t longest_dotted = 32;

std::optional<core::Problem> find_unstorable(const File& file, const ::toml::node& node, const std::string& path,
                                             unsigned depth = 0) {
    if (depth > deepest) {
        return malformed(place_of(file, node.source().begin, path.substr(0, 64)) + ": nested deeper than " +
                         std::to_string(deepest) + " levels");
    }
    if (const auto* number = node.as_floating_point(); number != nullptr && !std::isfinite(number->get())) {
        return malformed(place_of(file, node.source().begin, path) + ": inf and nan are not accepted; write a number");
    }
    if (const auto* table = node.as_table()) {
        for (const auto& [key, value] : *table) {
            if (auto problem = find_unstorable(file, value, below(path, key.str()), depth + 1)) return problem;
        }
    } else if (const auto* array = node.as_array()) {
        for (std::size_t i = 0; i < array->size(); ++i) {
            if (auto problem = find_unstorable(file, (*array)[i], path + "[" + std::to_string(i) + "]", depth + 1)) return problem;
        }
    }
    return std::nullopt;
}

/// The most parts that dots join into one key. toml++ goes down the stack a step for each, so this
/// is looked at before it is asked.
std::size_t longest_key(std::string_view text) {
    const auto bare = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               static_cast<unsigned char>(c) >= 0x80;
    };
    std::size_t most = 0, parts = 0;
    bool joined = false;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i;
        while (end < text.size() && bare(text[end])) ++end;
        if (text[i] == '"' || text[i] == '\'') {
            const char quote = text[i];
            for (end = i + 1; end < text.size() && text[end] != quote && text[end] != '\n'; ++end)
                if (quote == '"' && text[end] == '\\') ++end;
            end = end < text.size() && text[end] == quote ? end + 1 : i;
        }
        if (end > i) {
            parts = joined ? parts + 1 : 1;
            joined = false;
            most = std::max(most, parts);
            i = end;
            continue;
        }
        if (text[i] == '.' && parts > 0 && !joined) {
            joined = true;
        } else if (text[i] != ' ' && text[i] != '\t') {
            parts = 0;
            joined = false;
        }
        ++i;
    }
    return most;
}

std::string_view kind_of(const ::toml::node& node) {
    switch (node.type()) {
        case ::toml::node_type::none: return "nothing";
        case ::toml::node_type::table: return "a table";
        case ::toml::node_type::array: return "an array";
        case ::toml::node_type::string: return "a string";
        case ::toml::node_type::integer: return "an integer";
        case ::toml::node_type::floating_point: return "a fraction";
        case ::toml::node_type::boolean: return "a boolean";
        case ::toml::node_type::date: return "a date";
        case ::toml::node_type::time: return "a time";
        case ::toml::node_type::date_time: return "a date and time";
    }
    return "something else";
}

constexpr std::string_view a_size = R"(a size in bytes such as 512, "64KiB", "1MiB" or "2GiB")";

std::optional<std::size_t> parse_size(std::string_view text) {
    std::uint64_t count = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), count);
    if (end.ec != std::errc()) return std::nullopt;
    const std::string_view unit = text.substr(static_cast<std::size_t>(end.ptr - text.data()));
    constexpr std::array<std::pair<std::string_view, unsigned>, 4> units{
        {{"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}}};
    for (const auto& [name, shift] : units) {
        if (unit != name) continue;
        if (count > (std::numeric_limits<std::size_t>::max() >> shift)) return std::nullopt;
        return static_cast<std::size_t>(count << shift);
    }
    return std::nullopt;
}

template <class DateOrTime>
std::string printed(const DateOrTime& value) {
    std::ostringstream out;
    out << value;
    return out.str();
}

void to_json(json::Writer& writer, const ::toml::node& node) {
    switch (node.type()) {
        case ::toml::node_type::none: writer.null(); break;
        case ::toml::node_type::table:
            writer.begin_object();
            for (const auto& [key, value] : in_order(*node.as_table())) {
                writer.key(key->str());
                to_json(writer, *value);
            }
            writer.end_object();
            break;
        case ::toml::node_type::array:
            writer.begin_array();
            for (const auto& element : *node.as_array()) to_json(writer, element);
            writer.end_array();
            break;
        case ::toml::node_type::string: writer.string(node.as_string()->get()); break;
        case ::toml::node_type::integer: writer.integer(node.as_integer()->get()); break;
        case ::toml::node_type::floating_point: writer.number(node.as_floating_point()->get()); break;
        case ::toml::node_type::boolean: writer.boolean(node.as_boolean()->get()); break;
        case ::toml::node_type::date: writer.string(printed(node.as_date()->get())); break;
        case ::toml::node_type::time: writer.string(printed(node.as_time()->get())); break;
        case ::toml::node_type::date_time: writer.string(printed(node.as_date_time()->get())); break;
    }
}

}  // namespace

/// A table that was opened, with what was asked of it.
struct Table::Impl {
    std::shared_ptr<const File> file;
    const ::toml::table* node = nullptr;
    std::string path;  ///< empty at the root
    ::toml::source_position place;
    std::vector<std::string> asked;              ///< in the order asked, each once
    std::vector<std::shared_ptr<Impl>> opened;   ///< tables below that were opened
};

struct Value::Impl {
    std::shared_ptr<const File> file;
    const ::toml::node* node = nullptr;
    std::string path;
    ::toml::source_position place;
    std::shared_ptr<Table::Impl> owner;  ///< the table it was found in

    [[nodiscard]] core::Problem expected(std::string_view what) const;
};

core::Problem Value::Impl::expected(std::string_view what) const {
    return {core::ProblemKind::malformed, place_of(*file, place, path) + ": expected " + std::string(what) +
                                              ", found " + std::string(kind_of(*node))};
}

namespace {

/// The record of a table below `owner`, made once.
std::shared_ptr<Table::Impl> open(const std::shared_ptr<const File>& file, const std::shared_ptr<Table::Impl>& owner,
                                  const ::toml::table& node, std::string path, ::toml::source_position place) {
    for (const auto& known : owner->opened) {
        if (known->node == &node) return known;
    }
    auto record = std::make_shared<Table::Impl>();
    record->file = file;
    record->node = &node;
    record->path = std::move(path);
    record->place = place;
    owner->opened.push_back(record);
    return record;
}

}  // namespace

core::Result<std::string> Value::string() const {
    const auto* text = impl_->node->as_string();
    if (text == nullptr) return impl_->expected("a string");
    return text->get();
}

core::Result<std::int64_t> Value::integer() const {
    const auto* number = impl_->node->as_integer();
    if (number == nullptr) return impl_->expected("an integer");
    return number->get();
}

core::Result<bool> Value::boolean() const {
    const auto* flag = impl_->node->as_boolean();
    if (flag == nullptr) return impl_->expected("true or false");
    return flag->get();
}

core::Result<std::vector<Value>> Value::items() const {
    const auto* array = impl_->node->as_array();
    if (array == nullptr) return impl_->expected("an array");
    std::vector<Value> all;
    all.reserve(array->size());
    for (std::size_t i = 0; i < array->size(); ++i) {
        auto element = std::make_shared<Impl>(*impl_);
        element->node = array->get(i);
        element->path += "[" + std::to_string(i) + "]";
        if (const auto place = element->node->source().begin; place.line > 0) element->place = place;
        all.push_back(Value(std::move(element)));
    }
    return all;
}

core::Result<std::vector<std::string>> Value::strings() const {
    if (!impl_->node->is_array()) return impl_->expected("an array of strings");
    const auto elements = items();
    std::vector<std::string> all;
    all.reserve(elements.value().size());
    for (const Value& element : elements.value()) {
        auto text = element.string();
        if (!text) return text.error();
        all.push_back(*std::move(text));
    }
    return all;
}

core::Result<std::chrono::milliseconds> Value::duration() const {
    constexpr std::string_view wanted = R"(a duration such as "30s", "10m", "12h" or "90d")";
    const auto* text = impl_->node->as_string();
    if (text == nullptr) return impl_->expected(wanted);
    const auto parsed = core::parse_duration(text->get());
    if (!parsed) return problem("\"" + text->get() + "\" is not " + std::string(wanted));
    return *parsed;
}

core::Result<std::size_t> Value::size() const {
    if (const auto* number = impl_->node->as_integer()) {
        if (number->get() < 0) return problem("a size cannot be negative");
        return static_cast<std::size_t>(number->get());
    }
    const auto* text = impl_->node->as_string();
    if (text == nullptr) return impl_->expected(a_size);
    const auto parsed = parse_size(text->get());
    if (!parsed) return problem("\"" + text->get() + "\" is not " + std::string(a_size));
    return *parsed;
}

core::Result<Table> Value::table() const {
    const auto* table = impl_->node->as_table();
    if (table == nullptr) return impl_->expected("a table");
    return Table(open(impl_->file, impl_->owner, *table, impl_->path, impl_->place));
}

core::Result<std::vector<Table>> Value::tables() const {
    if (!impl_->node->is_array()) return impl_->expected("an array of tables");
    const auto elements = items();
    std::vector<Table> all;
    all.reserve(elements.value().size());
    for (const Value& element : elements.value()) {
        auto table = element.table();
        if (!table) return table.error();
        all.push_back(*std::move(table));
    }
    return all;
}

std::string Value::where() const {
    return place_of(*impl_->file, impl_->place, impl_->path);
}

core::Problem Value::problem(std::string_view what) const {
    return {core::ProblemKind::malformed, where() + ": " + std::string(what)};
}

std::optional<Value> Table::find(std::string_view key) const {
    auto& asked = impl_->asked;
    if (std::find(asked.begin(), asked.end(), key) == asked.end()) asked.emplace_back(key);
    const auto member = impl_->node->find(key);
    if (member == impl_->node->end()) return std::nullopt;
    auto value = std::make_shared<Value::Impl>();
    value->file = impl_->file;
    value->node = &member->second;
    value->path = below(impl_->path, key);
    value->place = member->first.source().begin;
    value->owner = impl_;
    return Value(std::move(value));
}

core::Result<Value> Table::require(std::string_view key) const {
    auto found = find(key);
    if (!found) {
        return core::Problem(core::ProblemKind::malformed, place_of(*impl_->file, impl_->place, below(impl_->path, key)) +
                                                               ": missing; this key is required");
    }
    return *std::move(found);
}

std::vector<std::string> Table::keys() const {
    std::vector<std::string> all;
    for (const auto& [key, node] : in_order(*impl_->node)) all.emplace_back(key->str());
    return all;
}

std::string Table::where() const {
    return place_of(*impl_->file, impl_->place, impl_->path);
}

core::Problem Table::problem(std::string_view what) const {
    return {core::ProblemKind::malformed, where() + ": " + std::string(what)};
}

core::Result<void> Table::finish() const {
    const auto& asked = impl_->asked;
    for (const auto& [key, node] : in_order(*impl_->node)) {
        if (std::find(asked.begin(), asked.end(), key->str()) != asked.end()) continue;
        std::string known;
        for (const auto& name : asked) known += (known.empty() ? "" : ", ") + written_key(name);
        return core::Problem(core::ProblemKind::malformed,
                             place_of(*impl_->file, key->source().begin, below(impl_->path, key->str())) +
                                 ": unknown key; " + (known.empty() ? "no key is known here" : "known here: " + known));
    }
    for (const auto& record : impl_->opened) {
        auto outcome = Table(record).finish();
        if (!outcome) return outcome;
    }
    return {};
}

std::string Value::to_json() const {
    json::Writer writer;
    toml::to_json(writer, *impl_->node);
    return writer.take();
}

core::Result<Table> parse(std::string_view text, std::string_view name) {
    auto file = std::make_shared<File>();
    file->name = name;
    if (longest_key(text) > longest_dotted) {
        return malformed(file->name + ": a key has more than " + std::to_string(longest_dotted) + " parts joined by dots");
    }
    try {
        file->root = ::toml::parse(text, name);
    } catch (const ::toml::parse_error& error) {
        return malformed(file->name + ":" + std::to_string(error.source().begin.line) + ": not TOML: " +
                         std::string(error.description()));
    }
    if (auto problem = find_unstorable(*file, file->root, "")) return *std::move(problem);
    auto root = std::make_shared<Table::Impl>();
    root->node = &file->root;
    root->file = std::move(file);
    return Table(std::move(root));
}

core::Result<Table> parse_file(const std::string& path) {
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    std::string text;
    bool whole = in.is_open();
    try {
        text.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    } catch (const std::ios_base::failure&) {
        whole = false;  // a folder opens, but does not read
    }
    if (!whole) return malformed("cannot read " + path + ": " + std::strerror(errno));
    return parse(text, path);
}

}  // namespace postern::toml

// core/toml: a value that is stored as JSON and exported again comes back as the same JSON.
#include "core/toml/reader.hpp"

#include "core/json/reader.hpp"
#include "core/json/writer.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

std::string stored(const toml::Table& root) {
    std::string object = "{";
    for (const auto& key : root.keys()) {
        const auto value = root.find(key);
        require(value.has_value(), "a key that is listed is found");
        require(value->where().starts_with("f.toml:"), "a value knows its line");
        if (object.size() > 1) object += ',';
        json::Writer name;
        object += name.string(key).take() + ':' + value->to_json();
    }
    return object + "}";
}

}  // namespace

Outcome toml(core::BytesView input) {
    const std::string_view text = core::as_text(input);
    const auto root = toml::parse(text, "f.toml");
    if (!root) {
        require(root.error().kind == core::ProblemKind::malformed && root.error().detail.starts_with("f.toml"), "a refusal is malformed and names the file");
        return Outcome::refused;
    }
    const auto unread = root->finish();
    require(unread.has_value() == root->keys().empty(), "keys that nobody read are refused");

    const std::string json = stored(*root);
    require(root->finish().has_value(), "keys that were read are known");
    json::Limits limits;
    limits.bytes = 16 * input.size() + 1024;
    limits.depth = 300;
    require(json::Document::parse(json, limits).has_value(), "what is stored is JSON");
    const std::string exported = toml::json_object_to_toml(json);
    const auto again = toml::parse(exported, "f.toml");
    require(again.has_value(), "what is exported is TOML");
    require(stored(*again) == json, "what is exported is stored as the same");
    return Outcome::accepted;
}

}  // namespace postern::fuzz

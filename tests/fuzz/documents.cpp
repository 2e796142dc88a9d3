// ra::documents::read: an object's body is canonical JSON of its kind's keys, in the schema's order.
#include <algorithm>
#include <set>

#include "core/json/reader.hpp"
#include "ra/documents/wanted.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

using ra::documents::KeyType;
using ra::documents::SecretWish;
using ra::documents::Wanted;

bool fits(const json::Value& value, KeyType type) {
    switch (type) {
        case KeyType::text:
        case KeyType::duration: return value.is_string();
        case KeyType::flag: return value.is_bool();
        case KeyType::number: return value.is_integer();
        case KeyType::list: return value.is_array() && std::ranges::all_of(value.items(), [](const auto& v) { return v.is_string(); });
    }
    return false;
}

void check_body(const Wanted& w) {
    json::Limits limits;
    limits.bytes = std::max<std::size_t>(w.body.size(), 1);
    const auto body = json::Document::parse(w.body, limits);
    require(body && body->root().is_object(), "a body is a JSON object");
    auto key = w.kind->keys.begin();
    for (const auto& [name, value] : body->root().members()) {
        while (key != w.kind->keys.end() && key->name != name) ++key;
        require(key != w.kind->keys.end(), "a body has its kind's keys, each once, in the schema's order");
        require(!key->column && fits(value, key->type), "a stored key has its type");
    }
    for (const auto& k : w.kind->keys)
        require(!k.required || (k.column ? w.columns.contains(std::string(k.name)) : body->root().contains(k.name)), "required keys are there");
}

void check_name(const Wanted& w) {
    require(!w.name.empty() && w.name.size() <= 253, "a name has a length");
    require(std::ranges::all_of(w.name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'; }),
            "a name can stand in a URL");
    require(w.kind->name != "tenant" || w.tenant == w.name, "a tenant is its own");
    require(w.where.starts_with("f.toml"), "an object knows its place");
}

}  // namespace

Outcome documents(core::BytesView input) {
    const std::vector<ra::DocumentText> texts{{"f.toml", std::string(core::as_text(input))}};
    const auto read = ra::documents::read(texts);
    if (!read) {
        require(read.error().kind == core::ProblemKind::malformed && read.error().detail.starts_with("f.toml"), "a refusal names the file");
        return Outcome::refused;
    }
    const auto again = ra::documents::read(texts);
    require(again && again->size() == read->size(), "the same bytes give the same objects");
    std::set<std::string> seen;
    const ra::documents::Kind* before = nullptr;
    for (std::size_t i = 0; i < read->size(); ++i) {
        const Wanted& w = (*read)[i];
        const Wanted& other = (*again)[i];
        require(w.display() == other.display() && w.body == other.body && w.columns == other.columns, "the same bytes give the same object");
        require(before == nullptr || before <= w.kind, "what is referred to comes first");
        before = w.kind;
        require(seen.insert(std::string(w.kind->name) + ' ' + w.display()).second, "no object is described twice");
        require((w.secret == SecretWish::given) == !w.key_id.empty() || w.secret == SecretWish::given, "a key id comes with a secret");
        require(w.secret == SecretWish::none || w.kind->name == "account", "only accounts have secrets");
        check_name(w);
        check_body(w);
    }
    return outcome(!read->empty());
}

}  // namespace postern::fuzz

#include "api/call.hpp"
#include "core/base/encoding.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"

/// The blocklist. It counts for every tenant, so only principals of the whole installation see or change it.
namespace postern::api {

namespace {

constexpr std::size_t most_digests = 8192;  // of one request; an import sends many
constexpr std::size_t most_unblocked = 6;   // the fingerprints of two keys
constexpr std::int64_t page_limit = 1000;
constexpr std::size_t most_text = 200;

core::Result<void> of_the_installation(const Call& call) {
    if (!call.principal.tenant) return {};
    return core::Problem(core::ProblemKind::forbidden,
                         "blocked keys count for every tenant; this needs a principal of the whole installation");
}

/// Hexadecimal digits: 64 (SHA-256 of the SPKI), 30 (badkeys) or 20 (openssl-blacklist).
core::Result<core::Bytes> read_digest(const json::Value& value) {
    const auto text = value.string();
    if (!text) return text.error();
    auto octets = core::from_hex(*text);
    const auto known = [&](std::size_t size) { return octets && octets->size() == size; };
    if (!known(crypto::spki_fingerprint_size) && !known(crypto::number_fingerprint_size) && !known(crypto::modulus_fingerprint_size))
        return value.problem("expected 64, 30 or 20 hexadecimal digits: a key's SPKI SHA-256, badkeys or openssl-blacklist fingerprint");
    return std::move(*octets);
}

core::Result<std::vector<core::Bytes>> read_digests(const json::Value& list, std::size_t most) {
    const auto items = list.items();
    if (!list.is_array() || items.size() == 0 || items.size() > most)
        return list.problem("expected 1 to " + std::to_string(most) + " fingerprints");
    std::vector<core::Bytes> out;
    out.reserve(items.size());
    for (const auto& item : items) {
        auto digest = read_digest(item);
        if (!digest) return digest.error();
        out.push_back(std::move(*digest));
    }
    return out;
}

core::Result<std::string> read_text(const json::Value& value) {
    const auto text = value.string();
    if (!text) return text.error();
    if (text->empty() || text->size() > most_text) return value.problem("expected 1 to " + std::to_string(most_text) + " octets");
    // They stand in lists, refusals and audit records.
    if (json::printable(*text) != *text) return value.problem("expected one line of characters that can be seen");
    return std::string(*text);
}

void write(json::Writer& w, const store::BlockedKeyRow& row) {
    w.begin_object()
        .member("key", core::hex(row.digest))
        .member("reason", row.reason)
        .member("source", row.source)
        .member("import", row.audit)
        .member("blocked", core::rfc3339(row.created))
        .end_object();
}

}  // namespace

/// {"keys": [hex…], "reason", "source", "expected"?, "import"?} -> {"import"}; `import` of the first
/// answer goes with every further part of the same list.
core::Task<Answer> block_keys(Call call) {
    if (const auto may = of_the_installation(call); !may) co_return may.error();
    const auto body = read_body(call.request, {"keys", "reason", "source", "expected", "import"});
    if (!body) co_return body.error();
    const auto root = body->root();
    ra::BlockedKeys::Order order;
    auto digests = read_digests(root["keys"], most_digests);
    if (!digests) co_return digests.error();
    auto reason = read_text(root["reason"]);
    if (!reason) co_return reason.error();
    auto source = read_text(root["source"]);
    if (!source) co_return source.error();
    order.expected = static_cast<std::int64_t>(digests->size());
    if (root.contains("expected")) {
        const auto expected = root["expected"].integer();
        if (!expected) co_return expected.error();
        order.expected = *expected;
    }
    if (root.contains("import")) {
        const auto import = root["import"].integer();
        if (!import) co_return import.error();
        order.continues = *import;
    }
    order.digests = std::move(*digests);
    order.reason = std::move(*reason);
    order.source = std::move(*source);
    const auto done = co_await call.deps.blocked_keys.block(std::move(order), call.principal, call.request.id);
    if (!done) co_return done.error();
    json::Writer w;
    w.begin_object().member("import", *done).end_object();
    co_return json_response(200, w.take());
}

/// {"keys": [hex…]} -> {"unblocked": how many}
core::Task<Answer> unblock_keys(Call call) {
    if (const auto may = of_the_installation(call); !may) co_return may.error();
    const auto body = read_body(call.request, {"keys"});
    if (!body) co_return body.error();
    auto digests = read_digests(body->root()["keys"], most_unblocked);
    if (!digests) co_return digests.error();
    const auto done = co_await call.deps.blocked_keys.unblock(std::move(*digests), call.principal, call.request.id);
    if (!done) co_return done.error();
    json::Writer w;
    w.begin_object().member("unblocked", static_cast<std::int64_t>(*done)).end_object();
    co_return json_response(200, w.take());
}

/// ?after=HEX&limit=N: one JSON object a line, rising digests; X-Next-After names the next page.
core::Task<Answer> list_blocked_keys(Call call) {
    if (const auto may = of_the_installation(call); !may) co_return may.error();
    const auto limit = query_number(call.request, "limit", page_limit, 1, page_limit);
    if (!limit) co_return limit.error();
    auto after = core::from_hex(call.request.query_value("after").value_or(""));
    if (!after) co_return core::Problem(core::ProblemKind::malformed, "after: expected hexadecimal digits");
    const auto rows = co_await call.deps.blocked_keys.page(std::move(*after), *limit);
    std::string body, last;
    for (const auto& raw : rows) {
        const auto row = store::BlockedKeyRow::from(raw);
        json::Writer w;
        write(w, row);
        body += w.take() + "\n";
        last = core::hex(row.digest);
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    if (static_cast<std::int64_t>(rows.size()) == *limit) response.set("X-Next-After", last);
    co_return response;
}

/// {"spki": base64 of DER} -> {"key"?, "fingerprint", "refused": [{"check", "detail"}]}: what a request
/// with that key would meet before any profile is asked.
core::Task<Answer> check_key(Call call) {
    if (const auto may = of_the_installation(call); !may) co_return may.error();
    const auto body = read_body(call.request, {"spki"});
    if (!body) co_return body.error();
    const auto text = body->root()["spki"].string();
    if (!text) co_return text.error();
    const auto der = core::from_base64(*text);
    if (!der || der->empty()) co_return body->root()["spki"].problem("expected base64 of a SubjectPublicKeyInfo");
    const auto key = crypto::PublicKey::from_spki(*der, crypto::KeyUse::csr);
    json::Writer w;
    w.begin_object();
    if (key) w.member("key", crypto::describe(key->type(), key->bits()));
    w.member("fingerprint", core::hex(crypto::sha256(core::BytesView(*der)))).key("refused").begin_array();
    const auto refuse = [&](std::string_view check, std::string_view detail) {
        w.begin_object().member("check", check).member("detail", detail).end_object();
    };
    if (!key) {
        refuse(key.error().check.empty() ? "key.form" : key.error().check, key.error().detail);
    } else if (const auto block = co_await call.deps.blocked_keys.find(*key)) {
        refuse("key.blocked", ra::block_text(*block) + " [" + block->row.source + ", since " + core::rfc3339(block->row.created) + "]");
    }
    w.end_array().end_object();
    co_return json_response(200, w.take());
}

}  // namespace postern::api

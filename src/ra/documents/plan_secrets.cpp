#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/json/reader.hpp"
#include "ra/access_codes.hpp"
#include "ra/documents/plan.hpp"

/// What proves that an account may be used: drawn, given, or kept.
namespace postern::ra::documents {

namespace {

using core::Result;

/// What clients send as kid, and people paste after an option.
bool good_key_id(std::string_view id) {
    return !id.empty() && id.size() <= 100 && id.front() != '-' && std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

/// What proves that an account may be used belongs to one protocol.
Result<void> fits_endpoint(const Wanted& w, std::string_view method, std::string_view protocol) {
    const bool scep = method == "access_code" || method == "webhook" || method == "intune" || (method == "one_time" && protocol != "est");
    const bool est = method == "basic" || method == "certificate";
    const std::string_view own = method == "eab" ? "acme" : est ? "est" : scep ? "scep" : protocol;
    if (own == protocol) return {};
    return at(w, "method: " + std::string(method) + " is for endpoints of protocol " + std::string(own) + ", and this one speaks " + std::string(protocol));
}

/// 130 bits in letters and digits that every string type of a challengePassword and every keyboard has.
core::SecretText draw_access_code(core::Random& random) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    constexpr std::size_t length = 26;
    const auto octets = random.bytes(length);
    std::string code;
    for (const auto octet : octets) code += letters[octet % letters.size()];
    return core::SecretText(std::move(code));
}

}  // namespace

/// public_id and sealed secret follow the schema's columns; kept unless the document says otherwise.
Result<void> Plan::settle_secret(const Wanted& w, Step& step) {
    const auto& method = w.columns.at("method");
    const auto endpoint = std::get<std::int64_t>(step.row.keys.at(0));
    if (const auto fits = fits_endpoint(w, method, endpoint_protocol(endpoint)); !fits) return fits;
    if (method == "access_code" || method == "basic" || method == "certificate") return settle_access_code(w, step);
    if (method == "webhook") return settle_webhook(w, step);
    store::Value public_id = step.stored ? step.stored->keys.at(4) : store::Value(std::monostate{});
    store::Value sealed = step.stored ? step.stored->keys.at(5) : store::Value(std::monostate{});
    const bool has_secret = std::holds_alternative<core::Bytes>(sealed);
    const auto context = account_secret_context(core::AccountId(step.row.id));
    if (w.secret == SecretWish::generate && !has_secret && !options_.dry_run) {
        GeneratedSecret shown;
        shown.account = w.display();
        shown.key_id = deps_.random.token();
        core::SecretBytes key;
        // Command lines take a word that begins with a hyphen for an option.
        do {
            key = core::SecretBytes(deps_.random.bytes(32));
            shown.mac_key = core::SecretText(core::base64url(key.expose()));
        } while (shown.mac_key.expose().starts_with('-'));
        public_id = shown.key_id;
        sealed = deps_.sealer.seal(account_secret_label, context, key.expose());
        secrets_.push_back(std::move(shown));
    } else if (w.secret == SecretWish::given) {
        const auto key = core::from_base64url(w.secret_value.expose());
        if (!key || key->size() < 16) return at(w, "secret: expected at least 16 octets as base64url");
        if (!good_key_id(w.key_id)) return at(w, "secret: key_id: expected 1 to 100 visible ASCII characters, the first no hyphen");
        const auto held = has_secret ? deps_.sealer.open(account_secret_label, context, std::get<core::Bytes>(sealed)) : std::nullopt;
        if (!held || held->expose() != *key) sealed = deps_.sealer.seal(account_secret_label, context, *key);
        public_id = w.key_id;
    } else if (w.secret == SecretWish::keep && !has_secret) {
        return at(w, "secret is missing: the account has none to keep; use {generate = true}");
    }
    step.row.keys.push_back(std::move(public_id));
    step.row.keys.push_back(std::move(sealed));
    return {};
}

std::string Plan::endpoint_protocol(std::int64_t id) const {
    for (const auto& step : steps_)
        if (step.wanted && step.line.kind == "endpoint" && step.row.id == id) return std::get<std::string>(step.row.keys.at(0));
    const auto* row = stored_.find("endpoint", id);
    return row ? std::get<std::string>(row->keys.at(0)) : std::string();
}

namespace {

std::string user_of(const std::string& body_text, const std::string& name) {
    const auto body = json::Document::parse(body_text);
    const auto user = body ? body->root()["user"].string() : core::Result<std::string_view>(std::string_view(name));
    return user ? std::string(*user) : name;
}

}  // namespace

/// A drawn code is looked up by its hash (access_codes.hpp) and shown once: nobody can read it again.
Result<void> Plan::settle_access_code(const Wanted& w, Step& step) {
    store::Value public_id = step.stored ? step.stored->keys.at(4) : store::Value(std::monostate{});
    store::Value sealed = step.stored ? step.stored->keys.at(5) : store::Value(std::monostate{});
    if (w.secret == SecretWish::none) public_id = sealed = std::monostate{};  // a certificate alone
    const bool drawn = std::holds_alternative<std::string>(public_id), has_code = drawn || std::holds_alternative<core::Bytes>(sealed);
    // Its hash is over the user's name too, and nobody knows the password any more.
    if (drawn && w.secret != SecretWish::given && user_of(step.stored->body, step.stored->name) != user_of(w.body, w.name))
        return at(w, "user: the password was drawn for user " + user_of(step.stored->body, step.stored->name) + "; make another account for another user");
    if (w.secret == SecretWish::given) {
        if (const auto why = why_no_access_code(w.secret_value.expose()); !why.empty()) return at(w, "secret: " + why + "; or have one drawn: {generate = true}");
        public_id = std::monostate{};  // the rest is settle_chosen_code's
    } else if (w.secret == SecretWish::generate && !has_code && !options_.dry_run) {
        GeneratedSecret shown;
        shown.account = w.display();
        const core::EndpointId endpoint(std::get<std::int64_t>(step.row.keys.at(0)));
        auto code = draw_access_code(deps_.random);
        if (w.columns.at("method") != "access_code") {
            shown.user = user_of(w.body, w.name);
            public_id = password_id(deps_.sealer, endpoint, shown.user, code.expose());
            shown.password = std::move(code);
        } else {
            public_id = access_code_id(deps_.sealer, endpoint, code.expose());
            shown.access_code = std::move(code);
        }
        secrets_.push_back(std::move(shown));
    } else if (w.secret == SecretWish::keep && !has_code) {
        return at(w, "secret is missing: the account has none to keep; use {generate = true}");
    }
    step.row.keys.push_back(std::move(public_id));
    step.row.keys.push_back(std::move(sealed));
    return {};
}

core::Task<Result<void>> Plan::settle_chosen_code(const Wanted& w, Step& step) {
    const auto& method = w.columns.at("method");
    if ((method != "access_code" && method != "basic" && method != "certificate") || w.secret != SecretWish::given) co_return Result<void>();
    const core::AccountId id(step.row.id);
    const auto* held = std::get_if<core::Bytes>(&step.row.keys.at(5));
    const auto work = [&] {
        const auto& code = w.secret_value.expose();
        if (held != nullptr && is_chosen_code(deps_.sealer, id, *held, code)) return *held;
        return seal_chosen_code(deps_.sealer, id, code, deps_.random);
    };
    Result<core::Bytes> sealed = core::Bytes();
    if (deps_.pool == nullptr)
        sealed = work();
    else
        sealed = co_await deps_.pool->run(work);
    if (!sealed) co_return at(w, sealed.error().detail);
    step.row.keys.at(5) = std::move(*sealed);
    co_return Result<void>();
}

/// Recoverable: it signs. As the receivers of step-ca's webhooks have it, base64 of what is the key.
Result<void> Plan::settle_webhook(const Wanted& w, Step& step) {
    store::Value sealed = step.stored ? step.stored->keys.at(5) : store::Value(std::monostate{});
    const bool has_secret = std::holds_alternative<core::Bytes>(sealed);
    const auto context = account_secret_context(core::AccountId(step.row.id));
    if (w.secret == SecretWish::generate && !has_secret && !options_.dry_run) {
        const core::SecretBytes key(deps_.random.bytes(32));
        GeneratedSecret shown;
        shown.account = w.display();
        shown.webhook_secret = core::SecretText(core::base64(key.expose()));
        sealed = deps_.sealer.seal(account_secret_label, context, key.expose());
        secrets_.push_back(std::move(shown));
    } else if (w.secret == SecretWish::given) {
        const auto key = core::from_base64(w.secret_value.expose());
        if (!key || key->size() < 16) return at(w, "secret: expected at least 16 octets as base64");
        const auto held = has_secret ? deps_.sealer.open(account_secret_label, context, std::get<core::Bytes>(sealed)) : std::nullopt;
        if (!held || held->expose() != *key) sealed = deps_.sealer.seal(account_secret_label, context, *key);
    } else if (w.secret == SecretWish::keep && !has_secret) {
        return at(w, "secret is missing: the account has none to keep; use {generate = true}");
    }
    step.row.keys.emplace_back(std::monostate{});
    step.row.keys.push_back(std::move(sealed));
    return {};
}

}  // namespace postern::ra::documents

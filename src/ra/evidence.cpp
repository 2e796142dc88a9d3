#include "ra/evidence.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "core/base/encoding.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"

namespace postern::ra {

namespace {
constexpr std::array kinds{Evidence::Kind::validated_name, Evidence::Kind::account_key,   Evidence::Kind::password,      Evidence::Kind::challenge,
                           Evidence::Kind::certificate,    Evidence::Kind::administrator, Evidence::Kind::system,
                           Evidence::Kind::intune,         Evidence::Kind::granted,       Evidence::Kind::manufacturer};

/// Whether somebody vouched for an identifier.
bool by_somebody(Evidence::Kind kind) { return kind == Evidence::Kind::intune || kind == Evidence::Kind::manufacturer; }
}

std::string_view to_string(Evidence::Kind kind) noexcept {
    switch (kind) {
        case Evidence::Kind::validated_name: return "validated_name";
        case Evidence::Kind::account_key: return "account_key";
        case Evidence::Kind::password: return "password";
        case Evidence::Kind::challenge: return "challenge";
        case Evidence::Kind::certificate: return "certificate";
        case Evidence::Kind::administrator: return "administrator";
        case Evidence::Kind::system: return "system";
        case Evidence::Kind::intune: return "intune";
        case Evidence::Kind::granted: return "granted";
        case Evidence::Kind::manufacturer: return "manufacturer";
    }
    return "";
}

Evidence Evidence::validated(std::string identifier_type, std::string identifier, std::string method,
                             core::TimePoint at, core::TimePoint until) {
    Evidence e;
    e.kind = Kind::validated_name;
    e.identifier_type = std::move(identifier_type);
    e.identifier = std::move(identifier);
    e.method = std::move(method);
    e.at = at;
    e.until = until;
    return e;
}

Evidence Evidence::granted(std::string identifier_type, std::string identifier, std::string by, core::TimePoint at) {
    Evidence e = of(Kind::granted, std::move(by), at);
    e.identifier_type = std::move(identifier_type);
    e.identifier = std::move(identifier);
    return e;
}

Evidence Evidence::of(Kind kind, std::string subject, core::TimePoint at) {
    Evidence e;
    e.kind = kind;
    e.subject = std::move(subject);
    e.at = at;
    return e;
}

Evidence Evidence::intune(std::string challenge_digest, std::string by, core::TimePoint at) {
    Evidence e = of(Kind::intune, std::move(challenge_digest), at);
    e.identifier = "Success";
    e.method = std::move(by);
    return e;
}

Evidence Evidence::manufacturer(std::string digest, std::string device, std::string anchor, core::TimePoint at) {
    Evidence e = of(Kind::manufacturer, std::move(digest), at);
    e.identifier = std::move(device);
    e.method = std::move(anchor);
    return e;
}

bool vouched_by_intune(const std::vector<Evidence>& evidence) noexcept {
    return std::any_of(evidence.begin(), evidence.end(), [](const Evidence& e) { return e.kind == Evidence::Kind::intune; });
}

Evidence Evidence::permitted(std::string url, std::optional<core::TimePoint> when) && {
    account_url = std::move(url);
    caa = when;
    return std::move(*this);
}

Evidence Evidence::resting_on(std::string_view kind_of_requester, std::int64_t id, core::Bytes spki) && {
    requester = kind_of_requester;
    row = id;
    key = std::move(spki);
    return std::move(*this);
}

std::string to_json(const std::vector<Evidence>& evidence) {
    json::Writer w;
    w.begin_array();
    for (const auto& e : evidence) {
        w.begin_object().member("kind", to_string(e.kind)).member("at", core::to_ms(e.at));
        if (of_a_name(e.kind)) w.member("type", e.identifier_type).member("identifier", e.identifier);
        if (e.kind == Evidence::Kind::validated_name)
            w.member("method", e.method).member("until", core::to_ms(e.until));
        else
            w.member("subject", e.subject);
        if (by_somebody(e.kind)) w.member("identifier", e.identifier).member("method", e.method);
        if (!e.account_url.empty()) w.member("account", e.account_url);
        if (e.caa) w.member("caa", core::to_ms(*e.caa));
        if (!e.requester.empty()) w.member("requester", e.requester).member("row", e.row);
        if (!e.key.empty()) w.member("key", core::base64(e.key));
        w.end_object();
    }
    w.end_array();
    return w.take();
}

std::vector<Evidence> evidence_from_json(std::string_view text) {
    json::Limits limits;
    limits.bytes = 1024 * 1024;
    const auto document = json::Document::parse(text, limits);
    if (!document) throw std::logic_error("stored evidence is no JSON: " + document.error().detail);
    std::vector<Evidence> out;
    for (const auto& item : document->root().items()) {
        Evidence e;
        const auto kind = item["kind"].string().value();
        for (const auto k : kinds)
            if (to_string(k) == kind) e.kind = k;
        e.at = core::from_ms(item["at"].integer().value());
        if (of_a_name(e.kind)) {
            e.identifier_type = item["type"].string().value();
            e.identifier = item["identifier"].string().value();
        }
        if (e.kind == Evidence::Kind::validated_name) {
            e.method = item["method"].string().value();
            e.until = core::from_ms(item["until"].integer().value());
        } else {
            e.subject = item["subject"].string().value();
        }
        if (by_somebody(e.kind)) {
            e.identifier = item["identifier"].string().value();
            e.method = item["method"].string().value();
        }
        if (item.contains("account")) e.account_url = item["account"].string().value();
        if (item.contains("caa")) e.caa = core::from_ms(item["caa"].integer().value());
        if (item.contains("requester")) {
            e.requester = item["requester"].string().value();
            e.row = item["row"].integer().value();
        }
        if (item.contains("key")) e.key = core::from_base64(item["key"].string().value()).value();
        out.push_back(std::move(e));
    }
    return out;
}

}  // namespace postern::ra

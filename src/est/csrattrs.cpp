#include <algorithm>

#include "core/crypto/csr_attributes.hpp"
#include "core/crypto/extensions.hpp"
#include "est/bodies.hpp"
#include "est/enroll.hpp"
#include "est/status.hpp"

namespace postern::est {

namespace {

using core::Result;
using core::Task;
using crypto::DnAttribute;
using crypto::ExtensionWish;
using crypto::SubjectWish;

constexpr std::string_view csr_attributes_type = "application/csrattrs";
constexpr std::string_view oid_challenge_password = "1.2.840.113549.1.9.7", oid_identity_linking = "1.2.840.113549.1.9.16.2.58";

/// Whom the answer is for, as far as that is known: nobody has to say.
struct Asker {
    Asker() = default;
    std::optional<ra::Account> account;
    std::optional<crypto::Certificate> renewed;  ///< presented, and of this endpoint
};

Task<Result<Asker>> find_asker(Parts& parts, const Call& call) {
    Asker out;
    const bool password = !call.request.header("Authorization").empty();
    if (!password && call.request.peer.client_certificate.empty()) {
        out.account = co_await ra::find_open_account(parts.deps.db, call.endpoint.id);
        co_return out;
    }
    auto found = co_await find_requester(parts, call, Operation::simpleenroll);
    // A certificate that gives no right here may still be one to enroll with elsewhere; a wrong password is told.
    if (!found && password) co_return found.error();
    if (!found) co_return out;
    out.account = std::move(found->account);
    if (found->renewal) out.renewed = std::move(found->renewal->certificate);
    co_return out;
}

struct Named {
    DnAttribute attribute;
    std::string_view oid;
};
/// The most general first, as certificates have them.
constexpr std::array fields{Named{DnAttribute::country, "2.5.4.6"},       Named{DnAttribute::state, "2.5.4.8"},
                            Named{DnAttribute::locality, "2.5.4.7"},      Named{DnAttribute::organization, "2.5.4.10"},
                            Named{DnAttribute::organizational_unit, "2.5.4.11"}, Named{DnAttribute::common_name, "2.5.4.3"},
                            Named{DnAttribute::serial_number, "2.5.4.5"}, Named{DnAttribute::email, "1.2.840.113549.1.9.1"}};

std::string oid_of(const crypto::DnEntry& entry) {
    const auto* known = std::ranges::find(fields, entry.type, &Named::attribute);
    return known == fields.end() ? entry.oid : std::string(known->oid);
}

/// One name without a "*" anywhere.
bool is_exact(const std::vector<std::string>& names) { return names.size() == 1 && !names.front().empty() && names.front().find('*') == std::string::npos; }

/// What the registration authority will write whatever the request says, and nothing for what the client is to find.
std::optional<std::string> value_of(DnAttribute attribute, const Call& call, const ra::Profile& profile, const ra::Account* account) {
    if (account == nullptr) return std::nullopt;
    if (attribute == DnAttribute::common_name && profile.text_common_name && is_exact(account->common_names)) return account->common_names.front();
    const auto* organization = account->organization ? call.catalog->organization(*account->organization) : nullptr;
    const auto* department = account->department ? call.catalog->department(*account->department) : nullptr;
    if (organization == nullptr) return std::nullopt;
    switch (attribute) {
        case DnAttribute::country: return organization->country;
        case DnAttribute::state: return organization->state;
        case DnAttribute::locality: return organization->locality;
        case DnAttribute::organization: return organization->legal_name;
        case DnAttribute::organizational_unit: return department ? std::optional(department->name) : std::nullopt;
        case DnAttribute::common_name:
        case DnAttribute::serial_number:
        case DnAttribute::email:
        case DnAttribute::other: break;
    }
    return std::nullopt;
}

std::vector<SubjectWish> subject_wishes(const Call& call, const ra::Profile& profile, const Asker& asker) {
    std::vector<SubjectWish> out;
    if (asker.renewed) {
        for (const auto& entry : asker.renewed->subject().entries) out.emplace_back(oid_of(entry), entry.value);
        return out;
    }
    for (const auto& [attribute, oid] : fields) {
        if (std::ranges::find(profile.subject, crypto::short_name(attribute)) == profile.subject.end()) continue;
        auto value = value_of(attribute, call, profile, asker.account ? &*asker.account : nullptr);
        const bool clients = attribute == DnAttribute::common_name || attribute == DnAttribute::serial_number || attribute == DnAttribute::email;
        if (value && value->empty()) value.reset();
        if (value || clients) out.emplace_back(std::string(oid), std::move(value));
    }
    return out;
}

/// subjectAltName where the profile certifies such names.
std::vector<ExtensionWish> extension_wishes(const ra::Profile& profile, const Asker& asker) {
    const std::string san(crypto::oid_subject_alt_name);
    if (asker.renewed) {
        if (asker.renewed->alt_names().empty()) return {};
        return {ExtensionWish(san, asker.renewed->subject().entries.empty(), crypto::general_names_der(asker.renewed->alt_names()))};
    }
    if (!profile.tls_server() && !profile.ip_names && !profile.email_names && !profile.uri_names && !profile.upn_names) return {};
    std::optional<core::Bytes> value;
    if (asker.account && is_exact(asker.account->scope.names) && !asker.account->scope.names.front().starts_with('.')) {
        const auto& name = asker.account->scope.names.front();
        const auto ip = crypto::canonical_ip(name);
        value = crypto::general_names_der({ip.empty() ? crypto::GeneralName(crypto::GeneralNameType::dns, name) : crypto::GeneralName(crypto::GeneralNameType::ip, ip)});
    }
    return {ExtensionWish(san, false, std::move(value))};
}

/// RFC 9908 has room for one kind of key: of several that a profile takes nothing is said, unless all are EC.
std::optional<crypto::KeyWish> legacy_key(const ra::Profile& profile) {
    if (profile.keys.size() == 1) return crypto::KeyWish::of(profile.keys.front());
    auto any = crypto::KeyWish::of(crypto::KeySpec(crypto::KeyType::ec_p256, 256));
    any.curve.clear();
    const bool ec = std::ranges::all_of(profile.keys, [](const crypto::KeySpec& k) { return k.type != crypto::KeyType::rsa && k.type != crypto::KeyType::ed25519; });
    return ec ? std::optional(any) : std::nullopt;
}

crypto::CsrAttributes wishes(const Call& call, const ra::Profile& profile, const Asker& asker) {
    crypto::RequestTemplate request;
    request.subject = subject_wishes(call, profile, asker);
    if (profile.keys.size() == 1) request.key = crypto::KeyWish::of(profile.keys.front());
    request.extensions = extension_wishes(profile, asker);
    crypto::CsrAttributes out;
    if (profile.require_binding) {
        const auto oid = profile.challenge_password == ra::ChallengePassword::binding ? oid_challenge_password : oid_identity_linking;
        out.attributes.emplace_back(std::string(oid));
        // Who understands the template looks at nothing else. The value is the client's to find.
        request.attributes.emplace_back(std::string(oid), std::vector<core::Bytes>());
    }
    if (const auto key = legacy_key(profile)) out.add(*key);
    out.add(request.extensions);
    for (const auto& rdn : request.subject)
        if (rdn.oid == "2.5.4.5" && !rdn.value) out.attributes.emplace_back(rdn.oid);
    if (!request.subject.empty() || request.key || !request.extensions.empty()) out.request = std::move(request);
    return out;
}

}  // namespace

/// RFC 7030 §4.5.2: what the profile wants that judges the request. Nothing wanted has no body: BouncyCastle takes no other 204.
Task<http::Response> csrattrs(Parts& parts, const Call& call) {
    auto asker = co_await find_asker(parts, call);
    if (!asker) co_return refusal(call, asker.error());
    const auto* profile = asker->account ? profile_of(call, *asker->account) : call.catalog->profile(call.endpoint.tenant, call.endpoint.profiles.front());
    if (profile == nullptr || !profile->active) co_return http::Response(204);
    const auto all = wishes(call, *profile, *asker);
    if (all.attributes.empty() && !all.request) co_return http::Response(204);
    co_return answer_der(call.request, csr_attributes_type, all.to_der());
}

}  // namespace postern::est

#include "ra/model.hpp"

#include <algorithm>

#include "ra/extended_key_usage.hpp"

namespace postern::ra {

std::string_view to_string(Protocol p) noexcept {
    switch (p) {
        case Protocol::acme: return "acme";
        case Protocol::scep: return "scep";
        case Protocol::est: return "est";
        case Protocol::rest: return "rest";
        case Protocol::system: return "system";
    }
    return "";
}

std::optional<Protocol> protocol_from(std::string_view text) noexcept {
    for (const auto p : {Protocol::acme, Protocol::scep, Protocol::est, Protocol::rest, Protocol::system})
        if (to_string(p) == text) return p;
    return std::nullopt;
}

std::string_view to_string(DomainProof p) noexcept {
    switch (p) {
        case DomainProof::none: return "none";
        case DomainProof::http: return "http";
        case DomainProof::dns: return "dns";
        case DomainProof::mail: return "mail";
    }
    return "";
}

std::string_view to_string(AccountMethod m) noexcept {
    switch (m) {
        case AccountMethod::open: return "open";
        case AccountMethod::eab: return "eab";
        case AccountMethod::system: return "system";
        case AccountMethod::access_code: return "access_code";
        case AccountMethod::basic: return "basic";
        case AccountMethod::certificate: return "certificate";
        case AccountMethod::intune: return "intune";
        case AccountMethod::one_time: return "one_time";
        case AccountMethod::webhook: return "webhook";
    }
    return "";
}

std::string_view to_string(Approval a) noexcept { return a == Approval::officer ? "officer" : "none"; }

bool EstSettings::default_for(std::string_view host) const noexcept {
    return std::any_of(default_hosts.begin(), default_hosts.end(), [&](const std::string& own) { return own == "*" || own == host; });
}

Approval approval_of(const Profile& profile, const Account& account) noexcept { return account.approval.value_or(profile.approval); }

bool Profile::tls_server() const {
    return std::find(extended_key_usage.begin(), extended_key_usage.end(), server_auth_oid) != extended_key_usage.end();
}

bool Profile::certifies(crypto::GeneralNameType type) const noexcept {
    switch (type) {
        case crypto::GeneralNameType::dns: return true;
        case crypto::GeneralNameType::ip: return ip_names;
        case crypto::GeneralNameType::email: return email_names;
        case crypto::GeneralNameType::uri: return uri_names;
        case crypto::GeneralNameType::upn: return upn_names;
        case crypto::GeneralNameType::other: return false;
    }
    return false;
}

}  // namespace postern::ra

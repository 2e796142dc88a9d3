#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace postern::ra {

/// What a front end verified about the requester, and when.
struct Evidence {
    enum class Kind {
        validated_name, account_key, password, challenge, certificate, administrator, system,
        intune,  ///< Intune validated this very CSR with its challenge
        granted,  ///< a name that its account has without a challenge (grants.hpp): whether it still has, policy asks anew
        manufacturer,  ///< a certificate that one of the account's trust anchors vouches for (Implicit, RFC 7030 §1.1)
    };
    Evidence() = default;
    static Evidence validated(std::string identifier_type, std::string identifier, std::string method,
                              core::TimePoint at, core::TimePoint until);
    static Evidence of(Kind kind, std::string subject, core::TimePoint at);
    /// Intune said Success to the challenge of this digest. `by`: the Azure account.
    static Evidence intune(std::string challenge_digest, std::string by, core::TimePoint at);
    /// `digest`: the certificate's, in hex; `device`: its serial number; `anchor`: who vouches.
    static Evidence manufacturer(std::string digest, std::string device, std::string anchor, core::TimePoint at);
    /// `by`: what grants the name ("domain corp.example, proven by dns"); empty: nothing any more.
    static Evidence granted(std::string identifier_type, std::string identifier, std::string by, core::TimePoint at);
    /// Of a name: whose CAA question it is, and when the records permitted it; nullopt: nobody asked.
    Evidence permitted(std::string account_url, std::optional<core::TimePoint> caa) &&;
    /// That the subject has a row of its own (store/tables/requester.hpp) and signed with this key:
    /// whoever takes the request up later asks whether both still stand.
    Evidence resting_on(std::string_view kind_of_requester, std::int64_t id, core::Bytes spki) &&;
    Kind kind = Kind::account_key;
    std::string identifier_type;  ///< of a name: "dns" or "ip"
    std::string identifier;       ///< of a name: normalized, wildcards with "*."; intune: what it said; manufacturer: the device
    std::string method;           ///< "http-01"; intune: the Azure account; manufacturer: the trust anchor
    std::string subject;          ///< who: thumbprint, certificate digest, principal; granted: by what
    std::string requester;        ///< kind of the subject's own row; empty: it has none
    std::int64_t row = 0;         ///< its id
    core::Bytes key;              ///< SubjectPublicKeyInfo; empty: no signature was checked
    core::TimePoint at{};
    core::TimePoint until{};      ///< validated_name: good up to here
    std::string account_url;      ///< of a name: who proved or was granted it, as CAA's accounturi names them
    std::optional<core::TimePoint> caa;  ///< validated_name: when CAA permitted it
};
std::string_view to_string(Evidence::Kind kind) noexcept;
/// Whether it is of one name of the order, proven or granted.
[[nodiscard]] constexpr bool of_a_name(Evidence::Kind kind) noexcept { return kind == Evidence::Kind::validated_name || kind == Evidence::Kind::granted; }
/// Whether Intune vouched for what the request asks for, and waits to hear what became of it.
bool vouched_by_intune(const std::vector<Evidence>& evidence) noexcept;
std::string to_json(const std::vector<Evidence>& evidence);
/// What to_json wrote; the sweeper resumes with it.
std::vector<Evidence> evidence_from_json(std::string_view json);

}  // namespace postern::ra

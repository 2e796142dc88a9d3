#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/crypto/certificate_template.hpp"
#include "core/crypto/key.hpp"
#include "core/crypto/name.hpp"

namespace postern::ca {

/// Everything about one certificate but its serial and its signature, as the RA resolved it from
/// profile, organization and evidence. Nothing in here was copied from a CSR unseen.
struct Content {
    Content() = default;
    core::ProfileId profile;
    std::string profile_name;  ///< what the profile says to a foreign CA: its name and
    std::vector<std::pair<std::string, std::string>> parameters;
    std::int64_t profile_version = 0;  ///< with `profile` and the key's type, what templates are cached by
    crypto::DistinguishedName subject;
    std::vector<crypto::GeneralName> names;
    crypto::PublicKey key;
    core::TimePoint not_before{};  ///< whole seconds
    core::TimePoint not_after{};   ///< whole seconds, inclusive
    std::vector<crypto::KeyUsageBit> key_usage;
    std::vector<std::string> extended_key_usage;  ///< dotted OIDs
    std::string issuer_key_id;  ///< which of the backend's CAs is asked, where several are ready; empty: the one of today
    bool must_staple = false;
    bool tls_server = false;  ///< serverAuth: CN must be one of the names, and so on
    /// The backend's chain ends at a root of the browsers: internal names and special addresses are
    /// refused, and terms are theirs. A private CA certifies both.
    bool publicly_trusted = false;
    /// Windows' security identifier ("S-1-5-21-…") for the extension of strong mapping; empty: the extension is not there.
    std::string security_identifier;
    bool key_blocked = false;  ///< the key is on the blocklist: policy refuses it long before
};

}  // namespace postern::ca

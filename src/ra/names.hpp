#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/crypto/name.hpp"

namespace postern::ra {

/// The one normaliser of DNS names: CSR, scope, SAN, CN and orders all pass through it.
/// Gives lower-case A-labels without a final dot; "*.example.com" is allowed when `wildcard`.
/// Empty or over-long labels, leading or trailing hyphens, other characters and addresses are
/// `malformed` (V11); U-labels, reserved labels, A-labels that IDNA 2008 does not know or that mix
/// scripts, and single-label names (unless `single_label`) `rejected_identifier` (V12).
struct NameRules {
    NameRules() = default;
    bool wildcard = true;
    bool single_label = false;
};
core::Result<std::string> normalize_dns(std::string_view name, NameRules rules = {});

/// A mailbox (RFC 5321 Dot-string and a DNS name, in lower case) of at most 254 octets. Errors as normalize_dns.
core::Result<std::string> normalize_mailbox(std::string_view text);

/// What an account may ask for (design §7): "example.com" is that name, ".example.com" its
/// descendants, "*" every name (laboratory); wildcards need wildcard = true. Addresses are listed
/// in canonical text, networks with the number of their bits: "10.0.0.0/8".
struct NameScope {
    NameScope() = default;
    std::vector<std::string> names;
    bool wildcard = false;
    /// "jane@example.com" that mailbox, "*@example.com" every one of the domain, "*" every one.
    std::vector<std::string> emails;
    /// Octet by octet, or all that begins with what stands before a final "*"; "*" every one.
    std::vector<std::string> uris;
    /// As `emails`. A computer's account ("HOST$@…") is covered only by an entry without "*".
    std::vector<std::string> upns;
    [[nodiscard]] bool covers_dns(std::string_view normalized) const;
    [[nodiscard]] bool covers_ip(std::string_view canonical) const;
    [[nodiscard]] bool covers_email(std::string_view normalized) const;
    [[nodiscard]] bool covers_uri(std::string_view uri) const;
    [[nodiscard]] bool covers_upn(std::string_view upn) const;
    [[nodiscard]] bool covers(const crypto::GeneralName& name) const;
    /// Whether an entry means just this name: itself, or for "*.example.com" the entry ".example.com"
    /// with `wildcard`.
    [[nodiscard]] bool lists_dns(std::string_view normalized) const;
    /// What it says of names of that kind, for people: "example.com, .example.org".
    [[nodiscard]] std::string to_text(crypto::GeneralNameType type = crypto::GeneralNameType::dns) const;
};

}  // namespace postern::ra

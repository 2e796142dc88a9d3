#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

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

/// What an account may ask for (design §7): "example.com" is that name, ".example.com" its
/// descendants, "*" every name (laboratory); wildcards need wildcard = true. Addresses are listed
/// in canonical text.
struct NameScope {
    NameScope() = default;
    std::vector<std::string> names;
    bool wildcard = false;
    [[nodiscard]] bool covers_dns(std::string_view normalized) const;
    [[nodiscard]] bool covers_ip(std::string_view canonical) const;
    /// Whether an entry means just this name: itself, or for "*.example.com" the entry ".example.com"
    /// with `wildcard`.
    [[nodiscard]] bool lists_dns(std::string_view normalized) const;
    /// "example.com, .example.org" for people
    [[nodiscard]] std::string to_text() const;
};

}  // namespace postern::ra

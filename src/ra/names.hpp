#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace postern::ra {

/// The one normaliser of DNS names: CSR, scope, SAN, CN and orders all pass through it.
/// Gives lower-case A-labels without a final dot; "*.example.com" is allowed when `wildcard`.
/// U-labels, empty or over-long labels, leading or trailing hyphens, R-LDH that is no valid
/// punycode, addresses and single-label names (unless `single_label`) are `malformed` or
/// `rejected_identifier` (V11, V12).
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
    /// "example.com, .example.org" for people
    [[nodiscard]] std::string to_text() const;
};

}  // namespace postern::ra

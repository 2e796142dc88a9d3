#pragma once
#include <string>
#include <string_view>

#include "ra/names.hpp"

/// Entries of scopes as documents write them (docs/configuration.md, Scopes). Each reader adds one to its list, in its one
/// spelling, and gives what is wrong with the text, or nothing.
namespace postern::ra {

/// "example.com", ".example.com", "*", an address, or a network: "10.0.0.0/8", "2001:db8::/32".
std::string read_host_entry(std::string_view text, NameScope& scope);
/// "jane@example.com", "*@example.com" or "*".
std::string read_email_entry(std::string_view text, NameScope& scope);
/// A URI, one that ends in "*" behind a "/" or ":", or "*".
std::string read_uri_entry(std::string_view text, NameScope& scope);
/// "jane@corp.example", "*@corp.example" or "*".
std::string read_upn_entry(std::string_view text, NameScope& scope);

}  // namespace postern::ra

#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/crypto/name.hpp"

/// What people and programs write to say what a challenge is for, and how it is stored.
namespace postern::ra {

/// "CN=phone-7,O=Example" (RFC 4514, attributes CN, O, OU, C, ST, L, serialNumber, E or dotted numbers; a backslash before a
/// character that means something; no "+"). `malformed` says what is wrong; an empty text is no attributes.
core::Result<std::vector<crypto::DnEntry>> subject_from_text(std::string_view text);
/// "dns:phone.example.com", "ip:192.0.2.7", "email:a@example.com", "uri:https://…", "upn:a@corp.example"
core::Result<crypto::GeneralName> name_from_text(std::string_view text);

/// JSON arrays of "CN=phone-7" and "dns:…"; the values as they are.
std::string to_stored(const std::vector<crypto::DnEntry>& subject);
std::string to_stored(const std::vector<crypto::GeneralName>& names);
/// What to_stored wrote. Throws std::logic_error for anything else.
std::vector<crypto::DnEntry> subject_from_stored(std::string_view json);
std::vector<crypto::GeneralName> names_from_stored(std::string_view json);

}  // namespace postern::ra

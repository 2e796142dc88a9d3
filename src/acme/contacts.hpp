#pragma once
#include <string>
#include <string_view>

#include "acme/problem.hpp"
#include "core/json/reader.hpp"

namespace postern::acme {

/// One contact URL (RFC 8555 §7.3): mailto with one address, no header fields, ASCII.
/// Errors: unsupportedContact (another scheme), invalidContact.
Result<void> check_contact(std::string_view url);
/// The `contact` member as the JSON array to keep; absent or empty is legal and gives "[]".
Result<std::string> read_contacts(const json::Value& list);

}  // namespace postern::acme

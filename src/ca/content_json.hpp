#pragma once
#include <string>
#include <string_view>

#include "ca/content.hpp"
#include "core/base/result.hpp"
#include "core/json/writer.hpp"

namespace postern::ca {

/// What was authorised, for a foreign CA and for whoever compares what comes back with it, perhaps days later:
/// {"profile", "parameters", "subject", "names", "not_before", "not_after", "key_usage",
/// "extended_key_usage", "must_staple", …}. The key is not in it: the CSR has it.
std::string to_json(const Content& content);

/// "digitalSignature". Throws std::logic_error for a usage that no leaf has.
std::string_view key_usage_word(crypto::KeyUsageBit bit);

/// The other way; `key` is the CSR's. `malformed` for anything that to_json does not write.
core::Result<Content> content_from_json(std::string_view text, crypto::PublicKey key);

}  // namespace postern::ca

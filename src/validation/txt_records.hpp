#pragma once
#include <memory>
#include <string>

#include "core/dns/resolver.hpp"
#include "validation/validator.hpp"

namespace postern::validation {

/// Proof by a TXT record (RFC 8555 §8.4): one of those at `owner(question)` is the base64url SHA-256 of the key authorization.
/// CNAMEs are followed by the resolver, within its bound; nothing is dialled but name servers.
/// Refused with `dns` (SERVFAIL, time-out, bogus, a name that cannot be asked for), `forbidden` (no record), `incorrect_response` (others).
std::unique_ptr<Validator> make_txt_validator(dns::Resolver& resolver, std::string (*owner)(const Question&));

}  // namespace postern::validation

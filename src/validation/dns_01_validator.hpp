#pragma once
#include <memory>

#include "core/dns/resolver.hpp"
#include "validation/validator.hpp"

namespace postern::validation {

/// RFC 8555 §8.4: the records of "_acme-challenge.NAME" (txt_records.hpp).
std::unique_ptr<Validator> make_dns_01_validator(dns::Resolver& resolver);

}  // namespace postern::validation

#pragma once
#include <memory>

#include "core/dns/resolver.hpp"
#include "validation/validator.hpp"

namespace postern::validation {

/// draft-ietf-acme-dns-account-label-02 §3.1: as dns-01, below a label of the account's own ("_LABEL._acme-challenge.NAME"), so that
/// several accounts prove a name side by side.
std::unique_ptr<Validator> make_dns_account_01_validator(dns::Resolver& resolver);

}  // namespace postern::validation

#include "validation/dns_01_validator.hpp"

#include "validation/txt_records.hpp"

namespace postern::validation {

namespace {
std::string owner(const Question& question) { return "_acme-challenge." + question.identifier; }
}

std::unique_ptr<Validator> make_dns_01_validator(dns::Resolver& resolver) { return make_txt_validator(resolver, &owner); }

}  // namespace postern::validation

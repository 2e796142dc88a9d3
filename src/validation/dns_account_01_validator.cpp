#include "validation/dns_account_01_validator.hpp"

#include "core/crypto/digest.hpp"
#include "validation/txt_records.hpp"

namespace postern::validation {

namespace {

constexpr std::size_t label_octets = 10;

/// RFC 4648 §6 in lower case, of octets that need no padding.
std::string base32(core::BytesView octets) {
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    std::string out;
    std::uint32_t kept = 0;
    unsigned bits = 0;
    for (const auto octet : octets) {
        kept = (kept << 8U) | octet;
        for (bits += 8; bits >= 5; bits -= 5) out.push_back(alphabet[(kept >> (bits - 5)) & 31U]);
    }
    return out;
}

std::string owner(const Question& question) {
    const auto digest = crypto::sha256(question.account_url);
    return "_" + base32(core::BytesView(digest).first(label_octets)) + "._acme-challenge." + question.identifier;
}

}  // namespace

std::unique_ptr<Validator> make_dns_account_01_validator(dns::Resolver& resolver) { return make_txt_validator(resolver, &owner); }

}  // namespace postern::validation

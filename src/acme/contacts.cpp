#include "acme/contacts.hpp"

#include <algorithm>

#include "core/http/message.hpp"
#include "core/json/writer.hpp"

namespace postern::acme {

namespace {

constexpr std::size_t contacts_limit = 5;
constexpr std::size_t address_limit = 254;  // RFC 5321 §4.5.3.1.3 less the brackets

Error invalid(std::string_view url, std::string_view why) {
    return {ErrorType::invalid_contact, "contact \"" + std::string(url.substr(0, 100)) + "\": " + std::string(why)};
}

bool printable(char c) { return c > ' ' && c < 0x7f; }
bool domain_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}
bool scheme_is_mailto(std::string_view url) {
    constexpr std::string_view scheme = "mailto:";
    return url.size() >= scheme.size() && std::equal(scheme.begin(), scheme.end(), url.begin(), [](char a, char b) {
               return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
           });
}

}  // namespace

Result<void> check_contact(std::string_view url) {
    if (!scheme_is_mailto(url))
        return Error(ErrorType::unsupported_contact,
                     "contact \"" + std::string(url.substr(0, 100)) + "\": only mailto: URLs are supported");
    const std::string_view encoded = url.substr(7);
    if (encoded.find('?') != encoded.npos) return invalid(url, "header fields after '?' are not allowed (RFC 8555 section 7.3)");
    // Decoded first, so that %0D%0A, %2C and %3F are seen for what they are.
    const auto address = http::percent_decode(encoded);
    if (!address) return invalid(url, "the percent encoding is broken");
    if (address->find(',') != address->npos) return invalid(url, "one address a contact, no lists (RFC 8555 section 7.3)");
    if (!std::ranges::all_of(*address, printable)) return invalid(url, "the address must be printable ASCII without spaces");
    if (address->size() > address_limit) return invalid(url, "the address is longer than 254 characters");
    const auto at = address->find('@');
    if (at == address->npos || at == 0 || at + 1 == address->size() || address->find('@', at + 1) != address->npos)
        return invalid(url, "an address is local-part@domain");
    if (address->find_first_of("?<>()[]\\;:\"") != address->npos) return invalid(url, "the address has a character that mail addresses do not");
    const std::string_view domain = std::string_view(*address).substr(at + 1);
    if (!std::ranges::all_of(domain, domain_char) || domain.front() == '.' || domain.back() == '.' ||
        domain.find("..") != domain.npos)
        return invalid(url, "the domain of the address is not a host name");
    return {};
}

Result<std::string> read_contacts(const json::Value& list) {
    json::Writer w;
    w.begin_array();
    if (list.exists() && !list.is_array()) return Error(ErrorType::malformed, "the payload: " + list.problem("expected an array of URLs").detail);
    const auto items = list.items();
    if (items.size() > contacts_limit)
        return Error(ErrorType::invalid_contact, "at most " + std::to_string(contacts_limit) + " contacts are kept; " +
                                                     std::to_string(items.size()) + " were sent");
    for (const auto& item : items) {
        const auto url = item.string();
        if (!url) return Error(ErrorType::malformed, "the payload: " + url.error().detail);
        if (const auto good = check_contact(*url); !good) return good.error();
        w.string(*url);
    }
    w.end_array();
    return w.take();
}

}  // namespace postern::acme

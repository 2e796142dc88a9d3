// crypto::der and what is read with it: an element has one encoding, and what is read out of it
// writes back to it.
#include "core/crypto/der.hpp"

#include <algorithm>

#include "core/crypto/directory_string.hpp"
#include "core/crypto/extensions.hpp"
#include "core/crypto/name.hpp"
#include "core/json/escape.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

namespace der = crypto::der;

bool is_utf8(std::string_view text) {
    // The writer replaces what is no UTF-8 and escapes the rest reversibly.
    std::string escaped;
    json::append_escaped(escaped, text);
    return text.find("\xEF\xBF\xBD") != text.npos || escaped.find("\xEF\xBF\xBD") == escaped.npos;
}

void check_values(const der::Element& e) {
    if (e.tag == der::oid) {
        const std::string dotted = der::oid_text(e.content);
        require(dotted.empty() || der::oid_content(dotted) == core::to_bytes(e.content), "an object identifier has one encoding");
    }
    if (e.tag == der::integer) {
        const auto magnitude = der::unsigned_magnitude(e);
        require(!magnitude || der::Writer().unsigned_integer(*magnitude).bytes() == core::to_bytes(e.whole), "a positive INTEGER has one encoding");
        require(!magnitude || !magnitude->empty(), "an INTEGER has octets");
    }
    if (e.tag == der::bit_string) {
        const auto octets = der::whole_octets(e);
        require(!octets || der::Writer().bits(*octets).bytes() == core::to_bytes(e.whole), "a BIT STRING of whole octets has one encoding");
    }
    if (e.tag == der::boolean) {
        const auto value = der::read_boolean(e);
        require(!value || !*value || der::Writer().boolean_true().bytes() == core::to_bytes(e.whole), "TRUE has one encoding");
    }
    const auto time = der::read_time(e);
    require(!time || e.tag == der::utc_time || e.tag == der::generalized_time, "a time has a time's tag");
    // RFC 5280 §4.1.2.5 has one form for each year from 1950 on; older readers wrote others.
    const bool late = time && *time >= core::TimePoint{std::chrono::sys_days{std::chrono::year{2050} / 1 / 1}};
    if (time && late == (e.tag == der::generalized_time))
        require(der::Writer().time(*time).bytes() == core::to_bytes(e.whole), "a time writes back to what it was read from");
    const auto text = crypto::directory_string(e);
    require(!text || (text->find('\0') == std::string::npos && is_utf8(*text)), "text is UTF-8 without a NUL");
}

/// How many elements; the depth is bounded by the input's size and by this.
std::size_t walk(core::BytesView bytes, unsigned depth) {
    std::size_t count = 0;
    der::Reader reader(bytes);
    const std::uint8_t* at = bytes.data();
    while (!reader.empty()) {
        const auto element = reader.next();
        if (!element) return count;
        ++count;
        require(element->whole.data() == at, "elements follow each other");
        at += element->whole.size();
        require(at <= bytes.data() + bytes.size(), "an element lies inside what it was read from");
        require(element->content.data() + element->content.size() == at, "the content is the element's end");
        require(element->whole[0] == element->tag, "the tag is the first octet");
        require(der::Writer().primitive(element->tag, element->content).bytes() == core::to_bytes(element->whole), "a length has one encoding");
        check_values(*element);
        if ((element->tag & 0x20U) != 0 && depth > 0) count += walk(element->content, depth - 1);
    }
    require(at == bytes.data() + bytes.size(), "a reader is empty at the end");
    return count;
}

bool check_names(core::BytesView bytes) {
    const auto name = crypto::DistinguishedName::parse(bytes);
    if (name) {
        const auto again = crypto::DistinguishedName::parse(name->to_der());
        require(again && again->to_text() == name->to_text() && again->entries.size() == name->entries.size(), "a name writes back to the same name");
        require(!again->multi_valued, "names are written with one attribute an RDN");
        require(name->entries.size() <= 64, "a name has at most 64 attributes");
        require(std::ranges::none_of(name->entries, [](const auto& e) { return e.value.empty(); }), "no attribute is empty");
    }
    const auto general = crypto::parse_general_names(bytes);
    if (general) {
        require(crypto::general_names_der(*general) == core::to_bytes(bytes), "general names write back to what they were read from");
        for (const auto& n : *general) {
            require(std::ranges::all_of(n.value, [](char c) { return c >= 0x20 && c < 0x7f; }), "a general name is printable ASCII");
            require(n.type != crypto::GeneralNameType::ip || crypto::canonical_ip(n.value) == n.value, "an address is in canonical text");
        }
    }
    return name || general;
}

bool check_extensions(core::BytesView bytes) {
    const auto extensions = crypto::read_extensions(bytes);
    if (!extensions) return false;
    require(!extensions->empty() && extensions->size() <= 64, "there are 1 to 64 extensions");
    for (std::size_t i = 0; i < extensions->size(); ++i) {
        const auto& e = (*extensions)[i];
        require(e.value.data() >= bytes.data() && e.value.data() + e.value.size() <= bytes.data() + bytes.size(), "an extension lies inside its list");
        for (std::size_t k = 0; k < i; ++k) require((*extensions)[k].oid != e.oid, "no extension is there twice");
        (void)crypto::asks_status_request(e.value);
    }
    return true;
}

}  // namespace

Outcome der(core::BytesView input) {
    const std::size_t elements = walk(input, 32);
    const bool names = check_names(input);
    const bool extensions = check_extensions(input);
    return outcome(names || extensions || elements > 2);
}

}  // namespace postern::fuzz

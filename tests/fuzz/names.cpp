// crypto::parse_general_names: names come back octet by octet, their text is safe to show, and nothing that could be read
// as a security identifier of Windows passes for another URI.
#include <algorithm>

#include "core/crypto/directory_string.hpp"
#include "core/crypto/name.hpp"
#include "core/crypto/security_identifier.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

using crypto::GeneralNameType;

std::string capitals(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return text;
}

void check_identifier(const std::string& value) {
    const bool resembles = crypto::resembles_security_identifier(value);
    if (const auto identifier = crypto::security_identifier_in(value)) {
        require(resembles, "an identifier resembles one");
        require(crypto::is_security_identifier(*identifier), "what is taken is an identifier");
        require(std::string(crypto::security_identifier_uri_prefix).append(*identifier) == value, "and the URI holds nothing else");
        require(!crypto::security_identifier_in(capitals(value)) && !crypto::security_identifier_in(value + " "), "there is one spelling");
    }
    require(!resembles || crypto::resembles_security_identifier(capitals(value)), "capitals hide nothing");
    require(!resembles || crypto::resembles_security_identifier("a" + value + "a"), "nor does what stands around it");
}

void check_name(const crypto::GeneralName& name) {
    const auto text = crypto::to_text(name);
    require(!text.empty(), "every name has a text");
    if (name.type == GeneralNameType::other) {
        require(name.value.empty() && !name.der.empty(), "a name of another type is its DER");
        return;
    }
    require(!name.value.empty() && name.der.empty(), "a name of a known type is its value");
    const bool ascii = name.type != GeneralNameType::upn;
    require(std::ranges::all_of(name.value, [&](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && (!ascii || static_cast<unsigned char>(c) < 0x7f); }),
            "a name has no control characters, and but for a principal name only ASCII");
    crypto::der::Element element;
    element.tag = crypto::der::utf8_string;
    element.content = core::as_bytes(name.value);
    require(crypto::directory_string(element) == name.value, "a principal name is UTF-8");
    if (name.type == GeneralNameType::ip) require(crypto::canonical_ip(name.value) == name.value, "an address has one text");
    check_identifier(name.value);
}

}  // namespace

Outcome names(core::BytesView input) {
    const core::Bytes bytes = exact_copy(input);
    const auto parsed = crypto::parse_general_names(bytes);
    if (!parsed) {
        require(parsed.error().kind == core::ProblemKind::malformed && !parsed.error().detail.empty(), "a refusal says why");
        return Outcome::refused;
    }
    require(!parsed->empty(), "there is a name");
    require(crypto::general_names_der(*parsed) == bytes, "what was read is written octet by octet");
    for (const auto& name : *parsed) check_name(name);
    return Outcome::accepted;
}

}  // namespace postern::fuzz

#include "core/crypto/name.hpp"

#include <algorithm>
#include <array>

#include "core/base/encoding.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/directory_string.hpp"

namespace postern::crypto {
namespace {

using core::BytesView;
using core::Problem;
using core::ProblemKind;

struct Known {
    DnAttribute type;
    std::string_view oid;
    std::string_view name;
    std::uint8_t tag;  ///< how it is written
};
constexpr std::array<Known, 8> known_attributes{{
    {DnAttribute::common_name, "2.5.4.3", "CN", der::utf8_string},
    {DnAttribute::organization, "2.5.4.10", "O", der::utf8_string},
    {DnAttribute::organizational_unit, "2.5.4.11", "OU", der::utf8_string},
    {DnAttribute::country, "2.5.4.6", "C", der::printable_string},
    {DnAttribute::state, "2.5.4.8", "ST", der::utf8_string},
    {DnAttribute::locality, "2.5.4.7", "L", der::utf8_string},
    {DnAttribute::serial_number, "2.5.4.5", "serialNumber", der::printable_string},
    {DnAttribute::email, "1.2.840.113549.1.9.1", "E", der::ia5_string},
}};
constexpr std::string_view domain_component = "0.9.2342.19200300.100.1.25";  // IA5String by RFC 4519 §2.4
constexpr std::size_t most_rdns = 64;

Problem malformed(std::string detail) { return {ProblemKind::malformed, std::move(detail)}; }

const Known* known(DnAttribute type) {
    const auto* found = std::ranges::find(known_attributes, type, &Known::type);
    return found == known_attributes.end() ? nullptr : &*found;
}

std::string label(const DnEntry& entry) {
    const Known* k = known(entry.type);
    return k == nullptr ? entry.oid : std::string(k->name);
}

std::uint8_t string_tag(const DnEntry& entry) {
    const Known* k = known(entry.type);
    const std::uint8_t wanted = k != nullptr                     ? k->tag
                                : entry.oid == domain_component ? std::uint8_t{der::ia5_string}
                                                                : std::uint8_t{der::utf8_string};
    // Text that the narrow type cannot hold is still written truthfully; lints judge it.
    const bool ascii = std::ranges::all_of(entry.value, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (wanted == der::printable_string && !is_printable_string(entry.value)) return der::utf8_string;
    if (wanted == der::ia5_string && !ascii) return der::utf8_string;
    return wanted;
}

/// RFC 4514 §2.4.
std::string escaped(std::string_view value) {
    std::string out;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            out += '\\';
            out += core::hex(core::as_bytes(value.substr(i, 1)));
            continue;
        }
        const bool edge_space = c == ' ' && (i == 0 || i + 1 == value.size());
        if (edge_space || (c == '#' && i == 0) || std::string_view("\"+,;<>\\").find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
    return out;
}

bool is_legacy_text(std::uint8_t tag) { return tag == der::t61_string || tag == der::bmp_string; }

core::Result<DnEntry> read_entry(BytesView attribute, bool& legacy_text) {
    der::Reader fields(attribute);
    const auto oid = fields.next(der::oid);
    const auto value = fields.next();
    if (!oid || !value || !fields.empty()) return malformed("an attribute of the name is not an object identifier and a value");
    DnEntry entry;
    const std::string dotted = der::oid_text(oid->content);
    if (dotted.empty()) return malformed("an attribute of the name has a broken object identifier");
    const auto* found = std::ranges::find(known_attributes, dotted, &Known::oid);
    if (found != known_attributes.end())
        entry.type = found->type;
    else
        entry.oid = dotted;
    legacy_text = legacy_text || is_legacy_text(value->tag);
    auto text = directory_string(*value);
    if (!text)
        return malformed("the value of " + label(entry) +
                         " in the name cannot be read; use UTF8String or PrintableString without NUL characters");
    if (text->empty()) return malformed("the value of " + label(entry) + " in the name is empty; leave the attribute out");
    entry.value = std::move(*text);
    return entry;
}

}  // namespace

std::string_view short_name(DnAttribute a) noexcept {
    const Known* k = known(a);
    return k == nullptr ? std::string_view("other") : k->name;
}

core::Bytes DistinguishedName::to_der() const {
    der::Writer out;
    out.begin(der::sequence);
    for (const auto& entry : entries) {
        const Known* k = known(entry.type);
        out.begin(der::set).begin(der::sequence).oid(k == nullptr ? std::string_view(entry.oid) : k->oid);
        out.text(string_tag(entry), entry.value).end().end();
    }
    out.end();
    return out.take();
}

std::string DistinguishedName::to_text() const {
    std::string out;
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
        if (!out.empty()) out += ',';
        out += label(*entry) + '=' + escaped(entry->value);
    }
    return out;
}

std::vector<std::string> DistinguishedName::values(DnAttribute a) const {
    std::vector<std::string> out;
    for (const auto& entry : entries)
        if (entry.type == a) out.push_back(entry.value);
    return out;
}

core::Result<DistinguishedName> DistinguishedName::parse(BytesView der) {
    der::Reader outer(der);
    const auto sequence = outer.next(der::sequence);
    if (!sequence || !outer.empty()) return malformed("the name is not the DER of one sequence");
    DistinguishedName name;
    der::Reader rdns(sequence->content);
    while (!rdns.empty()) {
        const auto rdn = rdns.next(der::set);
        if (!rdn || rdn->content.empty()) return malformed("the name holds something that is no set of attributes");
        der::Reader attributes(rdn->content);
        for (std::size_t i = 0; !attributes.empty(); ++i) {
            if (i == 1) name.multi_valued = true;
            if (name.entries.size() == most_rdns)
                return malformed("the name has more than " + std::to_string(most_rdns) + " attributes");
            const auto attribute = attributes.next(der::sequence);
            if (!attribute) return malformed("the name holds something that is no attribute");
            auto entry = read_entry(attribute->content, name.legacy_text);
            if (!entry) return entry.error();
            name.entries.push_back(std::move(*entry));
        }
    }
    return name;
}

}  // namespace postern::crypto

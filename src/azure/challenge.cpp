#include "azure/challenge.hpp"

#include <array>
#include <optional>

#include "core/crypto/ber.hpp"

namespace postern::azure {

namespace {

namespace ber = crypto::ber;
namespace der = crypto::der;

/// pkcs7-signedData, 1.2.840.113549.1.7.2: the content of its OBJECT IDENTIFIER
constexpr std::array<std::uint8_t, 9> signed_data{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};

int sextet(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return -1;
}

/// As the most lenient reader takes it: what is no digit is passed over, and so are bits that fill no octet.
core::Bytes decoded(std::string_view text) {
    core::Bytes out;
    out.reserve(text.size() * 3 / 4);
    unsigned bits = 0, held = 0;
    for (const char c : text) {
        const int value = sextet(c);
        if (value < 0) continue;
        bits = (bits << 6 | static_cast<unsigned>(value)) & 0xffffU;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out.push_back(static_cast<std::uint8_t>(bits >> held & 0xffU));
    }
    return out;
}

/// What a CMS SignedData signs (RFC 5652 §5.1). Lengths, certificates and unsigned attributes around it are anybody's to
/// rewrite, and so are octets behind it.
std::optional<core::Bytes> signed_content(core::BytesView message) {
    const auto into = [](const std::optional<der::Element>& e) { return ber::Reader(e ? e->content : core::BytesView()); };
    auto info = into(ber::Reader(message).next(der::sequence));
    const auto type = info.next(der::oid);
    if (!type || !std::equal(type->content.begin(), type->content.end(), signed_data.begin(), signed_data.end())) return std::nullopt;
    auto fields = into(into(info.next(der::context_constructed(0))).next(der::sequence));
    if (!fields.next(der::integer) || !fields.next(der::set)) return std::nullopt;
    auto content = into(fields.next(der::sequence));
    if (!content.next(der::oid)) return std::nullopt;
    const auto octets = into(content.next(der::context_constructed(0))).next();
    auto out = octets ? ber::octets(*octets, der::octet_string) : std::nullopt;
    if (!out || out->empty()) return std::nullopt;
    return out;
}

}  // namespace

core::Bytes challenge_identity(std::string_view text) {
    auto octets = decoded(text);
    if (auto content = signed_content(octets)) return std::move(*content);
    if (octets.empty()) octets.assign(text.begin(), text.end());
    return octets;
}

}  // namespace postern::azure

#include "acme/certificate_id.hpp"

#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"

namespace postern::acme {

namespace {

/// Longer ones are nobody's: a key identifier is a digest, and a serial has twenty octets at most (RFC 5280 §4.1.2.2).
constexpr std::size_t most_octets = 64;
constexpr std::uint8_t high_bit = 0x80;

/// The magnitude that DER has these content octets for; empty where it has none.
core::Bytes magnitude(const core::Bytes& content) {
    if (content.front() >= high_bit) return {};
    if (content.front() != 0) return content;
    if (content.size() < 2 || content[1] < high_bit) return {};
    return {content.begin() + 1, content.end()};
}

}  // namespace

Result<CertificateId> parse_certificate_id(std::string_view text) {
    const auto dot = text.find('.');
    const auto key_id = core::from_base64url(text.substr(0, dot));
    const auto serial = core::from_base64url(dot == text.npos ? std::string_view() : text.substr(dot + 1));
    const auto good = [](const auto& part) { return part && !part->empty() && part->size() <= most_octets; };
    if (!good(key_id) || !good(serial))
        return Error(ErrorType::malformed, "a certificate identifier is base64url(authorityKeyIdentifier).base64url(serial) without padding (RFC 9773 section 4.1)");
    CertificateId id;
    id.key_id = *key_id;
    id.serial = *serial;
    return id;
}

core::Task<std::optional<store::CertificateRow>> find_certificate(Parts& parts, const Call& call, CertificateId id) {
    const core::Bytes serial = magnitude(id.serial);
    if (serial.empty()) co_return std::nullopt;
    auto by_serial = store::values(core::BytesView(serial));
    const auto rows = co_await parts.deps.db.read(store::certificate_by_serial, std::move(by_serial));
    for (const auto& raw : rows) {
        auto row = store::CertificateRow::from(raw);
        if (row.tenant != call.endpoint.tenant) continue;
        const auto certificate = crypto::Certificate::parse(row.der);
        if (certificate && certificate->authority_key_id() == id.key_id) co_return row;
    }
    co_return std::nullopt;
}

}  // namespace postern::acme

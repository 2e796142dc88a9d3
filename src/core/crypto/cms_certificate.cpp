#include "core/crypto/cms_certificate.hpp"

#include "core/crypto/der.hpp"
#include "core/crypto/extensions.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;

constexpr std::size_t longest_serial = 64;

Problem bad(std::string detail) { return {ProblemKind::malformed, "a certificate in the message cannot be read: " + std::move(detail)}; }

/// The bits of a keyUsage; nothing for what is none.
std::optional<unsigned> read_key_usage(BytesView value) {
    der::Reader outer(value);
    const auto bits = outer.next(der::bit_string);
    if (!bits || !outer.empty() || bits->content.empty() || bits->content.size() > 3) return std::nullopt;
    unsigned out = 0;
    for (std::size_t i = 1; i < bits->content.size(); ++i)
        for (unsigned bit = 0; bit < 8; ++bit)
            if ((bits->content[i] & (0x80U >> bit)) != 0) out |= 1U << ((i - 1) * 8 + bit);
    return out;
}

}  // namespace

core::Result<CmsCertificate> CmsCertificate::parse(BytesView der) {
    der::Reader outer(der);
    const auto whole = outer.next(der::sequence);
    if (!whole || !outer.empty() || !der::is_der(der)) return bad("it is not the DER of one certificate");
    der::Reader parts(whole->content);
    const auto tbs = parts.next(der::sequence);
    if (!tbs || !parts.next(der::sequence) || !parts.next(der::bit_string) || !parts.empty())
        return bad("it is not content, algorithm and signature");

    der::Reader fields(tbs->content);
    if (fields.peek() == der::context_constructed(0)) fields.next();  // version
    const auto serial = fields.next(der::integer);
    if (!serial || serial->content.size() > longest_serial) return bad("its serial number is no INTEGER of at most 64 octets");
    const auto algorithm = fields.next(der::sequence);
    const auto issuer = fields.next(der::sequence);
    const auto validity = fields.next(der::sequence);
    const auto subject = fields.next(der::sequence);
    const auto spki = fields.next(der::sequence);
    if (!algorithm || !issuer || !validity || !subject || !spki) return bad("issuer, subject or key are missing");

    CmsCertificate out;
    out.der_ = core::to_bytes(der);
    out.serial_ = core::to_bytes(serial->content);
    out.issuer_der_ = core::to_bytes(issuer->whole);
    out.subject_der_ = core::to_bytes(subject->whole);
    out.spki_ = core::to_bytes(spki->whole);
    while (!fields.empty()) {
        const auto field = fields.next();
        if (!field) return bad("what follows its key is broken");
        if (field->tag != der::context_constructed(3)) continue;  // the unique identifiers of version 2
        const auto extensions = read_extensions(field->content);
        if (!extensions) return bad(extensions.error().detail);
        for (const auto& extension : *extensions) {
            der::Reader value(extension.value);
            if (extension.oid == oid_subject_key_id) {
                const auto id = value.next(der::octet_string);
                if (!id || !value.empty()) return bad("subjectKeyIdentifier is not an OCTET STRING");
                out.subject_key_id_ = core::to_bytes(id->content);
            } else if (extension.oid == oid_key_usage) {
                const auto usage = read_key_usage(extension.value);
                if (!usage) return bad("keyUsage is not a BIT STRING");
                out.key_usage_ = *usage;
            }
        }
    }
    return out;
}

bool CmsCertificate::states(KeyUsageBit use) const noexcept { return (key_usage_ >> static_cast<unsigned>(use) & 1U) != 0; }

bool CmsIdentifier::names(const CmsCertificate& certificate) const {
    if (!subject_key_id.empty()) return subject_key_id == certificate.subject_key_id();
    if (serial.empty() || serial != certificate.serial()) return false;
    if (issuer_der == certificate.issuer_der()) return true;
    const auto wanted = DistinguishedName::parse(issuer_der);
    const auto found = DistinguishedName::parse(certificate.issuer_der());
    return wanted && found && !wanted->entries.empty() && wanted->to_text() == found->to_text();
}

}  // namespace postern::crypto

#include "validation/acme_certificate.hpp"

#include <algorithm>

#include "core/crypto/certificate.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/extensions.hpp"

namespace postern::validation {

using core::Problem;
using core::ProblemKind;
using core::Result;
namespace der = crypto::der;

namespace {

/// id-pe-acmeIdentifier (RFC 8737 §6.1). Drafts had another one, which proves nothing.
constexpr std::string_view oid_acme_identifier = "1.3.6.1.5.5.7.1.31";

Problem wrong(std::string detail) { return {ProblemKind::incorrect_response, "the certificate shown " + std::move(detail)}; }

/// The extensions of one that Certificate::parse took; none where it has none.
Result<std::vector<crypto::Extension>> extensions_of(const crypto::Certificate& certificate) {
    der::Reader outer(certificate.tbs());
    const auto tbs = outer.next(der::sequence);
    der::Reader fields(tbs ? tbs->content : core::BytesView());
    while (!fields.empty()) {
        const auto field = fields.next();
        if (!field) break;
        if (field->tag == der::context_constructed(3)) return crypto::read_extensions(field->content);
    }
    return std::vector<crypto::Extension>();
}

const crypto::Extension* find(const std::vector<crypto::Extension>& list, std::string_view oid) {
    const auto found = std::ranges::find(list, oid, &crypto::Extension::oid);
    return found == list.end() ? nullptr : &*found;
}

bool same_name(const crypto::GeneralName& name, const Question& question) {
    if (crypto::to_string(name.type) != question.identifier_type) return false;
    // DNS names are the same in any case (RFC 5280 §7.2); what was ordered is in lower case.
    return std::ranges::equal(name.value, question.identifier, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
}

Result<void> check_names(const std::vector<crypto::GeneralName>& names, const Question& question) {
    if (names.size() == 1 && same_name(names.front(), question)) return {};
    if (names.empty()) return wrong("has no alternative name; expected " + question.identifier + " alone");
    if (names.size() > 1) return wrong("has " + std::to_string(names.size()) + " alternative names; expected " + question.identifier + " alone");
    return wrong("is for another name; expected " + question.identifier);
}

Result<void> check_identifier(const crypto::Extension* extension, const Question& question) {
    if (extension == nullptr) return wrong("has no acmeIdentifier extension (" + std::string(oid_acme_identifier) + ")");
    if (!extension->critical) return wrong("has an acmeIdentifier extension that is not critical");
    der::Reader outer(extension->value);
    const auto digest = outer.next(der::octet_string);
    if (!digest || !outer.empty()) return wrong("has an acmeIdentifier extension that is not an OCTET STRING");
    const auto wanted = crypto::sha256(question.key_authorization);
    if (!std::ranges::equal(digest->content, wanted)) return wrong("has an acmeIdentifier extension that is not the SHA-256 of the key authorization");
    return {};
}

Result<void> check_self_signed(const crypto::Certificate& certificate) {
    if (certificate.issuer_der() != certificate.subject_der()) return wrong("is not self-signed: issuer and subject differ");
    const auto key = crypto::PublicKey::from_spki(certificate.spki(), crypto::KeyUse::csr);
    if (!key) return wrong("has a key that is not taken: " + key.error().detail);
    if (!certificate.signed_by(*key)) return wrong("is not self-signed: its own key did not make the signature");
    return {};
}

}  // namespace

Result<void> check_acme_certificate(core::BytesView octets, const Question& question) {
    const auto certificate = crypto::Certificate::parse(octets);
    if (!certificate) return wrong("cannot be read: " + certificate.error().detail);
    const auto extensions = extensions_of(*certificate);
    if (!extensions) return wrong("cannot be read: " + extensions.error().detail);
    if (auto names = check_names(certificate->alt_names(), question); !names) return names;
    if (auto identifier = check_identifier(find(*extensions, oid_acme_identifier), question); !identifier) return identifier;
    return check_self_signed(*certificate);
}

}  // namespace postern::validation

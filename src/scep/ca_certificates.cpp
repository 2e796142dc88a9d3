#include "scep/ca_certificates.hpp"

#include <algorithm>

#include "core/crypto/certificate.hpp"

namespace postern::scep {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;
using crypto::CmsCertificate;
using crypto::KeyUsageBit;

constexpr std::string_view one_certificate = "application/x-x509-ca-cert";
constexpr std::string_view several_certificates = "application/x-x509-ca-ra-cert";

Problem bad(std::string detail) { return {ProblemKind::bad_content, std::move(detail), "scep.chain"}; }

/// What of the issuers is sent.
std::span<const CmsCertificate> sent_of(std::span<const CmsCertificate> all, ChainForm form) {
    if (all.empty()) return all;
    switch (form) {
        case ChainForm::issuer: return all.first(1);
        // An issuing CA that is its own root is sent all the same: without it there is no issuer.
        case ChainForm::chain: return all.size() > 1 && all.back().self_issued() ? all.first(all.size() - 1) : all;
        case ChainForm::chain_and_root: return all;
    }
    return all;
}

bool issued_by(const CmsCertificate& certificate, const CmsCertificate& issuer) {
    if (certificate.issuer_der() != issuer.subject_der()) return false;
    const auto read = crypto::Certificate::parse(certificate.der());
    const auto key = crypto::PublicKey::from_spki(issuer.spki(), crypto::KeyUse::authority);
    return read && key && read->signed_by(*key);
}

std::span<const CmsCertificate> sent_issuers(const CaChain& chain, ChainForm form) { return sent_of(chain.issuers, form); }

std::optional<Problem> check_links(const std::vector<CmsCertificate>& issuers) {
    for (std::size_t i = 1; i < issuers.size(); ++i)
        if (!issued_by(issuers[i - 1], issuers[i])) return bad("the chain is broken: its certificates do not sign one another in this order");
    return std::nullopt;
}

/// Of whom messages are encrypted for; "the RA certificate" or "the issuing CA".
std::optional<Problem> check_recipient(const CmsCertificate& certificate, const std::string& name) {
    const auto key = crypto::PublicKey::from_spki(certificate.spki(), crypto::KeyUse::authority);
    if (!key || key->type() != crypto::KeyType::rsa)
        return bad(name + " has no RSA key of 2048 to 4096 bits, and SCEP clients encrypt for RSA alone");
    if (!certificate.states(KeyUsageBit::digital_signature) || !certificate.states(KeyUsageBit::key_encipherment))
        return bad(name + " does not state digitalSignature and keyEncipherment in its keyUsage; Apple's and Windows' clients would not use it");
    return std::nullopt;
}

}  // namespace

std::optional<Problem> check_chain(const CaChain& chain, ChainForm form) {
    if (chain.issuers.empty()) return bad("the chain has no issuing CA");
    for (const auto* issuers : {&chain.issuers, &chain.ra_issuers})
        if (auto problem = check_links(*issuers)) return problem;
    if (form == ChainForm::chain_and_root && !chain.issuers.back().self_issued()) return bad("the chain does not end in a root, which this chain form wants");
    if (chain.ra) {
        if (auto problem = check_recipient(*chain.ra, "the RA certificate")) return problem;
        const auto& own = chain.ra_issuers.empty() ? chain.issuers : chain.ra_issuers;
        if (!issued_by(*chain.ra, own.front())) return bad("the RA certificate was not issued by the CA that it is shown with");
        if (own.back().der() != chain.issuers.back().der())
            return bad("the RA certificate and those of the devices do not chain to the same root: Apple's clients (iOS, macOS) enroll nothing here, "
                       "for they want all chains to end in the same certificate, and strongSwan must be given both roots");
        return std::nullopt;
    }
    if (sent_issuers(chain, form).size() > 1)
        return bad("several certificates without an RA certificate: Apple's clients look for one among them and give up; use an RA certificate or the form `issuer`");
    return check_recipient(chain.issuers.front(), "the issuing CA");
}

CaCertificates ca_certificates(const CaChain& chain, ChainForm form) {
    std::vector<Bytes> sent;
    if (chain.ra) sent.push_back(chain.ra->der());
    for (const auto& issuer : sent_issuers(chain, form)) sent.push_back(issuer.der());
    for (const auto& issuer : sent_of(chain.ra_issuers, form))
        if (std::ranges::find(sent, issuer.der()) == sent.end()) sent.push_back(issuer.der());
    CaCertificates out;
    out.media_type = sent.size() == 1 ? one_certificate : several_certificates;
    out.body = sent.size() == 1 ? sent.front() : crypto::cms_certificates(sent);
    return out;
}

}  // namespace postern::scep

#include "tests/unit/scep/support.hpp"

#include "core/crypto/der.hpp"

namespace postern::test {
namespace der = crypto::der;

core::Bytes scep_file(std::string_view name) {
    return data_file("../scep/" + std::string(name));
}

crypto::CmsCertificate scep_certificate(std::string_view name) {
    return crypto::CmsCertificate::parse(scep_file(std::string(name) + ".der")).value();
}
crypto::CmsIdentity scep_identity(std::string_view name, std::string_view key) {
    const core::Bytes pem = scep_file(std::string(key) + ".key.pem");
    return {scep_certificate(name), crypto::PrivateKey::from_pem(core::as_text(pem)).value()};
}

const std::vector<crypto::CmsIdentity>& ra_keys() {
    static const std::vector<crypto::CmsIdentity> keys{scep_identity("ra", "ra"), scep_identity("ra-old", "ra-old")};
    return keys;
}
const crypto::CmsIdentity& ra() { return ra_keys()[0]; }
const crypto::CmsIdentity& old_ra() { return ra_keys()[1]; }
const crypto::CmsIdentity& device() {
    static const crypto::CmsIdentity identity = scep_identity("device", "device");
    return identity;
}
const crypto::CmsIdentity& issued_device() {
    static const crypto::CmsIdentity identity = scep_identity("device-issued", "device");
    return identity;
}
core::Random& randomness() {
    static crypto::SystemRandom random;
    return random;
}

scep::MessagePolicy legacy_policy() {
    scep::MessagePolicy policy;
    policy.digests.push_back(crypto::CmsDigest::sha1);
    policy.ciphers.push_back(crypto::CmsCipher::des_ede3_cbc);
    return policy;
}

crypto::CmsParty party_of(const crypto::CmsIdentity& identity) {
    crypto::CmsParty party;
    party.certificate = identity.certificate;
    party.key = identity.key.public_key();
    return party;
}

Letter::Letter() : content(scep_file("challenge-printable.csr")), signer(device()), recipient(party_of(ra())) {
    with(scep::oid_message_type, der::printable_string, "19");
    with(scep::oid_transaction_id, der::printable_string, "A1B2C3D4");
    with(scep::oid_sender_nonce, der::octet_string, "0123456789abcdef");
}
Letter& Letter::without(std::string_view oid) {
    std::erase_if(attributes, [oid](const crypto::CmsAttribute& each) { return each.oid == oid; });
    return *this;
}
Letter& Letter::with(std::string_view oid, std::uint8_t tag, std::string_view value) {
    attributes.emplace_back(std::string(oid), tag, core::as_bytes(value));
    return *this;
}
Letter& Letter::replace(std::string_view oid, std::uint8_t tag, std::string_view value) { return without(oid).with(oid, tag, value); }
core::Bytes Letter::build() const {
    const core::Bytes sealed = envelope ? *envelope : crypto::cms_envelope(content, recipient, cipher, randomness());
    return crypto::cms_sign(core::BytesView(sealed), attributes, signer, digest, more_certificates);
}

core::Result<scep::Request> verified(core::BytesView message, const scep::MessagePolicy& policy) {
    const auto received = scep::Received::read(message);
    if (!received) return received.error();
    return scep::Request::verify(*received, policy);
}
core::Result<scep::Opened> opened(core::BytesView message, scep::SignerStanding standing, const scep::MessagePolicy& policy, scep::OpenCause* cause) {
    const auto request = verified(message, policy);
    if (!request) return request.error();
    return scep::open(*request, ra_keys(), standing, policy, randomness(), cause);
}

}  // namespace postern::test

#pragma once
#include <chrono>
#include <string>

#include "core/crypto/certificate_template.hpp"
#include "core/crypto/cms_build.hpp"
#include "core/crypto/csr.hpp"
#include "core/crypto/der.hpp"
#include "scep/message.hpp"

/// A SCEP client's messages, for measurements.
namespace postern::bench {

inline crypto::DistinguishedName common_name(std::string name) {
    crypto::DistinguishedName out;
    out.entries.emplace_back(crypto::DnAttribute::common_name, std::move(name));
    return out;
}

/// A key with the certificate that a device, or a registration authority, makes for itself.
inline crypto::CmsIdentity self_signed(const crypto::PrivateKey& key, const std::string& name, core::Random& random) {
    crypto::CertificateShape shape;
    shape.algorithm = key.default_algorithm();
    shape.issuer_der = common_name(name).to_der();
    shape.key_usage = {crypto::KeyUsageBit::digital_signature, crypto::KeyUsageBit::key_encipherment};
    crypto::CertificateFields fields;
    fields.serial = random.bytes(16);
    fields.serial[0] = 1;
    fields.not_after = core::TimePoint(std::chrono::hours(24 * 365 * 100));
    fields.subject_der = shape.issuer_der;
    fields.spki = key.public_key().spki();
    fields.subject_key_id = key.public_key().key_identifier();
    const core::Bytes tbs = crypto::CertificateTemplate(shape).to_be_signed(fields);
    const core::Bytes der = crypto::assemble_signed(tbs, shape.algorithm, key.sign(shape.algorithm, tbs));
    return {crypto::CmsCertificate::parse(der).value(), key};
}

inline crypto::CmsParty party_of(const crypto::CmsIdentity& identity) {
    crypto::CmsParty party;
    party.certificate = identity.certificate;
    party.key = identity.key.public_key();
    return party;
}

/// A CSR with a challengePassword (RFC 2985 §5.4.1).
inline core::Bytes csr_with_challenge(const crypto::PrivateKey& key, const std::string& name, std::string_view challenge) {
    namespace der = crypto::der;
    der::Writer info;
    info.begin(der::sequence).small_integer(0).raw(common_name(name).to_der()).raw(key.public_key().spki());
    info.begin(der::context_constructed(0)).begin(der::sequence).oid("1.2.840.113549.1.9.7");
    info.begin(der::set).text(der::printable_string, challenge).end().end().end().end();
    const auto algorithm = key.default_algorithm();
    return crypto::assemble_signed(info.bytes(), algorithm, key.sign(algorithm, info.bytes()));
}

/// A PKCSReq around that envelope.
inline core::Bytes pkcs_req(core::BytesView envelope, const crypto::CmsIdentity& device, core::Random& random,
                            std::string_view transaction_id = "0123456789ABCDEF0123456789ABCDEF01234567") {
    namespace der = crypto::der;
    const std::vector<crypto::CmsAttribute> attributes{
        {std::string(scep::oid_message_type), der::printable_string, core::as_bytes("19")},
        {std::string(scep::oid_transaction_id), der::printable_string, core::as_bytes(transaction_id)},
        {std::string(scep::oid_sender_nonce), der::octet_string, random.bytes(16)}};
    return crypto::cms_sign(envelope, attributes, device, crypto::CmsDigest::sha256);
}

}  // namespace postern::bench

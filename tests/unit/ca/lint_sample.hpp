#pragma once
#include "core/crypto/der.hpp"
#include "tests/unit/ca/support.hpp"

namespace postern::test {

/// A good to-be-signed certificate, and the three things it is judged by.
struct Sample {
    Sample() : content(content_at(now, leaf_key())) {
        crypto::DistinguishedName name;
        name.entries.emplace_back(crypto::DnAttribute::common_name, "Test CA");
        issuer.subject_der = name.to_der();
        issuer.subject_key_id = core::Bytes(20, 0xaa);
        issuer.algorithm = crypto::SignatureAlgorithm::ecdsa_sha256;
        issuer.not_before = now - 24h * 365;
        issuer.not_after = now + 24h * 3650;
        shape.issuer_der = issuer.subject_der;
        shape.authority_key_id = issuer.subject_key_id;
        shape.ca_issuers_url = "http://pki.example.test/ca/aa.cer";
        shape.crl_url = "http://pki.example.test/crl/aa/0.crl";
        fields.serial = core::Bytes(16, 0x55);
    }
    /// The to-be-signed bytes of the content as it stands now, then of what was forced.
    [[nodiscard]] core::Bytes tbs() const {
        auto s = shape;
        if (s.key_usage.empty()) s.key_usage = content.key_usage;
        if (s.extended_key_usage.empty() && !no_eku) s.extended_key_usage = content.extended_key_usage;
        auto f = fields;
        if (f.not_before == core::TimePoint{}) f.not_before = content.not_before;
        if (f.not_after == core::TimePoint{}) f.not_after = content.not_after;
        if (f.subject_der.empty()) f.subject_der = content.subject.to_der();
        if (f.spki.empty()) f.spki = content.key.spki();
        if (f.subject_key_id.empty()) f.subject_key_id = content.key.key_identifier();
        if (f.alt_names.empty() && !no_names) f.alt_names = content.names;
        f.must_staple = f.must_staple || content.must_staple;
        return crypto::CertificateTemplate(s).to_be_signed(f);
    }
    [[nodiscard]] core::Result<void> lint() const { return lint(tbs()); }
    [[nodiscard]] core::Result<void> lint(const core::Bytes& bytes) const { return ca::lint_to_be_signed(bytes, content, issuer, now); }

    void client_only() {
        content.tls_server = false;
        content.extended_key_usage = {"1.3.6.1.5.5.7.3.2"};
    }

    core::TimePoint now = core::from_ms(1'800'000'000'000);
    ca::Content content;
    ca::IssuerFacts issuer;
    crypto::CertificateShape shape;
    crypto::CertificateFields fields;
    bool no_names = false, no_eku = false;
};

inline crypto::DistinguishedName named(std::vector<crypto::DnEntry> entries) {
    crypto::DistinguishedName out;
    out.entries = std::move(entries);
    return out;
}

/// Replaces the first occurrence of octets; lengths stay.
inline core::Bytes with(core::Bytes in, core::Bytes from, const core::Bytes& to) {
    const auto at = std::search(in.begin(), in.end(), from.begin(), from.end());
    BOOST_REQUIRE(at != in.end());
    std::copy(to.begin(), to.end(), at);
    return in;
}

}  // namespace postern::test

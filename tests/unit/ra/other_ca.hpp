#pragma once
#include "core/async/deadline.hpp"
#include "core/crypto/revocation_list.hpp"
#include "core/http/outbound.hpp"
#include "tests/unit/ra/world.hpp"

namespace postern::test {

/// A CA elsewhere.
struct OtherCa {
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
    crypto::DistinguishedName name = [] {
        crypto::DistinguishedName out;
        out.entries.emplace_back(crypto::DnAttribute::common_name, "Old CA");
        return out;
    }();

    [[nodiscard]] crypto::Certificate issue(const core::Bytes& serial, core::TimePoint now, bool ca, const crypto::PrivateKey& subject_key, const std::string& subject,
                                            std::vector<crypto::GeneralName> names = {}) const {
        crypto::CertificateShape shape;
        shape.algorithm = key.default_algorithm();
        shape.issuer_der = name.to_der();
        shape.authority_key_id = key.public_key().key_identifier();
        shape.ca = ca;
        shape.key_usage = {ca ? crypto::KeyUsageBit::key_cert_sign : crypto::KeyUsageBit::digital_signature};
        crypto::CertificateFields fields;
        fields.serial = serial;
        fields.not_before = now - std::chrono::hours(24);
        fields.not_after = now + std::chrono::hours(24 * 20);
        crypto::DistinguishedName dn;
        dn.entries.emplace_back(crypto::DnAttribute::common_name, subject);
        fields.subject_der = dn.to_der();
        fields.spki = subject_key.public_key().spki();
        fields.subject_key_id = subject_key.public_key().key_identifier();
        fields.alt_names = std::move(names);
        const auto tbs = crypto::CertificateTemplate(shape).to_be_signed(fields);
        return crypto::Certificate::parse(crypto::assemble_signed(tbs, shape.algorithm, key.sign(shape.algorithm, tbs))).value();
    }
    [[nodiscard]] core::Bytes crl(core::TimePoint now, std::int64_t number, const std::vector<core::Bytes>& serials, std::chrono::hours lasts = std::chrono::hours(24)) const {
        crypto::CrlFields f;
        f.algorithm = key.default_algorithm();
        f.issuer_der = name.to_der();
        f.authority_key_id = key.public_key().key_identifier();
        f.number = number;
        f.this_update = now;
        f.next_update = now + lasts;
        for (const auto& serial : serials) {
            crypto::CrlEntry entry;
            entry.serial = serial;
            entry.revoked = now;
            f.entries.push_back(entry);
        }
        const auto tbs = crypto::crl_to_be_signed(f);
        return crypto::assemble_signed(tbs, f.algorithm, key.sign(f.algorithm, tbs));
    }
};

/// The way to it: gives out what it is told to, and counts.
class ScriptedOutbound final : public http::Outbound {
public:
    core::Task<core::Result<http::Response>> exchange(http::OutboundRequest request, core::Deadline) override {
        ++asked;
        last = request;
        if (pause.count() > 0) co_await core::sleep_for(pause);
        if (!body) co_return core::Problem(core::ProblemKind::connection, "ca.example: nobody took the connection", "outbound.connect");
        http::Response answer(200, "application/pkix-crl", std::string(body->begin(), body->end()));
        co_return answer;
    }
    std::optional<core::Bytes> body;
    std::chrono::milliseconds pause{0};
    http::OutboundRequest last;
    int asked = 0;
};

}  // namespace postern::test

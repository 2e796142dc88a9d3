#include "core/crypto/revocation_list.hpp"

#include <boost/test/unit_test.hpp>

#include "core/crypto/der.hpp"

BOOST_AUTO_TEST_SUITE(crypto_revocation_list)

using namespace postern;
using crypto::RevocationList;

namespace {

const core::TimePoint now = core::from_ms(1'800'000'000'000);

struct Issuer {
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
    [[nodiscard]] crypto::CrlFields fields() const {
        crypto::CrlFields f;
        f.algorithm = key.default_algorithm();
        crypto::DistinguishedName name;
        name.entries.emplace_back(crypto::DnAttribute::common_name, "Test CA");
        f.issuer_der = name.to_der();
        f.authority_key_id = key.public_key().key_identifier();
        f.number = 300;
        f.this_update = now;
        f.next_update = now + std::chrono::hours(24);
        return f;
    }
    [[nodiscard]] core::Bytes sign(const crypto::CrlFields& f) const {
        const auto tbs = crypto::crl_to_be_signed(f);
        return crypto::assemble_signed(tbs, f.algorithm, key.sign(f.algorithm, tbs));
    }
};

void refused(const core::Bytes& der, std::string_view part) {
    const auto list = RevocationList::parse(der);
    BOOST_TEST_REQUIRE(!list.has_value());
    BOOST_TEST(list.error().detail.find(part) != std::string::npos, list.error().detail);
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_published_is_read_back) {
    const Issuer issuer;
    auto fields = issuer.fields();
    crypto::CrlEntry entry;
    entry.serial = core::Bytes(16, 0x81);
    entry.revoked = now - std::chrono::hours(1);
    fields.entries.push_back(entry);
    entry.serial = core::Bytes(2, 0x11);
    entry.reason = 4;
    fields.entries.push_back(entry);
    const auto list = RevocationList::parse(issuer.sign(fields)).value();
    BOOST_TEST(list.number() == 300);
    BOOST_TEST((list.this_update() == now));
    BOOST_TEST((list.issuer_der() == fields.issuer_der && list.authority_key_id() == fields.authority_key_id));
    BOOST_TEST_REQUIRE(list.entries().size() == 2U);
    BOOST_TEST((list.entries()[0].serial == core::Bytes(16, 0x81) && list.entries()[0].reason == 0U));
    BOOST_TEST((list.entries()[1].serial == core::Bytes(2, 0x11) && list.entries()[1].reason == 4U && list.entries()[1].revoked == entry.revoked));
    BOOST_TEST(list.signed_by(issuer.key.public_key()));
    const Issuer another;
    BOOST_TEST(!list.signed_by(another.key.public_key()));
    BOOST_TEST(RevocationList::parse(issuer.sign(issuer.fields())).value().entries().empty());
}

BOOST_AUTO_TEST_CASE(a_changed_list_has_no_good_signature) {
    const Issuer issuer;
    auto der = issuer.sign(issuer.fields());
    der[der.size() / 2] ^= 1;
    const auto list = RevocationList::parse(der);
    BOOST_TEST((!list || !list->signed_by(issuer.key.public_key())));
}

BOOST_AUTO_TEST_CASE(what_is_no_complete_list_is_refused) {
    const Issuer issuer;
    auto fields = issuer.fields();
    fields.distribution_point = "http://ca.example/crl/1.crl";
    refused(issuer.sign(fields), "the critical extension 2.5.29.28, so it is no complete CRL");
    refused({}, "it is not DER");
    refused(core::Bytes(10, 0x30), "it is not DER");
    auto der = issuer.sign(issuer.fields());
    der.push_back(0);
    refused(der, "bytes follow its end");
    for (std::size_t cut = 1; cut < der.size(); cut += 7) BOOST_TEST(!RevocationList::parse(core::BytesView(der).first(der.size() - 1 - cut)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

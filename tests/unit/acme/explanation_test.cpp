#include <boost/test/unit_test.hpp>

#include "ra/explanation.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/objects.hpp"
#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;

BOOST_AUTO_TEST_SUITE(acme_explanation)

namespace {

struct Issued {
    World world;
    Client client{world, "bound"};
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
    std::string order, authorization, challenge;
    store::CertificateRow certificate;

    static std::string token_of(std::string_view url) { return std::string(url.substr(url.rfind('/') + 1)); }

    Issued() {
        client.register_account(client.binding_payload("kid-web", world.mac_key));
        const auto made = client.new_order({"www.corp.example"});
        order = token_of(made.response.header("Location"));
        authorization = token_of(made.list("authorizations").at(0));
        challenge = token_of(client.challenge_url(made.list("authorizations").at(0)));
        client.validate(made);
        // A finalize that is refused, and one that is not.
        client.post(made.text("finalize"), Client::csr_payload(key, {"corp.example"}));
        client.post(made.text("finalize"), Client::csr_payload(key, {"www.corp.example"}));
        static constexpr store::Statement all{"test_certificates", "SELECT " POSTERN_CERTIFICATE_COLUMNS " FROM certificate"};
        certificate = store::CertificateRow::from(world.read(all).at(0));
    }
    core::Result<std::string> explain(std::string reference, std::optional<core::TenantId> tenant = {}) {
        auto by = ra::Principals::from_peer(0).value();
        by.tenant = tenant;
        return world.run(ra::explain(*world.db, by, std::move(reference)));
    }
    /// "order.created done, …" of what is explained.
    std::string actions(std::string reference) {
        const auto text = explain(std::move(reference));
        BOOST_TEST_REQUIRE(text.has_value(), (text ? "" : text.error().detail));
        const auto document = json::Document::parse(*text).value();
        std::string out;
        for (const auto& r : document.root()["records"].items())
            out += std::string(r["action"].string().value()) + " " + std::string(r["outcome"].string().value()) + "\n";
        return out;
    }
};

const std::string whole_order =
    "order.created done\nauthorization.valid done\nenrollment.refused refused\nenrollment.intent done\nenrollment.issued done\n";

}  // namespace

BOOST_AUTO_TEST_CASE(whatever_somebody_has_of_an_order_explains_all_of_it) {
    Issued w;
    for (const auto& reference : {w.order, w.authorization, w.challenge, w.certificate.token, core::hex(w.certificate.serial),
                                  std::to_string(w.certificate.id.get()), std::to_string(w.certificate.enrollment.get()), std::string("www.corp.example"),
                                  std::string("WWW.Corp.Example.")})
        BOOST_TEST_CONTEXT(reference) BOOST_TEST(w.actions(reference) == whole_order);
    std::string shouted;
    for (const char c : core::hex(w.certificate.serial)) {
        if (shouted.size() % 3 == 2) shouted += ':';
        shouted += static_cast<char>(std::toupper(c));
    }
    BOOST_TEST(w.actions(shouted) == whole_order);
}

BOOST_AUTO_TEST_CASE(an_account_is_explained_with_its_orders_and_refusals) {
    Issued w;
    w.client.new_order({"www.other.example"});
    Client stranger(w.world, "bound");
    stranger.register_account(stranger.binding_payload("kid-web", core::Bytes(32, 1)));
    const auto expected = "account.created done\n" + whole_order + "order.refused refused\n";
    BOOST_TEST(w.actions(Issued::token_of(w.client.kid)) == expected);
    for (const auto* reference : {"web", "acme/web"}) BOOST_TEST(w.actions(reference) == expected + "account.binding refused\n");
    BOOST_TEST(!w.explain("other/web").has_value());
}

BOOST_AUTO_TEST_CASE(a_refused_order_is_explained_by_its_name_alone) {
    Issued w;
    w.client.new_order({"www.other.example"});
    BOOST_TEST(w.actions("www.other.example") == "order.refused refused\n");
    const auto text = w.explain("www.other.example").value();
    BOOST_TEST(text.find(R"("check":"names.scope","input":"www.other.example","verdict":"refuse")") != std::string::npos);
    BOOST_TEST(text.find(R"("check":"tenant.active","input":"tenant acme","verdict":"pass")") != std::string::npos);
    // A part of a name is another name.
    BOOST_TEST(!w.explain("other.example").has_value());
}

BOOST_AUTO_TEST_CASE(attempts_to_validate_are_part_of_it_bounded_and_escaped) {
    Issued w;
    w.world.validator.failures["api.corp.example"] = core::Problem(core::ProblemKind::connection, "no answer\x1b[2J");
    w.world.validator.failures["api.corp.example"].detail.append(100'000, 'y');
    w.world.validator.steps.assign(200, "look-up " + std::string(2000, 'x') + "\x1b]0;");
    const auto made = w.client.new_order({"api.corp.example"});
    w.client.post(w.client.challenge_url(made.list("authorizations").at(0)), "{}");
    const auto text = w.explain("api.corp.example").value();
    BOOST_TEST(w.actions("api.corp.example") == "order.created done\nauthorization.invalid refused\n");
    BOOST_TEST(text.find('\x1b') == std::string::npos);
    BOOST_TEST(text.find("no answer\\u001b[2J") != std::string::npos);
    BOOST_TEST(text.find("and 136 more") != std::string::npos);
    BOOST_TEST(text.size() < 64U * 600U);
    const auto read = w.client.post(std::string(made.response.header("Location")), "");
    BOOST_TEST(read.response.body.find("[check validation.http-01, request ") != std::string::npos);
    BOOST_TEST(read.response.body.size() < 4000U);
    BOOST_TEST(w.client.post(made.list("authorizations").at(0), "").response.body.size() < 4000U);
}

BOOST_AUTO_TEST_CASE(an_attempt_that_says_nothing_is_on_record_too) {
    Issued w;
    w.world.validator.failures["api.corp.example"] = core::Problem(core::ProblemKind::unavailable, "the resolver is away");
    const auto made = w.client.new_order({"api.corp.example"});
    w.client.post(w.client.challenge_url(made.list("authorizations").at(0)), "{}");
    BOOST_TEST(w.actions("api.corp.example") == "order.created done\nauthorization.unanswered failed\n");
}

BOOST_AUTO_TEST_CASE(another_tenants_is_as_absent_as_none) {
    Issued w;
    for (const auto& reference : {w.order, w.authorization, w.certificate.token, core::hex(w.certificate.serial), std::string("www.corp.example"),
                                  std::string("web"), std::to_string(w.certificate.enrollment.get()), std::string("AAAAAAAAAAAAAAAAAAAAAA")})
        BOOST_TEST_CONTEXT(reference) {
            const auto none = w.explain(reference, core::TenantId(99));
            BOOST_TEST_REQUIRE(!none.has_value());
            BOOST_TEST(none.error().detail.starts_with("nothing is recorded under " + reference + "; give a request id"));
        }
    BOOST_TEST(w.explain(w.order, core::TenantId(11)).has_value());
}

/// Names are anybody's to order: what others did with one does not push out what this tenant did.
BOOST_AUTO_TEST_CASE(other_tenants_newer_orders_leave_room_for_ones_own) {
    Issued w;
    Client other(w.world, "open");
    other.register_account();
    for (int i = 0; i < 21; ++i) other.new_order({"www.corp.example"});
    const auto now = w.world.clock.now();
    w.world.write(store::tenant_insert, store::values(12, 12, "other", "active", 1, "{}", now, now, "test"));
    static constexpr store::Statement move{"test_move", "UPDATE account SET tenant_id = 12 WHERE name = 'everyone'"};
    w.world.write(move, {});
    const auto text = w.explain("www.corp.example", core::TenantId(11));
    BOOST_TEST_REQUIRE(text.has_value());
    BOOST_TEST(text->find("enrollment.issued") != std::string::npos);
}

/// An account's name is unique in its tenant only.
BOOST_AUTO_TEST_CASE(an_account_named_with_its_tenant_is_found_among_many_of_that_name) {
    Issued w;
    const auto now = w.world.clock.now();
    const auto sealed = core::Bytes(40, 1);
    for (int i = 1; i <= 20; ++i) {  // ids below this one's
        const int tenant = 100 + i, endpoint = 200 + i;
        const auto number = std::to_string(i);
        w.world.write(store::tenant_insert, store::values(tenant, tenant, "t" + number, "active", 1, "{}", now, now, "test"));
        w.world.write(store::endpoint_insert, store::values(endpoint, tenant, "e" + number, "active", 1, "{}", now, now, "test", "acme"));
        w.world.write(store::account_insert, store::values(i, tenant, "web", "active", 1, "{}", now, now, "test", endpoint, nullptr, nullptr, "eab",
                                                           "kid-" + number, sealed));
    }
    BOOST_TEST(w.actions("acme/web") == w.actions(Issued::token_of(w.client.kid)));
}

BOOST_AUTO_TEST_SUITE_END()

#include <boost/test/unit_test.hpp>

#include "acme/certificate_id.hpp"
#include "core/crypto/certificate.hpp"
#include "tests/unit/acme/at_once.hpp"

using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;

namespace {

struct Fixture {
    World world;
    Client client{world, "open"};
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
    Fixture() { client.register_account(); }

    crypto::Certificate issued(const std::vector<std::string>& names, std::string_view more = {}) {
        const auto order = client.new_order(names, more);
        client.validate(order);
        const auto done = client.post(order.text("finalize"), Client::csr_payload(key, names));
        const auto pem = client.post(done.text("certificate"), "").response.body;
        return crypto::Certificate::parse(crypto::from_pem("CERTIFICATE", pem)->at(0)).value();
    }
    /// Our serials have no high bit, so that their magnitude is their content.
    static std::string id_of(const crypto::Certificate& leaf) { return core::base64url(leaf.authority_key_id()) + "." + core::base64url(leaf.serial()); }
    Answer info(const std::string& id) { return Answer(world.get(client.path("renewal-info/" + id))); }
    static core::TimePoint end_of(const Answer& answer, std::string_view which) {
        return core::from_rfc3339(answer.document->root()["suggestedWindow"][which].string().value()).value();
    }
    Answer replacing(const std::string& id, const std::vector<std::string>& names) { return client.new_order(names, R"("replaces":")" + id + '"'); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_renewal, Fixture)

BOOST_AUTO_TEST_CASE(a_certificate_is_to_be_renewed_after_two_thirds_of_its_life_or_half_of_a_short_one) {
    for (const auto* more : {"", R"("profile":"short")"}) {
        const auto leaf = issued({"a.example"}, more);
        const auto answer = info(id_of(leaf));
        BOOST_TEST(answer.status == 200U);
        const auto life = leaf.not_after() - leaf.not_before();
        const auto from = end_of(answer, "start") - leaf.not_before();
        BOOST_TEST((std::chrono::abs(*more == '\0' ? from - life / 3 * 2 : from - life / 2) <= 1s));
        BOOST_TEST((end_of(answer, "end") > end_of(answer, "start") && end_of(answer, "end") < leaf.not_after()));
        BOOST_TEST(answer.response.header("Retry-After") == (*more == '\0' ? "21600" : "5039"));
        // For caches, so with nothing in it that is for one client.
        BOOST_TEST(answer.response.header("Cache-Control") == "public, max-age=3600");
        BOOST_TEST(answer.response.header("Replay-Nonce").empty());
        BOOST_TEST(answer.response.header("Access-Control-Allow-Origin") == "*");
    }
}

BOOST_AUTO_TEST_CASE(what_is_revoked_is_to_be_renewed_now) {
    const auto leaf = issued({"a.example"});
    client.post(client.url("revoke-cert"), R"({"certificate":")" + core::base64url(leaf.der()) + "\"}");
    const auto answer = info(id_of(leaf));
    BOOST_TEST((end_of(answer, "start") < end_of(answer, "end") && end_of(answer, "end") <= world.clock.now()));
}

BOOST_AUTO_TEST_CASE(an_identifier_of_bad_form_is_malformed_and_one_of_nobodys_not_found) {
    const auto leaf = issued({"a.example"});
    const auto key_id = core::base64url(leaf.authority_key_id()), serial = core::base64url(leaf.serial());
    for (const std::string& bad : {key_id + serial, key_id + "." + serial + ".AA", key_id + "." + serial + "=", std::string("."), key_id + ".", "." + serial, "%%." + serial,
                                   key_id + "." + std::string(100, 'A')})
        check_refused(info(bad), 400, "malformed", "RFC 9773 section 4.1");
    core::Bytes padded = leaf.serial(), negative = leaf.serial();
    padded.insert(padded.begin(), 0);
    negative.front() |= 0x80U;
    for (const auto& other : {padded, negative, core::Bytes(16, 1)})
        check_refused(info(key_id + "." + core::base64url(other)), 404, "malformed", "not issued here");
    check_refused(info(core::base64url(core::Bytes(20)) + "." + serial), 404, "malformed", "not issued here");
}

BOOST_AUTO_TEST_CASE(an_order_replaces_a_certificate_of_its_account_once) {
    const auto leaf = issued({"a.example", "b.example"});
    const auto id = id_of(leaf);
    const auto order = replacing(id, {"b.example", "c.example"});
    BOOST_TEST(order.status == 201U);
    BOOST_TEST(order.text("replaces") == id);
    BOOST_TEST(client.post(std::string(order.response.header("Location")), "").text("replaces") == id);
    check_refused(replacing(id, {"a.example"}), 409, "alreadyReplaced", "another order replaces this certificate");
    BOOST_TEST(world.count(count_orders) == 2);
}

BOOST_AUTO_TEST_CASE(what_may_not_be_replaced_is_refused) {
    const auto leaf = issued({"a.example"});
    const auto id = id_of(leaf);
    for (const auto* bad : {R"("x")", R"("")", "1", R"("AA.AA=")"})
        check_refused(client.new_order({"a.example"}, std::string("\"replaces\":") + bad), 400, "malformed", "replaces");
    check_refused(replacing(id, {"c.example"}), 400, "malformed", "none of the order's identifiers");
    const auto nobodys = replacing(core::base64url(leaf.authority_key_id()) + "." + core::base64url(core::Bytes(16, 1)), {"a.example"});
    check_refused(nobodys, 403, "unauthorized", "no certificate that this account ordered");
    Client other(world, "open");
    other.register_account();
    const auto foreign = other.new_order({"a.example"}, R"("replaces":")" + id + '"');
    check_refused(foreign, 403, "unauthorized", "no certificate that this account ordered");
    BOOST_TEST(world.count(count_orders) == 1);
}

BOOST_AUTO_TEST_CASE(a_certificate_can_be_replaced_again_when_the_order_became_invalid) {
    const auto id = id_of(issued({"a.example"}));
    // Deactivated, and expired: nobody ever writes that an order expired.
    const auto failed = replacing(id, {"a.example", "b.example"});
    client.post(failed.list("authorizations").at(1), R"({"status":"deactivated"})");
    BOOST_TEST(client.post(std::string(failed.response.header("Location")), "").text("status") == "invalid");
    BOOST_TEST(replacing(id, {"a.example"}).status == 201U);
    check_refused(replacing(id, {"a.example"}), 409, "alreadyReplaced", "");
    world.clock.advance(std::chrono::hours(24 * 8));
    BOOST_TEST(replacing(id, {"a.example"}).status == 201U);
    check_refused(replacing(id, {"a.example"}), 409, "alreadyReplaced", "");
}

BOOST_AUTO_TEST_CASE(of_many_orders_at_once_one_replaces) {
    const auto id = id_of(issued({"a.example"}));
    const auto replaced_once = [&] {
        std::vector<http::Request> requests;
        for (int i = 0; i < 32; ++i)
            requests.push_back(client.request(client.url("new-order"), R"({"identifiers":[{"type":"dns","value":"a.example"}],"replaces":")" + id + "\"}"));
        std::size_t made = 0;
        for (const auto& answer : all_at_once(world, std::move(requests))) {
            if (answer.status == 201U) ++made;
            else check_refused(answer, 409, "alreadyReplaced", "");
        }
        return made == 1U;
    };
    BOOST_TEST(replaced_once());
    world.clock.advance(std::chrono::hours(24 * 8));  // now one takes the place of the order that ended
    BOOST_TEST(replaced_once());
}

BOOST_AUTO_TEST_SUITE_END()

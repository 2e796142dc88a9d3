#include <boost/test/unit_test.hpp>

#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;

namespace {

struct Clocks {
    Clocks() { client.register_account(); }
    std::string location(const Answer& a) { return std::string(a.response.header("Location")); }
    void check_in_doubt(const Answer& answer) {
        check_refused(answer, 503, "rateLimited", "the server's clock is in doubt");
        BOOST_TEST(answer.text("detail").find("[check clock.agreement, request ") != std::string::npos);
        BOOST_TEST(answer.response.header("Retry-After") == "60");
    }
    World world;
    Client client{world, "open"};
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_clock, Clocks)

BOOST_AUTO_TEST_CASE(what_leads_to_a_certificate_waits_for_a_clock_in_agreement) {
    const auto ready = client.new_order({"a.example"});
    client.validate(ready);
    const auto pending = client.new_order({"b.example"});
    const auto challenge = client.challenge_url(pending.list("authorizations").at(0));
    const auto orders = world.count(count_orders);
    for (const std::chrono::milliseconds step : {std::chrono::milliseconds(1h), std::chrono::milliseconds(-1h), std::chrono::milliseconds(24h * 3652)}) {
        world.clock.step(step);
        check_in_doubt(client.new_order({"c.example"}));
        check_in_doubt(client.post(challenge, "{}"));
        check_in_doubt(client.post(ready.text("finalize"), Client::csr_payload(key, {"a.example"})));
        // Reading goes on.
        BOOST_TEST(client.post(client.kid, "").status == 200U);
        BOOST_TEST(client.post(location(pending), "").status == 200U);
        BOOST_TEST(world.count(count_orders) == orders);
        BOOST_TEST(world.count(count_enrollments) == 0);
        world.clock.step(-step);
    }
    BOOST_TEST(world.validator.asked.size() == 1U);
    BOOST_TEST(client.post(challenge, "{}").text("status") == "valid");
    BOOST_TEST(client.post(ready.text("finalize"), Client::csr_payload(key, {"a.example"})).text("status") == "valid");
}

BOOST_AUTO_TEST_CASE(a_proof_that_arrives_by_a_clock_in_doubt_is_not_stored) {
    const auto order = client.new_order({"a.example"});
    const auto challenge = client.challenge_url(order.list("authorizations").at(0));
    const auto others = world.tasks.size();
    world.validator.held = true;
    auto request = client.request(challenge, "{}");
    request.deadline = core::deadline_in(50ms);
    BOOST_TEST(Answer(world.send(std::move(request))).text("status") == "processing");
    world.clock.step(1h);
    world.validator.held = false;
    while (world.tasks.size() > others) world.io.run_one();
    BOOST_TEST(client.post(order.list("authorizations").at(0), "").text("status") == "pending");
    world.clock.step(-1h);
    BOOST_TEST(client.post(challenge, "{}").text("status") == "valid");  // asked anew
    BOOST_TEST(world.validator.asked.size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

#include "tests/unit/est/world.hpp"

using namespace postern;

namespace {

constexpr std::string_view site = R"([[tenant]]
name = "default"

[[profile]]
name = "device"
lifetime = "30d"
backend = "scripted"
extended_key_usage = ["clientAuth"]
common_name = "text"

[[endpoint]]
name = "keys"
protocol = "est"
profiles = ["device"]
server_keys = true

[[account]]
name = "factory"
endpoint = "keys"
method = "basic"
common_names = ["*"]
secret = {generate = true}
)";

struct Gateway : test::EstWorld {
    Gateway() : EstWorld(site) {}

    /// One request of the same device.
    core::Task<http::Response> ask_for_key() {
        Shown shown;
        shown.authorization = basic("factory", password.expose());
        return ask(est::serverkeygen, "keys", request_for("gateway-7"), std::move(shown));
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(est_serverkeygen)

BOOST_FIXTURE_TEST_CASE(of_two_that_are_alike_at_once_one_comes_again, Gateway) {
    BOOST_TEST(run(ask_for_key()).status == 200U);
    // While the first of them is about to revoke what was answered before, the second is answered.
    unsigned between = 0;
    db.hook_at = &store::certificate_revoke;
    db.hook = [&]() -> core::Task<void> {
        const auto answer = co_await ask_for_key();
        between = answer.status;
    };
    const auto answer = run(ask_for_key());
    BOOST_TEST(between == 200U);
}

BOOST_AUTO_TEST_SUITE_END()

#include "core/async/cpu_pool.hpp"
#include "est/parts.hpp"
#include "ra/refusals.hpp"
#include "tests/unit/ra/other_ca.hpp"
#include "tests/unit/ra/world.hpp"

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

/// The EST front end on a real store.
struct EstWorld : test::World {
    EstWorld() { password = std::move(apply(site).value().secrets.at(0).password); }

    /// One request of the same device, as the router would hand it on.
    core::Task<http::Response> ask() {
        crypto::DistinguishedName subject;
        subject.entries.emplace_back(crypto::DnAttribute::common_name, "gateway-7");
        http::Request request;
        request.method = http::Method::post;
        request.target = request.path = "/.well-known/est/keys/serverkeygen";
        request.headers.emplace_back("Content-Type", "application/pkcs10");
        request.headers.emplace_back("Authorization", "Basic " + core::base64(core::as_bytes("factory:" + password.expose())));
        request.body = core::base64(crypto::make_csr(leaf_key, subject, {}));
        request.id = random.request_id();
        request.deadline = core::deadline_in(std::chrono::seconds(60));
        const auto current = catalog.current();
        const auto* endpoint = current->endpoint(ra::Protocol::est, "keys");
        const est::Call call(request, current, *endpoint);
        co_return co_await est::serverkeygen(parts, call);
    }

    core::CpuPool pool{1, 16};
    test::ScriptedOutbound outbound;
    ra::PredecessorStatus predecessor_status{ra::PredecessorStatus::Deps{db, outbound, pool, random, clock, log, metrics}};
    est::Proxies proxies;
    ra::Refusals refusals{ra::Refusals::Deps{db, numbers, clock, log, metrics}};
    est::Parts parts{est::Deps{db, numbers, catalog, enrollment, backends, sealer, pool, random, clock, clock_agreement, log, metrics, predecessor_status, revocation, proxies, refusals}};
    core::SecretText password;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(est_serverkeygen)

BOOST_FIXTURE_TEST_CASE(of_two_that_are_alike_at_once_one_comes_again, EstWorld) {
    BOOST_TEST(run(ask()).status == 200U);
    // While the first of them is about to revoke what was answered before, the second is answered.
    unsigned between = 0;
    db.hook_at = &store::certificate_revoke;
    db.hook = [&]() -> core::Task<void> {
        const auto answer = co_await ask();
        between = answer.status;
    };
    const auto answer = run(ask());
    BOOST_TEST(between == 200U);
    BOOST_TEST(answer.status == 503U);
    BOOST_TEST(answer.body.starts_with("503 serverkeygen.repeated: the same request is being answered elsewhere; send one at a time"), answer.body);
    BOOST_TEST(answer.header("Retry-After") == "30");
    // The answer of the other one stands.
    const auto issued = certificates();
    BOOST_TEST_REQUIRE(issued.size() == 2U);
    BOOST_TEST(issued[0].revoked.has_value());
    BOOST_TEST(!issued[1].revoked.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

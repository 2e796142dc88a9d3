#include "tests/unit/api/rest.hpp"

/// Tokens for many EST devices at once.
BOOST_AUTO_TEST_SUITE(rest_token_batches)

using namespace postern;
using namespace postern::test;

namespace {

const std::string batch_documents = R"(
[[profile]]
name = "batch"
lifetime = "30d"
backend = "scripted"
keys = ["ec-p256", "rsa-2048"]
extended_key_usage = ["clientAuth"]
common_name = "text"

[[profile]]
name = "bound"
lifetime = "30d"
backend = "scripted"
keys = ["ec-p256"]
extended_key_usage = ["clientAuth"]
common_name = "text"
require_binding = true

[[endpoint]]
name = "batch"
protocol = "est"
profiles = ["batch", "bound"]

[[account]]
name = "line"
endpoint = "batch"
organization = "acme"
method = "one_time"
common_names = ["gateway-*"]
names = [".corp.example"]

[[endpoint]]
name = "vouched"
protocol = "est"
profiles = ["batch"]
credential = "certificate"

[[account]]
name = "vouched"
endpoint = "vouched"
organization = "acme"
method = "one_time"
common_names = ["gateway-*"]
)";

const std::string path = v1 + "est/batch/tokens/batch";

struct Batches : Rest {
    Batches() { apply(batch_documents).value(); }
    std::string minted() { return local(Method::get, v1 + "est/batch/tokens").body; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_enroller_mints_a_batch_and_is_told_where_to) {
    Batches w;
    const auto any = w.certificates().at(0).der;
    w.operations.chain = {any};
    const auto enroller = w.mint("line", ra::Role::enroller, w.tenant());
    const auto made = w.with(enroller, Method::post, path, R"({"ttl":"1h","devices":[{"subject":"CN=gateway-1","sans":["dns:g1.corp.example"]},{"subject":"CN=gateway-2"}]})");
    BOOST_TEST_REQUIRE(made.status == 201U, made.body);
    BOOST_TEST(made.header("Cache-Control") == "no-store");
    const auto document = parsed(made);
    const auto root = document.root();
    BOOST_TEST(root["url"].string().value() == "https://est.ra.test/.well-known/est/batch");
    BOOST_TEST(root["profile"].string().value() == "batch");
    BOOST_TEST(root["key"].string().value() == "ec-p256");
    BOOST_TEST(root["root"].string().value() == crypto::to_pem("CERTIFICATE", any));
    const auto tokens = root["tokens"].items();
    BOOST_TEST_REQUIRE(tokens.size() == 2U);
    BOOST_TEST(tokens[0]["token"].string().value() != tokens[1]["token"].string().value());
    for (const auto& each : tokens) BOOST_TEST(contains(w.minted(), each["id"].string().value()));
    for (const auto& each : tokens) BOOST_TEST(!contains(w.minted(), each["token"].string().value()));
    const auto keyed = w.with(enroller, Method::post, path, R"({"keyType":"rsa-3072","devices":[{"subject":"CN=gateway-3"}]})");
    BOOST_TEST(contains(keyed.body, R"("key":"rsa-3072")"), keyed.body);
}

BOOST_AUTO_TEST_CASE(who_may_not_mint_reads_why) {
    Batches w;
    const std::string body = R"({"devices":[{"subject":"CN=gateway-1"}]})";
    check_error(w.with(w.auditor, Method::post, path, body), 403, -3, "auditor is auditor; this needs officer");
    check_error(w.with(w.stranger, Method::post, path, body), 404, -102, "there is no EST endpoint batch");
    check_error(w.send(w.ask(Method::post, path, body)), 401, -16, "authenticate with a token");
    check_error(w.local(Method::post, v1 + "est/nowhere/tokens/batch", body), 404, -102, "there is no EST endpoint nowhere");
    check_error(w.local(Method::post, path, R"({"account":"none","devices":[{"subject":"CN=gateway-1"}]})"), 404, -102, "has no account of method one_time named none");
    BOOST_TEST(w.minted().empty());
}

BOOST_AUTO_TEST_CASE(one_bad_device_stops_the_batch) {
    Batches w;
    const auto ask = [&](const std::string& body) { return w.local(Method::post, path, body); };
    check_error(ask(R"({})"), 400, -7, "expected 1 to 5000 devices");
    check_error(ask(R"({"devices":[]})"), 400, -7, "expected 1 to 5000 devices");
    check_error(ask(R"({"devices":[{"subject":"CN=gateway-1"}],"unbound":true})"), 400, -7, "unknown member");
    check_error(ask(R"({"devices":[{"subject":"CN=gateway-1"}],"scripted":"yes"})"), 400, -7, "scripted");
    check_error(ask(R"({"devices":[{"subject":"CN=gateway-1"}],"ttl":"400d"})"), 400, -7, "account line gives at most 1d");
    const auto malformed = ask(R"({"devices":[{"subject":"CN=gateway-1"},{"subject":"gateway"},{"subject":"CN=gateway-2","serial":"2"}]})");
    check_error(malformed, 400, -7, "2 of 3 devices are refused, and no token was minted; device 2: ");
    const auto told = parsed(malformed);
    BOOST_TEST(told.root()["refusedDevices"].integer().value() == 2);
    BOOST_TEST_REQUIRE(told.root()["refused"].items().size() == 2U);
    BOOST_TEST(told.root()["refused"].items()[1]["index"].integer().value() == 2);
    BOOST_TEST(contains(told.root()["refused"].items()[1]["why"].string().value(), "unknown member"));
    const auto foreign = ask(R"({"devices":[{"subject":"CN=gateway-1"},{"subject":"CN=phone"}]})");
    check_error(foreign, 400, -1010, "1 of 2 devices are refused, and no token was minted; device 2: the common name is none that account line may ask for");
    BOOST_TEST(w.minted().empty());
}

BOOST_AUTO_TEST_CASE(what_a_script_cannot_do_is_refused_to_who_asks_for_one) {
    Batches w;
    const std::string devices = R"("devices":[{"subject":"CN=gateway-1"}]})";
    check_error(w.local(Method::post, path, R"({"profile":"bound","scripted":true,)" + devices), 409, -1112, "no script with curl can make");
    check_error(w.local(Method::post, v1 + "est/vouched/tokens/batch", R"({"scripted":true,)" + devices), 409, -1112, "endpoint vouched wants a client certificate");
    BOOST_TEST(w.local(Method::post, path, R"({"profile":"bound","scripted":false,)" + devices).status == 201U);
}

BOOST_AUTO_TEST_SUITE_END()

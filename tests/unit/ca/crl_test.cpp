#include <set>

#include "store/tables/authority.hpp"
#include "tests/unit/ca/support.hpp"

using namespace postern;
using namespace postern::test;

namespace {

std::string issuing_id(World& world) {
    for (const auto& row : world.read(store::authority_all))
        if (row.text(1) == "issuing") return row.text(0);
    throw std::runtime_error("no issuing CA");
}

ca::Revoked revoked(World& world, core::Bytes serial, unsigned reason = 0) {
    ca::Revoked out;
    out.issuer_key_id = issuing_id(world);
    out.serial = std::move(serial);
    out.at = world.clock.now();
    out.reason = reason;
    out.not_after = world.clock.now() + 24h * 90;
    return out;
}

core::Bytes serial_of(int n) {
    core::Bytes out(16, 0x11);
    out[14] = static_cast<std::uint8_t>(n >> 8);
    out[15] = static_cast<std::uint8_t>(n);
    return out;
}

void record(World& world, ca::BuiltinCa& ca, const ca::Revoked& what) {
    store::Batch batch;
    ca.record_revocation(batch, what);
    BOOST_TEST(world.write(std::move(batch)).has_value());
}

core::Result<void> publish(ca::BuiltinCa& ca, std::chrono::milliseconds within = 30s) {
    return core::run_to_end(ca.publish_revocations(core::deadline_in(within)));
}

/// The served CRL of the issuing CA, as the openssl command reads it.
std::string shown(World& world, ca::BuiltinCa& ca) {
    http::Router router;
    ca.add_routes(router);
    const auto path = write_file(world.folder.file("crl.der"), get(router, "/crl/" + issuing_id(world) + "/0.crl").body);
    const auto said = run("openssl crl -inform DER -noout -text -in " + path);
    BOOST_TEST(said.ok, said.text);
    return said.text;
}

std::int64_t number(World& world) {
    return world.read(store::crl_newest, store::values(issuing_id(world), 0)).at(0).integer(1);
}

core::TimePoint this_update(World& world) {
    return world.read(store::crl_newest, store::values(issuing_id(world), 0)).at(0).time(2);
}

/// A number after "key: " up to the end of the line.
std::set<std::string> serials_in(const std::string& text) {
    std::set<std::string> out;
    constexpr std::string_view key = "Serial Number: ";
    for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at + 1))
        out.insert(text.substr(at + key.size(), text.find('\n', at) - at - key.size()));
    return out;
}

core::Task<void> publish_many(ca::BuiltinCa& ca, int* left, bool* ok) {
    const auto published = co_await ca.publish_revocations(core::deadline_in(30s));
    *ok = *ok && published.has_value();
    --*left;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ca_crl)

BOOST_AUTO_TEST_CASE(a_crl_is_served_from_the_first_moment) {
    World world;
    const auto ca = world.open();
    const auto text = shown(world, *ca);
    BOOST_TEST(text.find("No Revoked Certificates") != std::string::npos, text);
    BOOST_TEST(text.find("X509v3 CRL Number: \n                1\n") != std::string::npos, text);
    BOOST_TEST(text.find("X509v3 Authority Key Identifier") != std::string::npos);
}

/// A restored database may lack revocations that clients have seen, and numbers that were used.
BOOST_AUTO_TEST_CASE(held_crls_are_neither_signed_nor_served_until_released_above_the_number_set) {
    World world;
    {
        const auto ca = world.open();
        BOOST_TEST(number(world) == 1);
    }
    world.clock.advance(24h * 30);
    auto config = world.config();
    config.hold_crls = true;
    const auto ca = world.open(config);
    ca->start();
    record(world, *ca, revoked(world, serial_of(1)));
    const auto published = publish(*ca);
    BOOST_TEST_REQUIRE(!published.has_value());
    BOOST_TEST(published.error().detail.find("no CRL is published until this restored installation is opened") != std::string::npos);
    http::Router router;
    ca->add_routes(router);
    const auto path = "/crl/" + issuing_id(world) + "/0.crl";
    BOOST_TEST(get(router, path).status == 503U);
    BOOST_TEST(get(router, path).header("Retry-After") == "300");
    BOOST_TEST(get(router, "/crl/0badcafe/0.crl").status == 404U);
    BOOST_TEST(number(world) == 1);

    store::Batch batch;
    batch.add(store::authority_use_crl_number, store::values(issuing_id(world), 1, 77));
    BOOST_TEST(world.write(std::move(batch)).has_value());
    BOOST_TEST(core::run_to_end(ca->release_crls(core::deadline_in(30s))).has_value());
    BOOST_TEST(number(world) == 78);
    BOOST_TEST(serials_in(shown(world, *ca)).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_published_revocation_is_listed_with_its_reason_and_refused_by_openssl) {
    World world;
    const auto ca = world.started();
    ca::Prepared prepared;
    const auto leaf = issue(*ca, content_at(world.clock.now(), leaf_key()), &prepared);
    record(world, *ca, revoked(world, prepared.serial, 1));
    BOOST_TEST(publish(*ca).has_value());
    const auto text = shown(world, *ca);
    std::string upper = core::hex(prepared.serial);
    std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(::toupper(c)); });
    BOOST_TEST(serials_in(text).contains(upper), text);
    BOOST_TEST(text.find("Key Compromise") != std::string::npos, text);

    http::Router router;
    ca->add_routes(router);
    const auto chain = write_file(world.folder.file("chain.pem"), get(router, "/ca/chain.pem").body);
    const auto crl = write_file(world.folder.file("crl.pem"),
                                crypto::to_pem("X509 CRL", core::as_bytes(get(router, "/crl/" + issuing_id(world) + "/0.crl").body)));
    const auto verified = run("openssl verify -crl_check -CAfile " + chain + world.at_time() + " -CRLfile " + crl + " " +
                              write_file(world.folder.file("leaf.pem"), crypto::to_pem("CERTIFICATE", leaf)));
    BOOST_TEST(!verified.ok);
    BOOST_TEST(verified.text.find("certificate revoked") != std::string::npos, verified.text);
}

BOOST_AUTO_TEST_CASE(the_crl_lists_the_exact_set_beyond_one_page) {
    World world;
    const auto ca = world.started();
    constexpr int count = 4321;
    store::Batch batch;
    for (int n = 0; n < count; ++n) ca->record_revocation(batch, revoked(world, serial_of(n)));
    BOOST_TEST(world.write(std::move(batch)).has_value());
    BOOST_TEST(publish(*ca).has_value());
    const auto listed = serials_in(shown(world, *ca));
    BOOST_TEST(listed.size() == static_cast<std::size_t>(count));
}

BOOST_AUTO_TEST_CASE(a_serial_once_listed_keeps_its_date_and_reason) {
    World world;
    const auto ca = world.started();
    record(world, *ca, revoked(world, serial_of(1), 1));
    record(world, *ca, revoked(world, serial_of(1), 4));
    BOOST_TEST(publish(*ca).has_value());
    const auto text = shown(world, *ca);
    BOOST_TEST(text.find("Key Compromise") != std::string::npos);
    BOOST_TEST(text.find("Superseded") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(numbers_rise_over_restarts_and_a_start_lists_what_was_not_published) {
    World world;
    {
        const auto ca = world.open();
        BOOST_TEST(number(world) == 1);
        record(world, *ca, revoked(world, serial_of(9)));  // recorded, and then the process died
    }
    const auto ca = world.started();
    BOOST_TEST(publish(*ca).has_value());
    BOOST_TEST(number(world) > 1);
    BOOST_TEST(serials_in(shown(world, *ca)).size() == 1U);
}

BOOST_AUTO_TEST_CASE(callers_that_come_together_share_few_crls) {
    World world;
    const auto ca = world.started();
    BOOST_TEST(publish(*ca).has_value());
    const auto before = number(world);
    int left = 200;
    bool ok = true;
    boost::asio::io_context context(1);
    for (int i = left; i > 0; --i) boost::asio::co_spawn(context, publish_many(*ca, &left, &ok), [](std::exception_ptr) {});
    context.run();
    BOOST_TEST(left == 0);
    BOOST_TEST(ok);
    BOOST_TEST(number(world) - before < 100);
    BOOST_TEST(number(world) > before);
}

BOOST_AUTO_TEST_CASE(half_of_the_lifetime_brings_a_new_crl) {
    World world;
    const auto ca = world.started();
    BOOST_TEST(publish(*ca).has_value());
    const auto before = number(world);
    world.clock.advance(84h + 1min);
    for (int i = 0; i < 300 && number(world) == before; ++i) std::this_thread::sleep_for(100ms);
    BOOST_TEST(number(world) > before);
}

BOOST_AUTO_TEST_CASE(a_stale_crl_is_signed_anew_before_a_start_ends) {
    World world;
    world.open();
    world.clock.advance(24h * 30);
    world.open();
    BOOST_TEST(number(world) == 2);
}

BOOST_AUTO_TEST_CASE(this_update_does_not_follow_the_clock_back_a_little) {
    World world;
    const auto ca = world.started();
    BOOST_TEST(publish(*ca).has_value());
    const auto before = number(world);
    const auto date = this_update(world);
    world.clock.step(-5min);
    BOOST_TEST(publish(*ca).has_value());
    BOOST_TEST(number(world) > before);
    BOOST_TEST((this_update(world) == date));
}

BOOST_AUTO_TEST_CASE(a_clock_that_had_run_ahead_leaves_no_crl_from_the_future) {
    World world;
    world.open();
    const auto before = number(world);
    const auto date = this_update(world);
    world.clock.step(-24h * 365);
    world.open();  // due at once
    BOOST_TEST(number(world) == before + 1);
    BOOST_TEST((this_update(world) == date - 24h * 365));
}

BOOST_AUTO_TEST_CASE(an_entry_leaves_only_after_a_crl_beyond_the_certificates_end) {
    World world;
    const auto ca = world.started();
    auto short_lived = revoked(world, serial_of(1));
    short_lived.not_after = world.clock.now() + 1h;
    record(world, *ca, short_lived);
    world.clock.advance(2h);
    BOOST_TEST(publish(*ca).has_value());
    BOOST_TEST(serials_in(shown(world, *ca)).size() == 1U);
    world.clock.advance(24h * 8);
    BOOST_TEST(publish(*ca).has_value());
    BOOST_TEST(serials_in(shown(world, *ca)).empty());
}

BOOST_AUTO_TEST_CASE(a_deadline_says_that_the_revocation_is_recorded) {
    World world;
    const auto ca = world.open();  // the signer does not run
    const auto published = publish(*ca, 50ms);
    BOOST_REQUIRE(!published);
    BOOST_TEST((published.error().kind == core::ProblemKind::unavailable));
    check_refused(published.error(), "the revocation is recorded, but the CRL");
    BOOST_TEST(published.error().retry_after.has_value());
}

BOOST_AUTO_TEST_CASE(another_nodes_number_is_never_used_again) {
    World world;
    const auto one = world.started();
    BOOST_TEST(publish(*one).has_value());
    const auto other = world.open();  // read the number that `one` goes past now
    BOOST_TEST(publish(*one).has_value());
    const auto before = number(world);
    other->start();
    BOOST_TEST(publish(*other).has_value());
    BOOST_TEST(number(world) > before);
}

BOOST_AUTO_TEST_CASE(what_no_crl_can_list_is_a_fault_of_the_caller) {
    World world;
    const auto ca = world.open();
    store::Batch batch;
    auto foreign = revoked(world, serial_of(1));
    foreign.issuer_key_id = "00ff";
    BOOST_CHECK_EXCEPTION(ca->record_revocation(batch, foreign), std::invalid_argument, says<std::invalid_argument>("none of this backend"));
    for (const unsigned reason : {6U, 7U, 8U, 11U})
        BOOST_CHECK_THROW(ca->record_revocation(batch, revoked(world, serial_of(1), reason)), std::invalid_argument);
    BOOST_CHECK_THROW(ca->record_revocation(batch, revoked(world, {})), std::invalid_argument);
    BOOST_TEST(batch.empty());
}

BOOST_AUTO_TEST_CASE(the_age_of_the_served_crl_is_a_metric) {
    World world;
    const auto ca = world.open();
    world.clock.advance(90s);
    const auto text = world.metrics.scrape();
    BOOST_TEST(text.find("postern_crl_age_seconds{authority=\"" + issuing_id(world) + "\"} 90") != std::string::npos, text);
    BOOST_TEST(text.find("postern_ca_signatures_total{authority=\"" + issuing_id(world) + "\",kind=\"crl\"} 1") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

#include "ca/builtin/ceremony.hpp"
#include "ca/builtin/crl_signer.hpp"
#include "ca/builtin/key_rows.hpp"
#include "core/async/deadline.hpp"
#include "core/crypto/revocation_list.hpp"
#include "store/tables/authority.hpp"
#include "store/tables/sealed_key.hpp"
#include "tests/unit/ca/support.hpp"

/// Several nodes on one database: what the built-in CA of each must agree on.
using namespace postern;
using namespace postern::test;

namespace {

struct Nodes : World {
    /// Each has a data folder of its own.
    ca::BuiltinConfig of(const std::string& node) {
        auto out = config();
        out.keys_folder = folder.file(node);
        out.keys_in_database = true;
        out.node = node;
        return out;
    }
    std::size_t rows(const store::Statement& statement) { return read(statement).size(); }
    static constexpr store::Statement all_keys{"test_keys", "SELECT name FROM sealed_key"};
};

std::string issuing_id(World& world) {
    for (const auto& row : world.read(store::authority_all))
        if (row.text(1) == "issuing") return row.text(0);
    throw std::runtime_error("no issuing CA");
}

core::Bytes served(World& world, ca::BuiltinCa& ca) {
    http::Router router;
    ca.add_routes(router);
    return core::to_bytes(core::as_bytes(get(router, "/crl/" + issuing_id(world) + "/0.crl").body));
}

void revoke(World& world, ca::BuiltinCa& ca, std::uint8_t last) {
    ca::Revoked what;
    what.issuer_key_id = issuing_id(world);
    what.serial = core::Bytes(16, last);
    what.at = world.clock.now();
    what.not_after = world.clock.now() + 24h * 90;
    store::Batch batch;
    ca.record_revocation(batch, what);
    BOOST_TEST(world.write(std::move(batch)).has_value());
    BOOST_TEST(core::run_to_end(ca.publish_revocations(core::deadline_in(30s))).has_value());
}

/// Each signs once at its start; afterwards only when it is asked to.
void start(ca::BuiltinCa& one, ca::BuiltinCa& two) {
    for (auto* node : {&one, &two}) {
        node->start();
        BOOST_TEST(core::run_to_end(node->publish_revocations(core::deadline_in(30s))).has_value());
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ca_nodes)

BOOST_AUTO_TEST_CASE(a_second_node_needs_the_database_and_the_master_key_alone) {
    Nodes world;
    const auto one = world.open(world.of("one"));
    const auto two = world.open(world.of("two"));
    BOOST_TEST((one->root_der() == two->root_der()));
    BOOST_TEST(world.rows(Nodes::all_keys) == 2U);
    BOOST_TEST((!std::filesystem::exists(world.folder.file("one")) && !std::filesystem::exists(world.folder.file("two"))));
    const auto leaf = crypto::Certificate::parse(issue(*two, content_at(world.clock.now(), leaf_key())));
    BOOST_TEST(core::hex(leaf->authority_key_id()) == issuing_id(world));
}

BOOST_AUTO_TEST_CASE(of_two_ceremonies_one_counts) {
    Nodes world;
    ca::KeyRows keys(*world.db, world.sealer, ca::KeyFiles(world.folder.file("one"), world.sealer), world.clock, true);
    const auto make = [&] {
        return std::make_shared<const ca::Hierarchy>(ca::make_hierarchy(world.config(), world.random, world.clock.now()));
    };
    const auto first = make(), second = make();
    BOOST_TEST(core::run_to_end(ca::record_hierarchy(first, keys, *world.db, world.clock.now())));
    BOOST_TEST(!core::run_to_end(ca::record_hierarchy(second, keys, *world.db, world.clock.now())));
    BOOST_TEST((world.rows(store::authority_all) == 2U && world.rows(Nodes::all_keys) == 2U));
    BOOST_TEST((world.open(world.of("two"))->root_der() == first->roots.front()->certificate.der()));
}

BOOST_AUTO_TEST_CASE(a_node_that_was_alone_brings_its_keys) {
    Nodes world;
    const auto alone = world.open();
    BOOST_TEST(world.rows(Nodes::all_keys) == 0U);
    // Whoever has no file cannot be the first.
    BOOST_CHECK_EXCEPTION(world.open(world.of("two")), std::runtime_error, says<std::runtime_error>("start the node that has the file first"));
    auto config = world.config();
    config.keys_in_database = true;
    world.open(config);
    BOOST_TEST(world.rows(Nodes::all_keys) == 2U);
    BOOST_TEST((world.open(world.of("two"))->root_der() == alone->root_der()));
    // And one that is alone again finds them.
    std::filesystem::remove_all(world.folder.file("keys"));
    BOOST_TEST((world.open()->root_der() == alone->root_der()));
}

BOOST_AUTO_TEST_CASE(a_row_under_another_master_key_stops_the_start) {
    Nodes world;
    world.open(world.of("one"));
    const crypto::Sealer other(core::SecretBytes(core::Bytes(32, 8)), world.random);
    ca::BuiltinCa::Deps deps{*world.db,    world.pool,  world.tasks, world.shards.executor(0), other,
                             world.random, world.clock, world.log,   world.metrics};
    BOOST_CHECK_EXCEPTION(core::run_to_end(ca::BuiltinCa::open(deps, world.of("two"), world.folder.file("root.pem"))),
                          std::runtime_error, says<std::runtime_error>("another master key"));
}

BOOST_AUTO_TEST_CASE(rows_that_changed_places_stop_the_start) {
    Nodes world;
    world.open(world.of("one"));
    const auto rows = world.read(store::Statement{"test_all", "SELECT name, sealed FROM sealed_key ORDER BY name"});
    constexpr store::Statement put{"test_put", "UPDATE sealed_key SET sealed = $2 WHERE name = $1"};
    BOOST_TEST(world.write(put, store::values(rows[0].text(0), rows[1].blob(1))).has_value());
    BOOST_TEST(world.write(put, store::values(rows[1].text(0), rows[0].blob(1))).has_value());
    BOOST_CHECK_EXCEPTION(world.open(world.of("two")), std::runtime_error, says<std::runtime_error>("does not open"));
}

BOOST_AUTO_TEST_CASE(numbers_rise_whoever_signs_and_the_other_follows) {
    Nodes world;
    const auto one = world.open(world.of("one"));
    const auto two = world.open(world.of("two"));
    start(*one, *two);
    const auto number = [&] { return world.read(store::crl_newest, store::values(issuing_id(world), 0)).at(0).integer(1); };
    std::int64_t last = number();
    for (std::uint8_t i = 1; i <= 6; ++i) {
        auto& who = i % 2 == 0 ? *one : *two;
        revoke(world, who, i);
        BOOST_TEST(number() > last);
        last = number();
        const auto shown = crypto::RevocationList::parse(served(world, who));
        BOOST_TEST_REQUIRE(shown.has_value());
        BOOST_TEST((shown->number() == last && shown->entries().size() == i));
    }
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (served(world, *one) != served(world, *two) && std::chrono::steady_clock::now() < end)
        core::run_to_end(core::sleep_for(10ms));
    BOOST_TEST((served(world, *one) == served(world, *two)));
}

BOOST_AUTO_TEST_CASE(a_crl_that_runs_out_is_renewed_once) {
    Nodes world;
    const auto one = world.open(world.of("one"));
    const auto two = world.open(world.of("two"));
    start(*one, *two);
    const auto number = [&] { return world.read(store::crl_newest, store::values(issuing_id(world), 0)).at(0).integer(1); };
    const auto before = number();
    world.clock.advance(24h * 4);
    const auto until = [&](auto holds) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (!holds() && std::chrono::steady_clock::now() < end) core::run_to_end(core::sleep_for(10ms));
        BOOST_TEST(holds());
    };
    until([&] { return number() > before; });
    until([&] { return served(world, *one) == served(world, *two); });
    BOOST_TEST(number() == before + 1);
}

namespace {

constexpr store::Statement go_back{"test_go_back", "UPDATE authority SET crl_number = $2 WHERE key_id = $1"};
constexpr store::Statement forget_crl{"test_forget_crl", "DELETE FROM crl WHERE key_id = $1"};

template <class Holds>
bool soon(Holds holds) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!holds() && std::chrono::steady_clock::now() < end) core::run_to_end(core::sleep_for(10ms));
    return holds();
}

/// As a node that was killed before its CRL round leaves it.
void revoke_and_die(World& world, ca::BuiltinCa& ca, std::uint8_t last, core::TimePoint not_after) {
    ca::Revoked what;
    what.issuer_key_id = issuing_id(world);
    what.serial = core::Bytes(16, last);
    what.at = world.clock.now();
    what.not_after = not_after;
    store::Batch batch;
    ca.record_revocation(batch, what);
    BOOST_TEST(world.write(std::move(batch)).has_value());
}

bool lists(World& world, ca::BuiltinCa& ca, std::uint8_t last) {
    const auto list = crypto::RevocationList::parse(served(world, ca));
    for (const auto& entry : list->entries())
        if (entry.serial == core::Bytes(16, last)) return true;
    return false;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_a_node_that_died_left_unlisted_is_listed_by_the_next_look) {
    Nodes world;
    const auto one = world.open(world.of("one"));
    const auto two = world.open(world.of("two"));
    start(*one, *two);
    revoke(world, *one, 1);
    BOOST_TEST(soon([&] { return lists(world, *two, 1); }));
    const auto number = [&] { return world.read(store::crl_newest, store::values(issuing_id(world), 0)).at(0).integer(1); };
    // Seen to have died: at once, whichever of the others holds the lease.
    revoke_and_die(world, *one, 2, world.clock.now() + 24h);
    two->look_for_unlisted();
    BOOST_TEST(soon([&] { return lists(world, *two, 2); }));
    // Nobody saw it: within a minute.
    revoke_and_die(world, *one, 3, world.clock.now() + 24h);
    world.clock.advance(61s);
    BOOST_TEST(soon([&] { return lists(world, *two, 3) && lists(world, *one, 3); }));
    // Where all is listed a look signs nothing, also when what was listed has expired meanwhile.
    const auto before = number();
    for (int i = 0; i < 3; ++i) {
        world.clock.advance(24h);
        two->look_for_unlisted();
        one->look_for_unlisted();
        core::run_to_end(core::sleep_for(1200ms));
    }
    BOOST_TEST(number() == before);
    revoke_and_die(world, *one, 4, world.clock.now() + 24h);
    world.clock.advance(61s);
    BOOST_TEST(soon([&] { return lists(world, *two, 4); }));
}

BOOST_AUTO_TEST_CASE(a_number_that_went_back_stops_the_signing_and_is_never_used_again) {
    Nodes world;
    const auto one = world.open(world.of("one"));
    const auto two = world.open(world.of("two"));
    start(*one, *two);
    for (std::uint8_t i = 1; i <= 3; ++i) revoke(world, *one, i);
    BOOST_TEST(soon([&] { return served(world, *one) == served(world, *two); }));
    const auto id = issuing_id(world);
    const auto number = [&] { return world.read(store::crl_newest, store::values(id, 0)).at(0).integer(0); };
    const auto published = number();
    const auto last = served(world, *one);
    BOOST_TEST((!one->lost_number() && !two->lost_number()));

    BOOST_TEST(world.write(go_back, store::values(id, published - 2)).has_value());
    BOOST_TEST(world.write(forget_crl, store::values(id)).has_value());
    BOOST_TEST(soon([&] { return one->lost_number() && two->lost_number(); }));
    BOOST_TEST((one->lost_number()->key_id == id && one->lost_number()->published == published && one->lost_number()->stored == published - 2));
    for (auto* node : {one.get(), two.get()}) {
        const auto refused = core::run_to_end(node->publish_revocations(core::deadline_in(5s)));
        BOOST_REQUIRE(!refused);
        BOOST_TEST(refused.error().detail.find("the database lost commits") != std::string::npos);
        BOOST_TEST((served(world, *node) == last));
    }
    BOOST_TEST(number() == published - 2);

    // Opened by somebody who says that no newer one is known: still no number is used twice.
    BOOST_TEST(core::run_to_end(one->release_crls(core::deadline_in(30s))).has_value());
    BOOST_TEST(number() > published);
    BOOST_TEST(core::run_to_end(two->release_crls(core::deadline_in(30s))).has_value());
    BOOST_TEST(soon([&] { return served(world, *one) == served(world, *two) && served(world, *one) != last; }));
    BOOST_TEST((!one->lost_number() && !two->lost_number()));
}

BOOST_AUTO_TEST_CASE(a_halt_holds_the_signing_and_serves_on) {
    Nodes world;
    const auto one = world.open(world.of("one"));
    one->start();
    revoke(world, *one, 1);
    const auto last = served(world, *one);
    one->halt_crls();
    const auto refused = core::run_to_end(one->publish_revocations(core::deadline_in(5s)));
    BOOST_TEST(!refused);
    BOOST_TEST((served(world, *one) == last));
    BOOST_TEST(core::run_to_end(one->release_crls(core::deadline_in(30s))).has_value());
    BOOST_TEST((served(world, *one) != last));
}

BOOST_AUTO_TEST_SUITE_END()

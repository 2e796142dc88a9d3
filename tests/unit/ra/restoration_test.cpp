#include "ra/restoration.hpp"

#include "store/tables/nonce.hpp"
#include "store/tables/setting.hpp"
#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(ra_restoration)

using namespace postern;
using namespace postern::test;
using Change = ra::Restoration::Change;

namespace {

/// A node's own view of a restored installation.
struct Node {
    explicit Node(World& w) : restoration(ra::Restoration::Deps{w.db, w.numbers, gate, w.clock, w.log}) {}
    ra::IssuingGate gate;
    ra::Restoration restoration;
};

void restore(World& w) {
    store::Batch batch;
    const auto closed = w.run(ra::close_restored(w.db, w.numbers, batch, w.clock.now() - 1h, w.clock.now()));
    BOOST_TEST(closed.principals.empty());
    BOOST_TEST(w.run(w.db.write(std::move(batch))).has_value());
}

ra::Principal somebody() {
    ra::Principal out;
    out.name = "somebody";
    out.actor = ra::Actor("local", "somebody");
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_node_follows_the_one_that_opens) {
    World w;
    restore(w);
    Node one(w), two(w);
    for (auto* node : {&one, &two}) {
        BOOST_TEST(w.run(node->restoration.load()));
        BOOST_TEST((node->gate.shut_by()->check == "restore.open"));
        BOOST_TEST((w.run(node->restoration.follow()) == Change::none));
    }
    BOOST_TEST(w.run(one.restoration.open({}, true, somebody(), core::RequestId("request000000001"))).has_value());
    BOOST_TEST((!one.gate.shut_by() && two.gate.shut_by()));
    BOOST_TEST((w.run(one.restoration.follow()) == Change::none));
    BOOST_TEST((w.run(two.restoration.follow()) == Change::opened));
    BOOST_TEST(!two.gate.shut_by());
    BOOST_TEST((w.run(two.restoration.follow()) == Change::none));  // told once
}

BOOST_AUTO_TEST_CASE(a_database_that_lost_commits_closes_every_node_until_it_is_opened) {
    World w;
    Node one(w), two(w);
    for (auto* node : {&one, &two}) {
        BOOST_TEST(!w.run(node->restoration.load()));
        BOOST_TEST((w.run(node->restoration.follow()) == Change::none));
    }
    w.run(one.restoration.close_lost("it knows number 12 of the CRLs of CA ab, and number 15 was published here"));
    w.run(two.restoration.close_lost("said later by another"));  // once
    for (auto* node : {&one, &two}) {
        BOOST_TEST((w.run(node->restoration.follow()) == Change::closed));
        BOOST_TEST((w.run(node->restoration.follow()) == Change::none));
        const auto shut = node->gate.shut_by();
        BOOST_REQUIRE(shut.has_value());
        BOOST_TEST(shut->check == "restore.open");
        BOOST_TEST(shut->why.find("lost commits") != std::string::npos);
        BOOST_TEST(shut->why.find("number 15 was published here. It failed over") != std::string::npos);
        BOOST_TEST(shut->why.find("postern restore open") != std::string::npos);
    }
    const auto audits = w.audits("installation.lost_commits");
    BOOST_REQUIRE(audits.size() == 1U);
    BOOST_TEST(audits[0].text(3).find("number 15") != std::string::npos);
    // A restart knows of it too.
    Node again(w);
    BOOST_TEST(w.run(again.restoration.load()));
    BOOST_TEST(again.gate.shut_by()->why.find("lost commits") != std::string::npos);
    BOOST_TEST(w.run(two.restoration.open({}, true, somebody(), core::RequestId("request000000002"))).has_value());
    BOOST_TEST((w.run(one.restoration.follow()) == Change::opened));
    BOOST_TEST((!one.gate.shut_by() && !two.gate.shut_by()));
    // And once more.
    w.run(one.restoration.close_lost("again"));
    BOOST_TEST((w.run(two.restoration.follow()) == Change::closed));
}

BOOST_AUTO_TEST_CASE(a_restored_store_forgets_no_nonce_that_was_used) {
    World w;
    const auto write = [&](const store::Statement& s, store::Values v) {
        store::Batch batch;
        batch.add(s, std::move(v));
        return w.run(w.db.write(std::move(batch))).has_value();
    };
    BOOST_TEST(write(store::nonce_epoch_begin, store::values(7)));
    BOOST_TEST(write(store::nonce_use, store::values(7, core::Bytes(16, 1), 1000)));
    restore(w);
    BOOST_TEST(!write(store::nonce_use, store::values(7, core::Bytes(16, 2), 1000)));
    BOOST_TEST(w.read(store::nonce_epoch_read).empty());
}

BOOST_AUTO_TEST_SUITE_END()

#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(ra_outbox)

using namespace postern;
using namespace postern::test;

namespace {

constexpr std::string_view kind = "certificate.issued";
constexpr store::Statement outbox_rows{"test_outbox_rows", "SELECT id, status, failures, due_ms, last_error, body FROM outbox ORDER BY id"};

/// With a sender, and one certificate that it has to tell of.
struct Announced : World {
    Announced() : World(true) {
        apply_standard();
        issue({"corp.example"});
        id = std::string(kind) + "/" + std::to_string(certificates().at(0).id.get());
    }
    std::size_t deliver() { return run(outbox.deliver(kind)); }
    store::Row only_row() {
        const auto rows = read(outbox_rows);
        BOOST_TEST_REQUIRE(rows.size() == 1U);
        return rows[0];
    }
    std::string id;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_certificate_is_told_of_once_it_is_issued) {
    Announced w;
    BOOST_TEST(w.sender->sent.empty());
    BOOST_TEST(w.only_row().text(0) == w.id);
    BOOST_TEST(w.deliver() == 1U);
    BOOST_TEST_REQUIRE(w.sender->sent.size() == 1U);
    const auto& message = w.sender->sent[0];
    BOOST_TEST((message.id == w.id && message.kind == kind && message.attempt == 1));
    BOOST_TEST(contains(message.body, "\"serial\":\"" + core::hex(w.certificates().at(0).serial) + "\""));
    BOOST_TEST(w.read(outbox_rows).empty());
    BOOST_TEST(w.deliver() == 0U);
    BOOST_TEST(w.sender->sent.size() == 1U);
    BOOST_TEST(contains(w.metrics.scrape(), "postern_outbox_delivered_total{kind=\"certificate.issued\"} 1"));
}

BOOST_AUTO_TEST_CASE(without_a_sender_nothing_is_written) {
    World w;
    w.apply_standard();
    w.issue({"corp.example"});
    BOOST_TEST(w.read(outbox_rows).empty());
    BOOST_TEST(w.run(w.outbox.deliver(kind)) == 0U);
    BOOST_TEST(w.read(store::Statement{"test_leases", "SELECT name FROM lease"}).empty());
}

BOOST_AUTO_TEST_CASE(an_outcome_that_did_not_happen_tells_nobody) {
    World w(true);
    w.apply_standard();
    w.db.away_at = &store::outbox_insert;
    BOOST_CHECK_THROW(w.submit(w.request({"corp.example"})), store::StoreUnavailable);
    BOOST_TEST(w.certificates().empty());
    w.db.away_at = nullptr;
    BOOST_TEST(w.run(w.sweeper.round()) == 1U);
    BOOST_TEST(w.read(outbox_rows).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_failure_is_tried_again_later_and_longer_each_time) {
    Announced w;
    w.sender->refusal = "the receiver is away";
    BOOST_TEST(w.deliver() == 0U);
    for (const auto wait : {1s, 2s, 4s}) {
        const auto row = w.only_row();
        BOOST_TEST((row.time(3) == w.clock.now() + wait));
        BOOST_TEST(row.text(4) == "the receiver is away");
        const auto tries = w.sender->sent.size();
        BOOST_TEST(w.deliver() == 0U);
        BOOST_TEST(w.sender->sent.size() == tries);  // not before its time
        w.clock.advance(wait);
        BOOST_TEST(w.deliver() == 0U);
        BOOST_TEST(w.sender->sent.size() == tries + 1);
        BOOST_TEST(w.sender->sent.back().id == w.id);
        BOOST_TEST(w.sender->sent.back().attempt == static_cast<std::int64_t>(tries) + 1);
    }
    BOOST_TEST(contains(w.metrics.scrape(), "postern_outbox_oldest_seconds{kind=\"certificate.issued\"} 7"));
    w.sender->refusal.clear();
    w.clock.advance(8s);
    BOOST_TEST(w.deliver() == 1U);
    BOOST_TEST(contains(w.metrics.scrape(), "postern_outbox_oldest_seconds{kind=\"certificate.issued\"} 0"));
}

BOOST_AUTO_TEST_CASE(after_so_many_failures_it_is_parked_with_an_alarm) {
    Announced w;
    w.sender->refusal = "the receiver is gone";
    const ra::OutboxLimits limits;
    for (std::int64_t i = 0; i < limits.failures; ++i) {
        BOOST_TEST(w.deliver() == 0U);
        w.clock.advance(limits.longest_pause);
    }
    BOOST_TEST(w.sender->sent.size() == static_cast<std::size_t>(limits.failures));
    const auto row = w.only_row();
    BOOST_TEST((row.text(1) == "parked" && row.integer(2) == limits.failures));
    BOOST_TEST(w.deliver() == 0U);
    BOOST_TEST(w.sender->sent.size() == static_cast<std::size_t>(limits.failures));
    BOOST_TEST(contains(w.metrics.scrape(), "postern_outbox_parked{kind=\"certificate.issued\"} 1"));
    std::ifstream log(w.folder.file("log"));
    const std::string text{std::istreambuf_iterator<char>(log), {}};
    BOOST_TEST(contains(text, "\"event\":\"outbox_parked\",\"message\":\"" + w.id));
}

BOOST_AUTO_TEST_CASE(a_message_that_was_sent_but_not_marked_is_sent_again_under_its_id) {
    Announced w;
    w.db.away_at = &store::outbox_delivered;
    BOOST_CHECK_THROW(w.deliver(), store::StoreUnavailable);
    w.db.away_at = nullptr;
    BOOST_TEST(w.deliver() == 0U);  // this node's until the row's lease ends
    w.clock.advance(ra::OutboxLimits().row_lease);
    BOOST_TEST(w.deliver() == 1U);
    BOOST_TEST_REQUIRE(w.sender->sent.size() == 2U);
    BOOST_TEST(w.sender->sent[0].id == w.sender->sent[1].id);
}

BOOST_AUTO_TEST_CASE(the_next_life_of_the_node_does_not_wait_for_the_rows_lease) {
    Announced w;
    w.db.away_at = &store::outbox_delivered;
    BOOST_CHECK_THROW(w.deliver(), store::StoreUnavailable);
    w.db.away_at = nullptr;
    ra::Senders senders;
    senders.add(std::string(kind), w.sender);
    ra::Outbox reborn(ra::Outbox::Deps{w.db, w.clock, w.log, w.metrics, w.tasks, "node-1"}, senders);
    BOOST_TEST(w.run(reborn.deliver(kind)) == 1U);
    BOOST_TEST(w.sender->sent.size() == 2U);
    // The life before it holds nothing any more.
    BOOST_TEST(w.deliver() == 0U);
    BOOST_TEST(w.read(outbox_rows).empty());
}

BOOST_AUTO_TEST_CASE(another_node_waits_for_the_lease_and_then_for_the_row) {
    Announced w;
    w.db.away_at = &store::outbox_delivered;
    BOOST_CHECK_THROW(w.deliver(), store::StoreUnavailable);
    w.db.away_at = nullptr;
    ra::Senders senders;
    senders.add(std::string(kind), w.sender);
    ra::Outbox other(ra::Outbox::Deps{w.db, w.clock, w.log, w.metrics, w.tasks, "node-2"}, senders);
    BOOST_TEST(w.run(other.deliver(kind)) == 0U);
    w.clock.advance(20s);  // the kind's lease is over, the row's is not
    BOOST_TEST(w.run(other.deliver(kind)) == 0U);
    BOOST_TEST(w.sender->sent.size() == 1U);
    w.clock.advance(ra::OutboxLimits().row_lease);
    BOOST_TEST(w.run(other.deliver(kind)) == 1U);
    BOOST_TEST(w.sender->sent.size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

#include "store/lease.hpp"
#include "store/tables/outbox.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using namespace std::chrono_literals;
using store::values;

void leases(Store& s) {
    core::FakeClock clock{now};
    store::Lease one(s.database(), clock, "work", "node-1", 15s);
    store::Lease two(s.database(), clock, "work", "node-2", 15s);
    store::Lease other(s.database(), clock, "other work", "node-2", 15s);
    const auto hold = [](store::Lease& lease) { return core::run_to_end(lease.hold()); };
    const auto guarded = [&](const store::Lease& lease) {
        store::Batch batch;
        lease.guard(batch);
        return core::run_to_end(s.database().write(std::move(batch))).has_value();
    };
    BOOST_TEST(hold(one));
    BOOST_TEST(one.fence() == 1);
    BOOST_TEST(!hold(two));
    BOOST_TEST(two.fence() == 0);
    BOOST_TEST(hold(other));
    BOOST_TEST((guarded(one) && !guarded(two)));

    // Kept by renewal, past its first end.
    clock.advance(10s);
    BOOST_TEST(hold(one));
    clock.advance(10s);
    BOOST_TEST(!hold(two));
    BOOST_TEST((hold(one) && one.fence() == 1));

    // A holder that went silent is overtaken, and what it still does is a conflict.
    clock.advance(16s);
    BOOST_TEST((hold(two) && two.fence() == 2));
    BOOST_TEST((!guarded(one) && guarded(two)));
    BOOST_TEST(!hold(one));
    BOOST_TEST(one.fence() == 0);
    BOOST_TEST(!hold(one));

    // The next life of a node takes back at once what its earlier one held, which it overtakes.
    store::Lease reborn(s.database(), clock, "work", "node-2", 15s);
    BOOST_TEST((hold(reborn) && reborn.fence() == 3));
    BOOST_TEST((!guarded(two) && guarded(reborn)));

    // A silent holder that nobody overtook goes on.
    clock.advance(60s);
    BOOST_TEST((hold(reborn) && reborn.fence() == 3));

    // With a clock that was set back it says so to the others.
    clock.advance(-10min);
    BOOST_TEST(hold(reborn));
    clock.advance(16s);
    BOOST_TEST(hold(one));

    // One whose clock is ahead, within what clocks may be apart, keeps it; what is beyond keeps nobody out.
    core::FakeClock ahead{clock.now() + store::Lease::tolerance}, wrong{clock.now() + 24h};
    store::Lease early(s.database(), ahead, "work", "node-3", 15s), lost(s.database(), wrong, "work", "node-4", 15s);
    BOOST_TEST((hold(early) && !hold(two) && !hold(two)));
    BOOST_TEST((hold(lost) && hold(two)));
    BOOST_TEST((!guarded(lost) && guarded(two)));
}

void outbox_messages(Store& s) {
    const auto due = [&](core::TimePoint at) { return s.read(store::outbox_due, values("kind", at, 10)); };
    s.does(store::outbox_insert, values("kind/1", "kind", "{}", now));
    s.does(store::outbox_insert, values("kind/2", "kind", "{}", later));
    s.does(store::outbox_insert, values("other/1", "other", "{}", now));
    s.duplicates(store::outbox_insert, values("kind/1", "kind", "{}", later));
    BOOST_TEST(due(now).size() == 1U);
    BOOST_TEST(due(later).size() == 2U);
    const auto first = store::OutboxRow::from(due(now).at(0));
    BOOST_TEST((first.id == "kind/1" && first.kind == "kind" && first.body == "{}"));
    BOOST_TEST((first.fence == 0 && first.failures == 0));
    BOOST_TEST((s.one(store::outbox_oldest, values("kind")).time(0) == now));

    // One claim a fence; what is claimed is nobody else's until its time is over.
    s.does(store::outbox_claim, values("kind/1", 0, "node-1", later));
    s.misses(store::outbox_claim, values("kind/1", 0, "node-2", later));
    BOOST_TEST(due(now).empty());
    s.any(store::outbox_reclaim, values("kind", "node-2", now));
    BOOST_TEST(due(now).empty());
    s.any(store::outbox_reclaim, values("kind", "node-1", now));
    BOOST_TEST(due(now).size() == 1U);
    s.does(store::outbox_claim, values("kind/1", 1, "node-2", later));
    s.misses(store::outbox_delivered, values("kind/1", 1));
    s.misses(store::outbox_failed, values("kind/1", 1, later, "no"));
    s.misses(store::outbox_park, values("kind/1", 1, "no"));

    // Failed: later again, and no longer in anybody's hands.
    s.does(store::outbox_failed, values("kind/1", 2, later, "no"));
    s.any(store::outbox_reclaim, values("kind", "node-2", now));
    BOOST_TEST(due(now).empty());
    std::int64_t failures = 0;  // both are due at one time, so in any order
    for (const auto& row : due(later)) failures += store::OutboxRow::from(row).failures;
    BOOST_TEST(failures == 1);
    BOOST_TEST(s.one(store::outbox_parked, values("kind")).integer(0) == 0);
    s.does(store::outbox_park, values("kind/1", 2, "no"));
    BOOST_TEST(s.one(store::outbox_parked, values("kind")).integer(0) == 1);
    BOOST_TEST(due(later).size() == 1U);
    BOOST_TEST((s.one(store::outbox_oldest, values("kind")).time(0) == later));

    // What is parked waits for a person.
    const auto page = s.read(store::outbox_page, values("", 10, "parked"));
    BOOST_TEST_REQUIRE(page.size() == 1U);
    const auto entry = store::OutboxEntry::from(page.at(0));
    BOOST_TEST((entry.id == "kind/1" && entry.kind == "kind" && entry.body == "{}" && entry.failures == 2));
    BOOST_TEST((entry.last_error == "no" && entry.created == now));
    BOOST_TEST(s.read(store::outbox_page, values("kind/1", 10, "parked")).empty());
    BOOST_TEST(s.read(store::outbox_page, values("", 1, "waiting")).size() == 1U);
    BOOST_TEST(store::OutboxEntry::from(s.one(store::outbox_parked_by_id, values("kind/1"))).id == "kind/1");
    BOOST_TEST(s.read(store::outbox_parked_by_id, values("kind/2")).empty());
    s.misses(store::outbox_retry, values("kind/2", now));
    s.misses(store::outbox_drop, values("kind/2"));
    s.does(store::outbox_retry, values("kind/1", now));
    s.misses(store::outbox_retry, values("kind/1", now));
    const auto again = store::OutboxRow::from(due(now).at(0));
    BOOST_TEST((again.id == "kind/1" && again.failures == 0));
    s.misses(store::outbox_drop, values("kind/1"));
    s.does(store::outbox_park, values("kind/1", 2, "no"));
    s.does(store::outbox_drop, values("kind/1"));
    BOOST_TEST(s.one(store::outbox_parked, values("kind")).integer(0) == 0);

    s.does(store::outbox_delivered, values("kind/2", 0));
    BOOST_TEST(s.read(store::outbox_oldest, values("kind")).empty());
}

}  // namespace postern::contract

#include "core/crypto/system_random.hpp"
#include "store/nodes.hpp"
#include "store/tables/nonce.hpp"
#include "store/tables/sealed_key.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using namespace std::chrono_literals;
using store::values;

void nodes(Store& s) {
    using Beat = store::NodeRegistry::Beat;
    core::FakeClock clock{now};
    crypto::SystemRandom random;
    const auto named = [](std::string name) {
        store::NodeRegistry::Self self;
        self.name = std::move(name);
        self.address = "https://" + self.name;
        self.version = "test";
        return self;
    };
    const auto end = [](core::Task<void> task) { core::run_to_end(std::move(task)); };
    store::NodeRegistry one(s.database(), clock, random, named("one"));
    store::NodeRegistry two(s.database(), clock, random, named("two"));
    end(one.join());
    end(two.join());
    end(one.observe());
    BOOST_TEST(one.own() != two.own());
    BOOST_TEST((!one.gone(one.own()) && !one.gone(two.own())));
    BOOST_TEST((one.gone(12) && !one.gone(std::nullopt)));

    // Silent through five looks; looks that follow at once count as one.
    const auto look = [&] {
        clock.advance(2s);
        for (int i = 0; i < 10; ++i) end(one.observe());
    };
    for (int i = 0; i < 4; ++i) look();
    BOOST_TEST(!one.gone(two.own()));
    BOOST_TEST((core::run_to_end(two.beat()) == Beat::alive));
    look();
    BOOST_TEST(!one.gone(two.own()));
    for (int i = 0; i < 4; ++i) look();
    BOOST_TEST(!one.gone(two.own()));
    look();
    BOOST_TEST(one.gone(two.own()));
    // It only slept.
    BOOST_TEST((core::run_to_end(two.beat()) == Beat::alive));
    look();
    BOOST_TEST(!one.gone(two.own()));

    // Whoever looks for the first time after a long sleep counts from then on.
    clock.advance(1h);
    end(one.observe());
    BOOST_TEST(!one.gone(two.own()));

    // A new life ends the earlier one at once, which learns of it.
    static_cast<void>(one.take_ended());
    store::NodeRegistry reborn(s.database(), clock, random, named("two"));
    end(reborn.join());
    end(one.observe());
    BOOST_TEST((one.gone(two.own()) && !one.gone(reborn.own()) && reborn.gone(two.own())));
    BOOST_TEST((one.take_ended() && !one.take_ended()));
    BOOST_TEST((core::run_to_end(two.beat()) == Beat::replaced && core::run_to_end(reborn.beat()) == Beat::alive));
    end(two.leave());  // not its row any more
    BOOST_TEST((core::run_to_end(reborn.beat()) == Beat::alive));
    // Once its taker has left, or is silent for long, it lives anew.
    const auto before = two.own();
    end(reborn.leave());
    end(one.observe());
    BOOST_TEST(one.gone(reborn.own()));
    BOOST_TEST((core::run_to_end(two.beat()) == Beat::reborn && two.own() != before));
    BOOST_TEST((core::run_to_end(two.beat()) == Beat::alive && core::run_to_end(reborn.beat()) == Beat::replaced));
    for (int i = 0; i < 7; ++i) {
        clock.advance(2s);
        end(reborn.observe());
    }
    BOOST_TEST((core::run_to_end(reborn.beat()) == Beat::reborn && core::run_to_end(two.beat()) == Beat::replaced));
    // Also where somebody took its row away.
    end(one.observe());
    static_cast<void>(one.take_ended());
    constexpr store::Statement forget{"test_forget_nodes", "DELETE FROM node"};
    s.any(forget, {});
    BOOST_TEST((core::run_to_end(reborn.beat()) == Beat::reborn && core::run_to_end(one.beat()) == Beat::reborn));
    end(one.observe());
    BOOST_TEST((!one.gone(one.own()) && !one.gone(reborn.own()) && one.take_ended()));
}

void nonces(Store& s) {
    const core::Bytes first(16, 1), second(16, 2);
    const auto epoch = [&] { return s.one(store::nonce_epoch_read).integer(0); };
    BOOST_TEST(s.read(store::nonce_epoch_read).empty());
    s.misses(store::nonce_use, values(7, first, 1000));
    s.does(store::nonce_epoch_begin, values(7));
    s.any(store::nonce_epoch_begin, values(8));
    BOOST_TEST(epoch() == 7);

    s.does(store::nonce_use, values(7, first, 1000));
    s.misses(store::nonce_use, values(7, first, 1000));
    s.misses(store::nonce_use, values(8, second, 1000));
    s.does(store::nonce_use, values(7, second, 1001));
    BOOST_TEST(s.one(store::nonce_oldest).integer(0) == 1000);

    // Refused before it is forgotten.
    s.misses(store::nonce_epoch_raise, values(8, 1001));
    s.does(store::nonce_epoch_raise, values(7, 1001));
    s.misses(store::nonce_epoch_raise, values(7, 1001));
    s.any(store::nonce_forget, values(1002, 0));
    BOOST_TEST(s.one(store::nonce_oldest).integer(0) == 1000);
    s.any(store::nonce_forget, values(1002, 1));
    BOOST_TEST(s.one(store::nonce_oldest).integer(0) == 1001);  // the oldest first
    s.any(store::nonce_forget, values(1001, 1000));
    BOOST_TEST(s.one(store::nonce_oldest).integer(0) == 1001);
    s.misses(store::nonce_use, values(7, first, 1000));
    s.misses(store::nonce_use, values(7, second, 1001));

    s.does(store::nonce_epoch_end, {});
    s.misses(store::nonce_use, values(7, first, 2000));
    s.does(store::nonce_epoch_begin, values(9));
    s.misses(store::nonce_use, values(7, first, 2000));
    s.does(store::nonce_use, values(9, first, 2000));
    s.misses(store::nonce_epoch_leave, values(7));
    s.does(store::nonce_epoch_leave, values(9));
    s.misses(store::nonce_use, values(9, second, 2000));
}

void sealed_keys(Store& s) {
    BOOST_TEST(s.read(store::sealed_key_get, values("0bad")).empty());
    s.does(store::sealed_key_insert, values("0bad", core::Bytes(60, 1), now));
    s.any(store::sealed_key_insert, values("0bad", core::Bytes(60, 2), now));
    s.misses(store::sealed_key_insert, values("0bad", core::Bytes(60, 2), now));
    BOOST_TEST((s.one(store::sealed_key_get, values("0bad")).blob(0) == core::Bytes(60, 1)));
}

}  // namespace postern::contract

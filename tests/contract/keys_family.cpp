#include "store/tables/audit.hpp"
#include "store/tables/blocked_key.hpp"
#include "store/tables/objects.hpp"
#include "store/tables/profile_pause.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using store::values;

void blocked_keys(Store& s) {
    const auto blocked = [](core::Bytes digest, std::string reason) {
        store::BlockedKeyRow row;
        row.digest = std::move(digest);
        row.reason = std::move(reason);
        row.source = "a list";
        row.audit = 9;
        row.created = now;
        return row;
    };
    const core::Bytes spki(32, 3), number(15, 2), modulus(10, 1), other(32, 4);
    s.does(store::blocked_key_insert, blocked(spki, "compromised").insert_values());
    s.does(store::blocked_key_insert, blocked(number, "debian").insert_values());
    s.does(store::blocked_key_insert, blocked(modulus, "debian").insert_values());
    // The first reason stays.
    s.any(store::blocked_key_insert, blocked(spki, "another").insert_values());
    s.misses(store::blocked_key_insert, blocked(spki, "another").insert_values());

    const auto find = [&](store::Values v) { return s.read(store::blocked_key_find, std::move(v)); };
    BOOST_TEST(find(values(other, other, nullptr, nullptr, nullptr, nullptr)).empty());
    const auto found = find(values(other, nullptr, nullptr, spki, number, modulus));
    BOOST_TEST_REQUIRE(found.size() == 3U);
    const auto spki_at = std::find_if(found.begin(), found.end(), [&](const auto& r) { return r.blob(0) == spki; });
    BOOST_TEST_REQUIRE((spki_at != found.end()));
    const auto row = store::BlockedKeyRow::from(*spki_at);
    BOOST_TEST((row.digest == spki && row.reason == "compromised" && row.source == "a list" && row.audit == 9 && row.created == now));

    s.does(store::blocked_key_none, values(other, other, nullptr, nullptr, nullptr, nullptr));
    s.misses(store::blocked_key_none, values(other, nullptr, nullptr, spki, number, modulus));

    const auto page = s.read(store::blocked_key_page, values(core::Bytes(), 2));
    BOOST_TEST_REQUIRE(page.size() == 2U);
    BOOST_TEST((page[0].blob(0) == modulus && page[1].blob(0) == number));
    BOOST_TEST(s.one(store::blocked_key_page, values(number, 2)).blob(0) == spki);

    s.does(store::blocked_key_remove, values(number));
    s.misses(store::blocked_key_remove, values(number));

    s.does(store::audit_insert, values(9, now, nullptr, "request-k", "principal", "robot", "key.blocked", "key", "", "done", "", "{}"));
    s.does(store::audit_import_guard, values(9, "key.blocked", "principal", "robot"));
    s.misses(store::audit_import_guard, values(9, "key.blocked", "principal", "other"));
    s.misses(store::audit_import_guard, values(9, "key.unblocked", "principal", "robot"));
    s.misses(store::audit_import_guard, values(10, "key.blocked", "principal", "robot"));
}

void profile_pauses(Store& s) {
    s.add_objects();
    store::ProfilePauseRow pause;
    pause.profile = core::ProfileId(5);
    pause.version = 2;
    pause.check = "lint.subject_html";
    pause.detail = "it has an entity";
    pause.request = core::RequestId("request-p");
    pause.since = now;
    s.does(store::profile_pause_put, pause.insert_values());
    // The first offence of a version stays; an older version's pauses nothing.
    auto again = pause;
    again.check = "lint.country";
    s.misses(store::profile_pause_put, again.insert_values());
    again.version = 1;
    s.misses(store::profile_pause_put, again.insert_values());
    again.version = 3;
    s.does(store::profile_pause_put, again.insert_values());
    const auto row = store::ProfilePauseRow::from(s.one(store::profile_pause_all, values(0)));
    BOOST_TEST((row.profile == pause.profile && row.version == 3 && row.check == "lint.country" && row.detail == pause.detail));
    BOOST_TEST((row.request.get() == "request-p" && row.since == now));
    BOOST_TEST(s.read(store::profile_pause_all, values(5)).empty());

    s.misses(store::profile_pause_remove, values(5, 2));
    s.does(store::profile_pause_remove, values(5, 3));
    s.misses(store::profile_pause_remove, values(5, 3));

    const auto version = s.one(store::configuration_version).integer(0);
    s.does(store::configuration_raise, {});
    BOOST_TEST(s.one(store::configuration_version).integer(0) == version + 1);

    // A profile that leaves takes its pause along.
    s.does(store::profile_insert, values(9, 1, "gone", "active", 1, "{}", now, now, "test"));
    pause.profile = core::ProfileId(9);
    s.does(store::profile_pause_put, pause.insert_values());
    s.does(store::profile_remove, values(9, 1));
    BOOST_TEST(s.read(store::profile_pause_all, values(0)).empty());
}

}  // namespace postern::contract

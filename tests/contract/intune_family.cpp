#include "store/tables/enrollment.hpp"
#include "store/tables/intune.hpp"
#include "store/tables/objects.hpp"
#include "store/tables/outbox.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using store::values;

namespace {

store::IntuneRevocationRow revocation_of(std::uint8_t number, std::string code) {
    store::IntuneRevocationRow row;
    row.azure_account = 1;
    row.context_sha256 = core::Bytes(32, number);
    row.context = "context " + std::to_string(number);
    row.serial = "0AFF";
    row.code = std::move(code);
    row.message = row.code == "None" ? "" : "why";
    return row;
}

}  // namespace

void intune_requests(Store& s) {
    s.add_objects();
    s.add_enrollments();
    s.does(store::intune_request_insert, values(11, 1, core::Bytes(5, 9), now));
    s.duplicates(store::intune_request_insert, values(11, 1, core::Bytes(5, 9), now));
    s.does(store::intune_request_insert, values(99, 1, core::Bytes(5, 8), later));  // refused before it became an enrollment
    const auto row = store::IntuneRequestRow::from(s.one(store::intune_request_find, values(11)));
    BOOST_TEST((row.enrollment.get() == 11 && row.azure_account == 1 && row.sealed == core::Bytes(5, 9)));
    s.any(store::intune_request_prune, values(later));
    BOOST_TEST(s.read(store::intune_request_find, values(11)).empty());
    s.does(store::intune_request_told, values(99));
    s.misses(store::intune_request_told, values(99));

    // What is withheld is acknowledged once.
    auto withheld = store::EnrollmentRow::from(s.one(store::enrollment_by_id, values(11)));
    s.misses(store::enrollment_acknowledge, values(withheld.id, later));
    withheld.id = core::EnrollmentId(13);
    withheld.attempt_key = core::Bytes(32, 13);
    withheld.withheld = true;
    s.does(store::enrollment_insert, withheld.insert_values());
    s.does(store::enrollment_acknowledge, values(withheld.id, later));
    s.misses(store::enrollment_acknowledge, values(withheld.id, later));
    BOOST_TEST(!store::EnrollmentRow::from(s.one(store::enrollment_by_id, values(13))).withheld);

    // Messages that wait while somebody tells without the outbox.
    s.does(store::outbox_insert_later, values("kind/9", "kind", "{}", later, now));
    BOOST_TEST(s.read(store::outbox_due, values("kind", now, 10)).empty());
    BOOST_TEST(s.read(store::outbox_due, values("kind", later, 10)).size() == 1U);
    BOOST_TEST((s.one(store::outbox_oldest, values("kind")).time(0) == now));
    s.does(store::outbox_take_back, values("kind/9"));
    s.misses(store::outbox_take_back, values("kind/9"));

    BOOST_TEST(s.read(store::account_all_of_method, values(0, "intune")).empty());
    BOOST_TEST(s.read(store::account_all_of_method, values(0, "eab")).size() == 1U);
    BOOST_TEST(s.read(store::account_all_of_method, values(7, "eab")).empty());
}

void intune_revocations(Store& s) {
    const auto waiting = [&] { return s.read(store::intune_revocation_waiting, values(1, 10)); };
    s.misses(store::intune_revocation_again, values(1, core::Bytes(32, 1)));
    s.does(store::intune_revocation_insert, revocation_of(1, "None").insert_values(now));
    s.duplicates(store::intune_revocation_insert, revocation_of(1, "ConflictError").insert_values(later));
    s.does(store::intune_revocation_insert, revocation_of(2, "ConflictError").insert_values(later));
    BOOST_TEST(waiting().size() == 2U);
    const auto first = store::IntuneRevocationRow::from(waiting().at(0));
    BOOST_TEST((first.azure_account == 1 && first.context_sha256 == core::Bytes(32, 1) && first.context == "context 1"));
    BOOST_TEST((first.serial == "0AFF" && first.code == "None" && first.message.empty()));
    BOOST_TEST(s.read(store::intune_revocation_waiting, values(2, 10)).empty());
    BOOST_TEST(s.read(store::intune_revocation_waiting, values(1, 1)).size() == 1U);

    s.does(store::intune_revocation_uploaded, values(1, core::Bytes(32, 1), later));
    BOOST_TEST(waiting().size() == 1U);
    s.does(store::intune_revocation_again, values(1, core::Bytes(32, 1)));
    BOOST_TEST(waiting().size() == 2U);
    s.does(store::intune_revocation_uploaded, values(1, core::Bytes(32, 1), later));
    s.any(store::intune_revocation_prune, values(later));  // what was not told stays
    s.misses(store::intune_revocation_again, values(1, core::Bytes(32, 1)));
    BOOST_TEST(waiting().size() == 1U);
}

}  // namespace postern::contract

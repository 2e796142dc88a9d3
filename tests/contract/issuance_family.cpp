#include "store/tables/authority.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/enrollment_name.hpp"
#include "store/tables/objects.hpp"
#include "store/tables/ra_certificate.hpp"
#include "store/tables/succession.hpp"
#include "tests/contract/store.hpp"

namespace postern::contract {

using store::values;

void enrollments(Store& s) {
    s.add_objects();
    s.add_enrollments();
    const auto get = [&](std::int64_t id) { return store::EnrollmentRow::from(s.one(store::enrollment_by_id, values(id))); };
    const auto first = get(11);
    BOOST_TEST(first.request.get() == "request000000011");
    BOOST_TEST((first.organization == core::OrganizationId(2) && first.department == core::DepartmentId(3)));
    BOOST_TEST((first.attempt_bound && first.attempt_count == 1 && !first.withheld));
    BOOST_TEST((first.not_before == now && first.not_after == later));
    BOOST_TEST((!first.problem && !first.backend_handle));
    BOOST_TEST(!get(12).organization.has_value());

    // One bound attempt a key.
    auto again = first;
    again.id = core::EnrollmentId(13);
    s.duplicates(store::enrollment_insert, again.insert_values());
    BOOST_TEST(s.one(store::enrollment_by_attempt, values(core::Bytes(32, 0x12))).integer(0) == 12);
    BOOST_TEST(s.read(store::enrollment_by_attempt, values(core::Bytes(32, 0x13))).empty());

    const auto guard = [&](int tenant, int endpoint, int endpoint_version, int account, int account_version, int profile, int profile_version) {
        return values(tenant, endpoint, endpoint_version, account, account_version, profile, profile_version);
    };
    s.does(store::enrollment_guard, guard(1, 6, 1, 7, 1, 5, 1));
    s.misses(store::enrollment_guard, guard(1, 6, 2, 7, 1, 5, 1));
    s.misses(store::enrollment_guard, guard(1, 6, 1, 7, 2, 5, 1));
    s.misses(store::enrollment_guard, guard(1, 6, 1, 7, 1, 5, 2));
    s.misses(store::enrollment_guard, guard(99, 6, 1, 7, 1, 5, 1));

    const auto unsettled = s.one(store::enrollment_unsettled, values(0, later));
    BOOST_TEST((unsettled.integer(0) == 12 && unsettled.integer(1) == 77 && unsettled.time(2) == now));
    BOOST_TEST(s.read(store::enrollment_unsettled, values(0, now)).empty());
    BOOST_TEST(s.read(store::enrollment_unsettled, values(12, later)).empty());

    const core::Bytes old_serial(16, 0x12), new_serial(16, 0x13), tbs(32, 0x78);
    s.misses(store::enrollment_resubmit, values(12, new_serial, new_serial, tbs, "0bad", now, later, later, 78));
    s.misses(store::enrollment_resubmit, values(11, core::Bytes(16, 0x11), new_serial, tbs, "0bad", now, later, later, 78));
    s.does(store::enrollment_resubmit, values(12, old_serial, new_serial, tbs, "0bad", now, later, later, 78));
    BOOST_TEST(get(12).attempt_count == 2);
    BOOST_TEST((get(12).serial == new_serial && get(12).updated == later && get(12).life == 78));

    // An outcome of the serial that was given up counts no more.
    s.misses(store::enrollment_issued, values(12, later, old_serial));
    s.misses(store::enrollment_invalid, values(12, later, "{}", old_serial));
    s.misses(store::enrollment_quarantined, values(12, later, "{}", old_serial));
    s.does(store::enrollment_issued, values(12, later, new_serial));
    s.misses(store::enrollment_issued, values(12, later, new_serial));
    s.misses(store::enrollment_invalid, values(12, later, "{}", new_serial));
    s.misses(store::enrollment_quarantined, values(12, later, "{}", new_serial));
    // The time is over in which its attempt is repeated.
    s.misses(store::enrollment_unbind, values(12, later));
    s.does(store::enrollment_unbind, values(12, later + std::chrono::seconds(1)));
    s.misses(store::enrollment_unbind, values(12, later + std::chrono::seconds(1)));
    BOOST_TEST((!get(12).attempt_bound && get(12).status == "issued"));
    s.does(store::enrollment_revoked, values(12, later));
    s.misses(store::enrollment_revoked, values(12, later));
    BOOST_TEST(get(12).status == "revoked");
    BOOST_TEST(!get(12).attempt_bound);

    // What is bound no more leaves its key to the next attempt.
    again.id = core::EnrollmentId(14);
    again.attempt_key = core::Bytes(32, 0x12);
    again.status = "submitted";
    s.does(store::enrollment_insert, again.insert_values());
    s.does(store::enrollment_quarantined, values(14, later, R"({"kind":"internal"})", again.serial));
    BOOST_TEST((get(14).attempt_bound && get(14).problem == R"({"kind":"internal"})"));
    again.id = core::EnrollmentId(15);
    again.attempt_key = core::Bytes(32, 0x15);
    s.does(store::enrollment_insert, again.insert_values());
    s.does(store::enrollment_invalid, values(15, later, R"({"kind":"unavailable"})", again.serial));
    BOOST_TEST((!get(15).attempt_bound && get(15).status == "invalid"));

    // A transaction's id is its client's choice, and the newest counts.
    for (const auto id : {16, 17}) {
        again.id = core::EnrollmentId(id);
        again.attempt_key = core::Bytes(32, static_cast<std::uint8_t>(0x40 + id));
        again.protocol = "scep";
        again.requester = "A1B2";
        s.does(store::enrollment_insert, again.insert_values());
    }
    const core::Bytes own = again.spki_sha256, stranger(32, 0x7f);
    const auto found = [&](int endpoint, std::string_view id, const core::Bytes& key, std::string_view presented = "%\"none\"%") {
        return s.read(store::enrollment_by_transaction, values(endpoint, id, key, presented));
    };
    const auto transaction = found(6, "A1B2", own);
    BOOST_TEST_REQUIRE(transaction.size() == 2U);
    BOOST_TEST(transaction[0].integer(0) == 17);
    BOOST_TEST((found(6, "A1B3", own).empty() && found(99, "A1B2", own).empty()));
    BOOST_TEST(found(6, get(15).requester, own).empty());  // of another protocol
    BOOST_TEST(found(6, "A1B2", stranger).empty());
    again.id = core::EnrollmentId(18);
    again.attempt_key = core::Bytes(32, 0x58);
    again.evidence = R"([{"kind":"certificate","at":1,"subject":"c0ffee"}])";
    s.does(store::enrollment_insert, again.insert_values());
    BOOST_TEST((found(6, "A1B2", stranger, "%\"c0ffee\"%").size() == 1U && found(6, "A1B2", stranger, "%\"c0ff\"%").empty()));

    // By what they name.
    for (const auto* name : {"upn:jane@corp.example", "jane.corp.example"}) s.does(store::enrollment_name_put, values(name, 17));
    s.any(store::enrollment_name_put, values("upn:jane@corp.example", 17));  // once
    s.does(store::enrollment_name_put, values("upn:jane@corp.example", 16));
    const auto named = [&](std::string_view name, std::optional<int> tenant, int limit = 10) { return s.read(store::enrollment_by_name, values(name, tenant, limit)); };
    BOOST_TEST_REQUIRE(named("upn:jane@corp.example", {}).size() == 2U);
    BOOST_TEST(named("upn:jane@corp.example", 1)[0].integer(0) == 17);
    BOOST_TEST((named("upn:jane@corp.example", {}, 1).size() == 1U && named("upn:jane@corp.example", 2).empty() && named("upn:jan@corp.example", {}).empty()));
}

void certificates(Store& s) {
    s.add_objects();
    s.add_enrollments();
    const auto row = store::CertificateRow::from(s.one(store::certificate_by_token, values("certificate-token-0021")));
    BOOST_TEST((row.id == core::CertificateId(21) && row.enrollment == core::EnrollmentId(11)));
    BOOST_TEST((!row.revoked && !row.revoked_reason));
    BOOST_TEST((row.der == core::Bytes(7, 0x30) && row.not_after == later));
    BOOST_TEST(s.one(store::certificate_by_enrollment, values(11)).integer(0) == 21);
    BOOST_TEST(s.one(store::certificate_by_id, values(21)).text(1) == "certificate-token-0021");
    BOOST_TEST(s.read(store::certificate_by_id, values(22)).empty());
    BOOST_TEST(s.one(store::certificate_presented, values(core::Bytes(16, 0x11), core::Bytes(32, 0x21))).integer(0) == 21);
    BOOST_TEST(s.read(store::certificate_presented, values(core::Bytes(16, 0x11), core::Bytes(32, 0x22))).empty());
    BOOST_TEST(s.one(store::certificate_by_serial, values(core::Bytes(16, 0x11))).integer(0) == 21);
    BOOST_TEST(s.read(store::certificate_by_serial, values(core::Bytes(16, 0x99))).empty());

    auto second = row;
    second.id = core::CertificateId(22);
    second.token = "certificate-token-0022";
    second.sha256 = core::Bytes(32, 0x22);
    s.duplicates(store::certificate_insert, second.insert_values());  // one an enrollment
    second.enrollment = core::EnrollmentId(12);
    s.duplicates(store::certificate_insert, second.insert_values());  // a serial is unique with its issuer
    second.issuer_key_id = "0ther";
    s.does(store::certificate_insert, second.insert_values());
    BOOST_TEST(s.read(store::certificate_by_serial, values(core::Bytes(16, 0x11))).size() == 2U);

    BOOST_TEST(s.read(store::certificate_page, values(0, 10, nullptr)).size() == 2U);
    BOOST_TEST(s.one(store::certificate_page, values(0, 1, 1)).integer(0) == 21);
    BOOST_TEST(s.one(store::certificate_page, values(21, 10, 1)).integer(0) == 22);
    BOOST_TEST(s.read(store::certificate_page, values(0, 10, 2)).empty());

    BOOST_TEST(s.one(store::certificate_stands, values(21)).integer(0) == 21);
    s.does(store::certificate_guard, values(21));
    s.misses(store::certificate_raise_reason, values(21, 1));  // it is not revoked
    s.does(store::certificate_revoke, values(21, later, 4));
    BOOST_TEST(s.read(store::certificate_stands, values(21)).empty());
    s.misses(store::certificate_guard, values(21));
    s.misses(store::certificate_revoke, values(21, later, 1));
    const auto revoked = store::CertificateRow::from(s.one(store::certificate_by_enrollment, values(11)));
    BOOST_TEST((revoked.status == "revoked" && revoked.revoked == later && revoked.revoked_reason == std::int64_t{4}));
    s.does(store::certificate_raise_reason, values(21, 1));
    s.misses(store::certificate_raise_reason, values(21, 1));
    const auto raised = store::CertificateRow::from(s.one(store::certificate_by_enrollment, values(11)));
    BOOST_TEST((raised.revoked == later && raised.revoked_reason == std::int64_t{1}));
    s.is_referenced(store::account_remove, values(7, 1));
}

void ra_certificates(Store& s) {
    const auto add = [&](std::int64_t id, const std::string& backend, core::TimePoint not_after) {
        store::RaCertificateRow row;
        row.id = id;
        row.source = backend;
        row.key_id = "key" + std::to_string(id);
        row.certificate = core::Bytes(5, static_cast<std::uint8_t>(id));
        row.issuer_key_id = "bb";
        row.not_after = not_after;
        row.created = now;
        s.does(store::ra_certificate_insert, row.insert_values());
        s.duplicates(store::ra_certificate_insert, row.insert_values());
    };
    add(31, "builtin", now);
    add(32, "builtin", later);
    add(33, "other", later);
    const auto both = s.read(store::ra_certificate_of, values("builtin", now));
    BOOST_TEST_REQUIRE(both.size() == 2U);
    const auto newest = store::RaCertificateRow::from(both[0]);
    BOOST_TEST((newest.id == 32 && newest.source == "builtin" && newest.key_id == "key32" && newest.certificate == core::Bytes(5, 32)));
    BOOST_TEST((newest.issuer_key_id == "bb" && newest.not_after == later && newest.created == now));
    BOOST_TEST(s.one(store::ra_certificate_of, values("builtin", now + std::chrono::milliseconds(1))).integer(0) == 32);
    BOOST_TEST(s.read(store::ra_certificate_of, values("none", now)).empty());
    BOOST_TEST(newest.chain.empty());
    store::RaCertificateRow foreign;
    foreign.id = 34;
    foreign.source = "profile 12";
    foreign.key_id = "key34";
    foreign.certificate = core::Bytes(5, 34);
    foreign.issuer_key_id = "cc";
    foreign.not_after = later;
    foreign.created = now;
    foreign.chain = "PEM";
    s.does(store::ra_certificate_none_of, values("key34"));
    s.does(store::ra_certificate_insert, foreign.insert_values());
    s.misses(store::ra_certificate_none_of, values("key34"));
    BOOST_TEST(store::RaCertificateRow::from(s.one(store::ra_certificate_of, values("profile 12", now))).chain == "PEM");
}

void ra_requests(Store& s) {
    store::RaRequestRow row;
    row.name = "profile 12";
    row.key_id = "key34";
    row.attempt = "abc";
    row.created = now;
    s.does(store::ra_request_insert, row.insert_values());
    row.attempt = "def";
    s.misses(store::ra_request_insert, row.insert_values());
    const auto read = store::RaRequestRow::from(s.one(store::ra_request_get, values("profile 12")));
    BOOST_TEST((read.name == "profile 12" && read.key_id == "key34" && read.attempt == "abc" && read.created == now));
    s.misses(store::ra_request_remove, values("profile 12", "def"));
    s.does(store::ra_request_remove, values("profile 12", "abc"));
    BOOST_TEST(s.read(store::ra_request_get, values("profile 12")).empty());
}

void authorities(Store& s) {
    store::AuthorityRow root;
    root.key_id = root.issuer_id = "aa";
    root.kind = "root";
    root.certificate = core::Bytes(5, 0x30);
    root.created = now;
    s.does(store::authority_insert, root.insert_values());
    s.duplicates(store::authority_insert, root.insert_values());
    store::AuthorityRow issuing = root;
    issuing.key_id = "bb";
    issuing.kind = "issuing";
    s.does(store::authority_insert, issuing.insert_values());
    issuing.key_id = "cc";
    issuing.issuer_id = "dd";
    s.is_referenced(store::authority_insert, issuing.insert_values());
    const auto all = s.read(store::authority_all);
    BOOST_TEST_REQUIRE(all.size() == 2U);
    BOOST_TEST(store::AuthorityRow::from(all[1]).issuer_id == "aa");

    BOOST_TEST(s.read(store::succession_all).empty());
    s.does(store::succession_none_waits, values(now, store::never_takes_over));
    s.does(store::succession_insert, values("bb", later, now));
    s.duplicates(store::succession_insert, values("bb", later, now));
    s.is_referenced(store::succession_insert, values("zz", later, now));
    s.misses(store::succession_none_waits, values(now, store::never_takes_over));
    s.does(store::succession_none_waits, values(later, store::never_takes_over));
    const auto succession = s.one(store::succession_all);
    BOOST_TEST((succession.text(0) == "bb" && succession.time(1) == later));
    s.does(store::succession_stands, values("bb", store::never_takes_over));
    s.does(store::succession_stands, values("aa", store::never_takes_over));  // the first has no row
    s.does(store::succession_stands, values("", store::never_takes_over));
    s.misses(store::succession_withdraw, values("bb", later, store::never_takes_over));  // its day has come
    s.misses(store::succession_withdraw, values("cc", now, store::never_takes_over));
    s.does(store::succession_withdraw, values("bb", now, store::never_takes_over));
    s.misses(store::succession_withdraw, values("bb", now, store::never_takes_over));
    s.misses(store::succession_stands, values("bb", store::never_takes_over));
    BOOST_TEST((s.one(store::succession_all).time(1) == store::never_takes_over));
    s.does(store::succession_none_waits, values(now, store::never_takes_over));

    store::CrossCertificateRow crossed;
    crossed.subject_id = "bb";
    crossed.issuer_id = "aa";
    crossed.serial = core::Bytes(16, 7);
    crossed.certificate = core::Bytes(5, 0x31);
    crossed.created = now;
    s.does(store::cross_certificate_insert, crossed.insert_values());
    s.duplicates(store::cross_certificate_insert, crossed.insert_values());
    crossed.issuer_id = "zz";
    s.is_referenced(store::cross_certificate_insert, crossed.insert_values());
    crossed.subject_id = crossed.issuer_id = "aa";
    s.duplicates(store::cross_certificate_insert, crossed.insert_values());  // a serial of that issuer
    const auto found = store::CrossCertificateRow::from(s.one(store::cross_certificate_all));
    BOOST_TEST((found.subject_id == "bb" && found.issuer_id == "aa" && found.serial == crossed.serial && found.certificate == crossed.certificate && found.created == now));

    const auto newest = [&] { return store::CrlRow::from(s.one(store::crl_newest, values("bb", 0))); };
    BOOST_TEST((newest().last_number == 0 && newest().number == 0));
    s.does(store::authority_use_crl_number, values("bb", 0, 1));
    const auto numbers = s.read(store::authority_crl_numbers);
    BOOST_TEST_REQUIRE(numbers.size() == 2U);
    BOOST_TEST((numbers[1].text(0) == "bb" && numbers[1].integer(1) == 1));
    s.misses(store::authority_use_crl_number, values("bb", 0, 2));  // another node published meanwhile
    s.misses(store::authority_use_crl_number, values("bb", 1, 1));  // numbers rise
    s.does(store::crl_put, values("bb", 0, 1, now, later, core::Bytes(3, 1)));
    s.does(store::crl_put, values("bb", 0, 3, now, later, core::Bytes(3, 3)));
    s.misses(store::crl_put, values("bb", 0, 2, now, later, core::Bytes(3, 2)));  // never replaces a newer one
    BOOST_TEST((newest().last_number == 1 && newest().number == 3 && newest().der == core::Bytes(3, 3)));
    BOOST_TEST((newest().this_update == now && newest().next_update == later));
    BOOST_TEST(s.read(store::crl_newest, values("zz", 0)).empty());

    const auto revoke = [](std::uint8_t serial, core::TimePoint at, int reason, core::TimePoint not_after) {
        return values("bb", core::Bytes(16, serial), 0, at, reason, not_after);
    };
    s.does(store::revocation_insert, revoke(2, now, 4, later));
    s.any(store::revocation_insert, revoke(2, later, 5, later));  // the first entry stays
    s.does(store::revocation_insert, revoke(1, now, 0, later));
    s.does(store::revocation_insert, revoke(3, now, 0, now - std::chrono::hours(1)));
    const auto page = s.read(store::revocation_page, values("bb", 0, core::Bytes(), now, 10));
    BOOST_TEST_REQUIRE(page.size() == 2U);
    BOOST_TEST((store::RevocationRow::from(page[0]).serial == core::Bytes(16, 1)));
    const auto second = store::RevocationRow::from(page[1]);
    BOOST_TEST((second.reason == 4 && second.revoked == now));
    // Only that its key is compromised comes to light later, and is never taken back.
    const auto reason_of_second = [&] { return store::RevocationRow::from(s.read(store::revocation_page, values("bb", 0, core::Bytes(16, 1), now, 10)).at(0)); };
    s.any(store::revocation_insert, revoke(2, later, 1, later));
    BOOST_TEST((reason_of_second().reason == 1 && reason_of_second().revoked == now));
    s.any(store::revocation_insert, revoke(2, later, 4, later));
    BOOST_TEST((reason_of_second().reason == 1 && reason_of_second().revoked == now));
    BOOST_TEST(s.one(store::revocation_page, values("bb", 0, core::Bytes(16, 1), now, 10)).blob(0).front() == 2);
    BOOST_TEST(s.read(store::revocation_page, values("bb", 0, core::Bytes(), now, 1)).size() == 1U);
    BOOST_TEST(s.read(store::revocation_page, values("bb", 1, core::Bytes(), now, 10)).empty());
    BOOST_TEST(s.one(store::revocation_count, values("bb", 0, now)).integer(0) == static_cast<std::int64_t>(page.size()));
    BOOST_TEST(s.one(store::revocation_count, values("bb", 1, now)).integer(0) == 0);
}

}  // namespace postern::contract

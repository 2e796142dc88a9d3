#include "ra/renewal.hpp"

#include "ra/imported_certificates.hpp"
#include "ra/predecessor_status.hpp"
#include "tests/unit/ra/other_ca.hpp"

BOOST_AUTO_TEST_SUITE(ra_renewal)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;
using crypto::GeneralName;
using crypto::GeneralNameType;

namespace {

constexpr std::string_view devices = R"([[profile]]
name = "device"
backend = "scripted"
keys = ["rsa-2048", "ec-p256"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]
[[endpoint]]
name = "devices"
protocol = "scep"
ra = "builtin"
profiles = ["device"]
[[endpoint]]
name = "others"
protocol = "scep"
ra = "builtin"
profiles = ["device"]
[[account]]
name = "devices"
endpoint = "devices"
method = "access_code"
common_names = ["*"]
secret = {generate = true}
)";

/// A device that another CA served, on record here.
struct Moved : World {
    Moved() {
        apply_standard();
        apply(devices).value();
        ra::Predecessors::Order known;
        known.name = "old";
        known.certificates.push_back(old.issue(core::Bytes(8, 0x10), clock.now(), true, old.key, "Old CA").der());
        known.crl_url = "http://ca.example/ca.crl";
        run(predecessors.put(std::move(known), administrator(), core::RequestId("r"))).value();
        ra::ImportedCertificates::Order order;
        order.predecessor = "old";
        order.endpoint = order.account = "devices";
        order.certificates.push_back(leaf.der());
        BOOST_TEST_REQUIRE(run(imported.add(std::move(order), administrator(), core::RequestId("r"))).value().added == 1);
    }
    core::EndpointId endpoint(std::string_view name = "devices") { return catalog.current()->endpoint(ra::Protocol::scep, name)->id; }
    core::Result<ra::RenewalRight> right(std::string_view at = "devices", std::chrono::hours window = 24h * 30) {
        return run(ra::find_renewal_right(db, endpoint(at), leaf.der(), clock.now(), window));
    }
    core::Result<void> names(const std::string& common, const std::vector<GeneralName>& others) {
        const auto found = right().value();
        crypto::DistinguishedName subject;
        subject.entries.emplace_back(crypto::DnAttribute::common_name, common);
        const auto csr = crypto::Csr::parse(crypto::make_csr(device, subject, others)).value();
        return run(ra::check_renewal_names(db, found, csr));
    }

    OtherCa old;
    crypto::PrivateKey device = crypto::PrivateKey::generate(crypto::KeySpec());
    const std::vector<GeneralName> had{{GeneralNameType::dns, "Printer.Example.com"}, {GeneralNameType::email, "Hall@Example.COM"}, {GeneralNameType::uri, "urn:Dev"}};
    crypto::Certificate leaf = old.issue(core::Bytes(8, 0x21), clock.now(), false, device, "Printer  Seven", had);
    core::CpuPool workers{1, 8};
    ra::Predecessors predecessors{ra::Predecessors::Deps{db, numbers, catalog, clock}};
    ra::ImportedCertificates imported{ra::ImportedCertificates::Deps{db, numbers, catalog, workers, clock}};
};

/// Its renewal came as far as the CA, and nobody knows what became of it.
struct Interrupted : Moved {
    Interrupted() {
        const auto found = right().value();
        ra::EnrollmentRequest r;
        r.id = random.request_id();
        r.via = ra::Protocol::scep;
        r.endpoint = endpoint();
        r.account = found.account.id;
        r.requester = r.attempt = "T1";
        r.evidence.push_back(found.evidence);
        crypto::DistinguishedName subject;
        subject.entries.emplace_back(crypto::DnAttribute::common_name, "Printer Seven");
        r.csr = crypto::Csr::parse(crypto::make_csr(device, subject, {})).value();
        r.origin_kind = "scep_transaction";
        r.origin_id = "T1";
        r.deadline = core::deadline_in(30s);
        ca.mode = ScriptedCa::Mode::crash;
        BOOST_CHECK_THROW(submit(std::move(r)), std::runtime_error);
        ca.mode = ScriptedCa::Mode::ok;
        lost = enrollments().back().serial;
    }
    ra::Enrollment::Settled settle(ra::PredecessorStatus* asked) {
        auto deps = enrollment_deps();
        deps.predecessors = asked;
        ra::Enrollment second(deps);
        return run(second.settle(enrollments().back().id, nullptr));
    }
    /// The serial of the lost attempt is revoked whatever becomes of the request.
    bool listed() { return read(revocation_rows).at(0).blob(0) == lost; }

    core::Bytes lost;
    ScriptedOutbound outbound;
    ra::PredecessorStatus status{ra::PredecessorStatus::Deps{db, outbound, workers, random, clock, log, metrics}};
};
using Settled = ra::Enrollment::Settled;

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_imported_certificate_is_a_right_at_its_endpoint, Moved) {
    const auto found = right().value();
    BOOST_TEST((found.account.name == "devices" && found.predecessor && found.evidence.requester == "imported_certificate"));
    check_refused(right("others"), ProblemKind::forbidden, "the certificate was not issued here");
    const auto stranger = old.issue(core::Bytes(8, 0x22), clock.now(), false, device, "printer");
    check_refused(run(ra::find_renewal_right(db, endpoint(), stranger.der(), clock.now(), 24h * 30)), ProblemKind::forbidden, "the certificate was not issued here");
}

BOOST_FIXTURE_TEST_CASE(it_counts_within_its_window_and_life, Moved) {
    const auto early = right("devices", 24h * 2);
    check_refused(early, ProblemKind::forbidden, "the certificate can be renewed from");
    BOOST_TEST(early.error().check == "renewal.window");
    clock.step(-48h);
    check_refused(right(), ProblemKind::forbidden, "the certificate is valid from");
    clock.step(48h);
    clock.advance(24h * 20 + 1s);
    const auto late = right();
    check_refused(late, ProblemKind::forbidden, "the certificate is valid from");
    BOOST_TEST(late.error().check == "renewal.validity");
}

BOOST_FIXTURE_TEST_CASE(names_are_compared_as_another_ca_may_have_written_them, Moved) {
    BOOST_TEST(names("Printer  Seven", had).has_value());
    BOOST_TEST(names("printer seven ", {{GeneralNameType::uri, "urn:Dev"}, {GeneralNameType::email, "Hall@example.com"}, {GeneralNameType::dns, "printer.example.com"}}).has_value());
    const auto refused = [&](const std::string& common, const std::vector<GeneralName>& others) { check_refused(names(common, others), ProblemKind::forbidden, "other names"); };
    refused("PrinterSeven", had);
    refused("Printer Seven", {});
    refused("Printer Seven", {had[0], had[1], {GeneralNameType::uri, "urn:dev"}});
    refused("Printer Seven", {had[0], {GeneralNameType::email, "hall@example.com"}, had[2]});
    refused("Printer Seven", {had[0], had[1], had[2], {GeneralNameType::dns, "more.example.com"}});
}

BOOST_FIXTURE_TEST_CASE(what_was_deleted_is_no_right, Moved) {
    BOOST_TEST(run(imported.remove("2121212121212121", administrator(), core::RequestId("r"))).value() == 1U);
    check_refused(right(), ProblemKind::forbidden, "the certificate was not issued here");
    check_refused(run(imported.remove("2121212121212121", administrator(), core::RequestId("r"))), ProblemKind::not_found, "no imported certificate");
}

BOOST_FIXTURE_TEST_CASE(a_renewal_that_was_interrupted_is_issued_while_the_predecessor_stands_by_it, Interrupted) {
    outbound.body = old.crl(clock.now(), 1, {});
    BOOST_TEST((settle(&status) == Settled::reissued));
    BOOST_TEST((outbound.asked == 1 && listed() && enrollments().back().status == "issued"));
}

BOOST_FIXTURE_TEST_CASE(one_that_was_revoked_there_since_gets_nothing, Interrupted) {
    outbound.body = old.crl(clock.now(), 1, {core::Bytes(8, 0x21)});
    BOOST_TEST((settle(&status) == Settled::voided));
    BOOST_TEST((listed() && enrollments().back().status == "invalid" && certificates().empty()));
}

BOOST_FIXTURE_TEST_CASE(while_the_predecessor_is_away_the_lost_serial_is_listed_and_nothing_issued, Interrupted) {
    BOOST_TEST((settle(&status) == Settled::voided));
    BOOST_TEST((outbound.asked == 1 && listed() && enrollments().back().status == "invalid" && certificates().empty()));
}

BOOST_FIXTURE_TEST_CASE(where_nobody_can_ask_it_nothing_is_issued, Interrupted) {
    BOOST_TEST((settle(nullptr) == Settled::voided));
    BOOST_TEST((listed() && certificates().empty()));
}

BOOST_FIXTURE_TEST_CASE(one_that_ended_meanwhile_gets_nothing, Interrupted) {
    clock.advance(24h * 21);
    outbound.body = old.crl(clock.now(), 1, {});  // it need not list what ended
    BOOST_TEST((settle(&status) == Settled::voided));
    BOOST_TEST((outbound.asked == 0 && listed() && certificates().empty()));
}

BOOST_FIXTURE_TEST_CASE(a_predecessor_with_many_certificates_is_removed_by_portions, Moved) {
    static constexpr store::Statement all{"test_imported", "SELECT count(*) FROM imported_certificate"};
    const auto digest = crypto::sha256(leaf.der());
    auto known = store::ImportedCertificateRow::from(read(store::imported_certificate_presented, store::values(core::BytesView(digest), endpoint())).at(0));
    store::Batch many;
    for (std::int64_t at = 1; at < 2500; ++at) {
        known.id = store::ImportedCertificateId(1'000'000 + at);
        for (std::size_t i = 0; i < 8; ++i) known.sha256[i] = static_cast<std::uint8_t>(at >> (8 * i));
        many.add(store::imported_certificate_insert, known.insert_values());
    }
    run(db.write(std::move(many))).value();
    check_refused(run(predecessors.remove({}, "old", false, administrator(), core::RequestId("r"))), ProblemKind::conflict, "2500 imported certificates rest on predecessor old");
    // The store goes away before the last portion: what was decided is on record, and doing it again ends it.
    db.away_at = &store::predecessor_remove;
    BOOST_CHECK_THROW(run(predecessors.remove({}, "old", true, administrator(), core::RequestId("r"))), store::StoreUnavailable);
    BOOST_TEST(read(all).at(0).integer(0) == 500);
    const auto told = audits("predecessor.certificates_removed");
    BOOST_TEST_REQUIRE(told.size() == 1U);
    BOOST_TEST((contains(told[0].text(3), "2500") && audits("predecessor.removed").empty()));
    db.away_at = nullptr;
    BOOST_TEST(run(predecessors.remove({}, "old", true, administrator(), core::RequestId("r"))).value() == 500);
    BOOST_TEST((read(all).at(0).integer(0) == 0 && audits("predecessor.removed").size() == 1U));
}

BOOST_FIXTURE_TEST_CASE(a_serial_that_several_cas_gave_out_names_no_certificate, Moved) {
    OtherCa second;
    second.name.entries[0].value = "Second CA";
    ra::Predecessors::Order known;
    known.name = "second";
    known.certificates.push_back(second.issue(core::Bytes(8, 0x10), clock.now(), true, second.key, "Second CA").der());
    known.crl_url = "http://second.example/ca.crl";
    run(predecessors.put(std::move(known), administrator(), core::RequestId("r"))).value();
    const auto same = second.issue(core::Bytes(8, 0x21), clock.now(), false, device, "scanner");
    ra::ImportedCertificates::Order order;
    order.predecessor = "second";
    order.endpoint = order.account = "devices";
    order.certificates.push_back(same.der());
    BOOST_TEST(run(imported.add(std::move(order), administrator(), core::RequestId("r"))).value().added == 1);
    check_refused(run(imported.remove("2121212121212121", administrator(), core::RequestId("r"))), ProblemKind::conflict, "several certificates have serial 2121212121212121");
    BOOST_TEST(right().has_value());
    const auto digest = core::hex(crypto::sha256(same.der()));
    BOOST_TEST(run(imported.remove(digest, administrator(), core::RequestId("r"))).value() == 1U);
    BOOST_TEST(run(imported.remove("2121212121212121", administrator(), core::RequestId("r"))).value() == 1U);
    BOOST_TEST(!right().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

#include <set>

#include "core/json/reader.hpp"
#include "tests/unit/ra/approvals_world.hpp"

BOOST_AUTO_TEST_SUITE(ra_reports)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

struct Ready : World {
    Ready() {
        apply_standard();
        apply("[[tenant]]\nname = \"second\"\n").value();
        auto r = request({"corp.example"});
        id = r.id;
        static_cast<void>(submit(std::move(r)).value());
        certificate = certificates().at(0);
    }
    ra::Principal stranger() { return tenant_administrator(catalog.current()->tenant("second")->id); }
    ra::Principal own() { return tenant_administrator(tenant()); }
    core::Result<std::string> explain(const ra::Principal& by, std::string reference) { return run(ra::explain(db, by, std::move(reference))); }
    core::Result<void> revoke(std::int64_t reason) {
        return run(revocation.revoke(certificates().at(0), reason, administrator().actor, core::RequestId("revokerequest000"), core::deadline_in(5s)));
    }
    core::RequestId id;
    store::CertificateRow certificate;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_request_is_explained_by_id_number_and_serial) {
    Ready w;
    for (const auto& reference : {w.id.get(), std::to_string(w.certificate.enrollment.get()), core::hex(w.certificate.serial)})
        for (const auto& by : {administrator(), w.own()}) BOOST_TEST_CONTEXT(reference) {
            const auto text = w.explain(by, reference);
            BOOST_TEST_REQUIRE(text.has_value());
            const auto document = json::Document::parse(*text).value();
            BOOST_TEST(document.root()["request"].string().value() == w.id.get());
            const auto records = document.root()["records"].items();
            BOOST_TEST_REQUIRE(records.size() == 2U);
            BOOST_TEST(records[0]["action"].string().value() == "enrollment.intent");
            BOOST_TEST(records[0]["actor"].string().value() == "acme client");
            BOOST_TEST(records[0]["outcome"].string().value() == "done");
            BOOST_TEST(records[0]["at"].string().value() == "2027-01-15T08:00:00Z");
            BOOST_TEST(records[0]["detail"]["trace"].items().size() == 41U);
            BOOST_TEST(records[1]["action"].string().value() == "enrollment.issued");
        }
}

BOOST_DATA_TEST_CASE(a_ca_is_explained_by_its_key_id, engines(), engine) {
    Officers w(engine);
    const std::string root(40, 'a'), first(40, 'b'), next_root(40, 'c'), next(40, 'd'), gone(40, 'e');
    const auto day = w.clock.now() + 24h * 30;
    store::Batch batch;
    const auto add = [&](const std::string& key_id, const std::string& issuer) {
        store::AuthorityRow row;
        row.key_id = key_id;
        row.kind = issuer.empty() ? "root" : "issuing";
        row.issuer_id = issuer.empty() ? key_id : issuer;
        row.certificate = core::Bytes(5, 0x30);
        row.created = w.clock.now();
        batch.add(store::authority_insert, row.insert_values());
    };
    add(root, "");
    add(first, root);
    add(next_root, "");
    add(next, next_root);
    add(gone, root);
    batch.add(store::succession_insert, store::values(next, day, w.clock.now()));
    batch.add(store::succession_insert, store::values(gone, store::never_takes_over, w.clock.now()));
    const auto record = [&](std::int64_t number, const std::string& action, const std::string& object, const std::string& detail) {
        ra::AuditRecord made;
        made.at = w.clock.now();
        made.request = core::RequestId("rolloverrequest0");
        made.actor = administrator().actor;
        made.action = action;
        made.object_kind = "authority";
        made.object_id = object;
        made.detail = detail;
        ra::add_audit(batch, number, made);
    };
    record(900'001, "ca.root_prepared", next_root, R"({"issuing":")" + next + R"("})");
    record(900'002, "ca.successor_prepared", gone, "{}");
    record(900'003, "ca.successor_withdrawn", gone, "{}");
    BOOST_TEST_REQUIRE(w.run(w.db.write(std::move(batch))).has_value());

    const auto told = [&](const std::string& reference) {
        const auto text = w.run(ra::explain(w.db, administrator(), reference)).value();
        const auto document = json::Document::parse(text).value();
        const auto a = document.root()["authority"];
        std::string out(a["authority"].string().value().substr(0, 1));
        out += " " + std::string(a["kind"].string().value()) + " made " + std::string(a["made"].string().value());
        if (a["takesOver"].exists()) out += " from " + std::string(a["takesOver"].string().value());
        if (a["withdrawn"].boolean().value()) out += " withdrawn";
        for (const auto& each : document.root()["records"].items()) out += " " + std::string(each["action"].string().value());
        return out;
    };
    const auto made = " made " + core::rfc3339(w.clock.now()), from = " from " + core::rfc3339(day);
    BOOST_TEST(told(root) == "a root" + made);
    BOOST_TEST(told(first) == "b issuing" + made);
    BOOST_TEST(told(next_root) == "c root" + made + from + " ca.root_prepared");
    // Its record is its root's.
    BOOST_TEST(told(next) == "d issuing" + made + from + " ca.root_prepared");
    BOOST_TEST(told(gone) == "e issuing" + made + " withdrawn ca.successor_prepared ca.successor_withdrawn");
    BOOST_TEST(told(std::string(40, 'E')) == told(gone));
}

BOOST_DATA_TEST_CASE(what_waits_and_what_was_issued_is_found_by_its_names, engines(), engine) {
    Officers w(engine);
    auto documents = officers_documents("approval = \"officer\"\nextended_key_usage = [\"clientAuth\"]\nemail_names = true\nuri_names = true\nupn_names = true", "", "\"keep\"");
    documents.replace(documents.find("country = \"DE\""), 14, "country = \"DE\"\nprincipal_names = true");
    documents += "emails = [\"*@corp.example\"]\nuris = [\"https://corp.example/*\"]\nupns = [\"*@corp.example\"]\n";
    w.reapply(documents);
    using crypto::GeneralNameType;
    const auto ask = [&](const std::string& transaction, std::vector<crypto::GeneralName> names) {
        auto r = w.device(transaction);
        r.csr = crypto::Csr::parse(crypto::make_csr(w.leaf_key, {}, names)).value();
        return w.waits(std::move(r)).enrollment.get();
    };
    const auto jane = ask("T1", {{GeneralNameType::dns, "jane.corp.example"}, {GeneralNameType::email, "Jane@corp.example"}, {GeneralNameType::uri, "https://corp.example/Jane"}, {GeneralNameType::upn, "Jane@Corp.example"}});
    BOOST_TEST(w.approve() == "issued");
    const auto john = ask("T2", {{GeneralNameType::dns, "john.corp.example"}, {GeneralNameType::email, "john@corp.example"}});
    const auto found = [&](const ra::Principal& by, const std::string& reference) {
        std::set<std::string> out;
        const auto text = w.run(ra::explain(w.db, by, reference));
        if (!text) return out;
        const auto document = json::Document::parse(*text).value();
        for (const auto& r : document.root()["records"].items()) out.insert(std::string(r["object"].string().value()) + " " + std::string(r["action"].string().value()));
        return out;
    };
    for (const auto* reference : {"jane@corp.example", "JANE@corp.example", "email:jane@corp.example", "upn:jane@corp.example", "uri:https://corp.example/Jane", "jane.corp.example"}) BOOST_TEST_CONTEXT(reference) {
        const auto all = found(administrator(), reference);
        for (const auto* action : {" request.awaiting_approval", " request.approved", " enrollment.issued"}) BOOST_TEST(all.contains("enrollment " + std::to_string(jane) + action));
        BOOST_TEST(!all.contains("enrollment " + std::to_string(john) + " request.awaiting_approval"));
        BOOST_TEST(found(tenant_administrator(core::TenantId(99)), reference).empty());
    }
    BOOST_TEST((found(administrator(), "john@corp.example") == std::set<std::string>{"enrollment " + std::to_string(john) + " request.awaiting_approval"}));
    BOOST_TEST(found(administrator(), "nobody@corp.example").empty());
}

BOOST_AUTO_TEST_CASE(a_refusal_is_explained_by_its_request) {
    Ready w;
    auto r = w.request({"www.other.test"}, "order-2");
    const auto id = r.id;
    BOOST_TEST(!w.submit(std::move(r)).has_value());
    const auto text = w.explain(administrator(), id.get()).value();
    BOOST_TEST(contains(text, R"("outcome":"refused","check":"names.scope")"));
    BOOST_TEST(contains(text, "outside the scope of account team"));
}

BOOST_AUTO_TEST_CASE(another_tenants_records_are_as_absent_as_none) {
    Ready w;
    const auto none = w.explain(w.stranger(), "nosuchrequest000");
    check_refused(none, ProblemKind::not_found, "nothing is recorded under nosuchrequest000; give a request id");
    for (const auto& reference : {w.id.get(), std::to_string(w.certificate.enrollment.get()), core::hex(w.certificate.serial)})
        check_refused(w.explain(w.stranger(), reference), ProblemKind::not_found, "nothing is recorded under " + reference);
    check_refused(w.run(ra::find_certificate(w.db, w.stranger(), core::hex(w.certificate.serial))), ProblemKind::not_found, "no certificate with serial");
    BOOST_TEST(w.run(ra::list_certificates(w.db, w.stranger(), 0, 10)).empty());
    BOOST_TEST(w.run(ra::list_certificates(w.db, w.own(), 0, 10)).size() == 1U);
    check_refused(w.run(ra::find_certificate(w.db, administrator(), "xyz")), ProblemKind::not_found, "no certificate with serial xyz");
}

BOOST_AUTO_TEST_CASE(certificates_are_listed_page_by_page) {
    Ready w;
    for (int i = 0; i < 4; ++i) w.issue({"corp.example"}, "more-" + std::to_string(i));
    const auto by = administrator();
    std::int64_t after = 0;
    std::size_t seen = 0;
    for (;;) {
        const auto page = w.run(ra::list_certificates(w.db, by, after, 2));
        if (page.empty()) break;
        BOOST_TEST(page.size() <= 2U);
        for (const auto& row : page) {
            BOOST_TEST(row.integer(0) > after);
            after = row.integer(0);
            ++seen;
        }
    }
    BOOST_TEST(seen == 5U);
}

BOOST_AUTO_TEST_CASE(a_revocation_is_recorded_audited_and_published) {
    Ready w;
    BOOST_TEST(w.revoke(4).has_value());
    const auto c = w.certificates().at(0);
    BOOST_TEST(c.status == "revoked");
    BOOST_TEST((c.revoked == w.clock.now()));
    BOOST_TEST((c.revoked_reason == std::int64_t{4}));
    const auto e = w.enrollments().at(0);
    BOOST_TEST(e.status == "revoked");
    BOOST_TEST(!e.attempt_bound);
    const auto listed = w.read(revocation_rows);
    BOOST_TEST_REQUIRE(listed.size() == 1U);
    BOOST_TEST((listed[0].blob(0) == c.serial));
    BOOST_TEST(listed[0].integer(1) == 4);
    BOOST_TEST(w.ca.published == 1);
    const auto audits = w.audits("certificate.revoked");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST(audits[0].text(3) == "{\"serial\":\"" + core::hex(c.serial) + "\",\"reason\":4}");
    BOOST_TEST(audits[0].text(8) == "revokerequest000");
    BOOST_TEST(contains(w.explain(administrator(), core::hex(c.serial)).value(), "certificate.revoked"));
}

BOOST_AUTO_TEST_CASE(a_second_revocation_is_told_and_changes_nothing) {
    Ready w;
    BOOST_TEST(w.revoke(1).has_value());
    check_refused(w.revoke(3), ProblemKind::already_revoked, "is revoked already");
    BOOST_TEST((w.certificates().at(0).revoked_reason == std::int64_t{1}));
    BOOST_TEST(w.audits("certificate.revoked").size() == 1U);
    BOOST_TEST(w.ca.published == 1);
}

BOOST_AUTO_TEST_CASE(reasons_that_are_not_a_requesters_are_refused) {
    Ready w;
    for (const std::int64_t reason : {-1, 2, 6, 7, 8, 9, 10, 11})
        check_refused(w.revoke(reason), ProblemKind::bad_revocation_reason,
                      "revocation reason " + std::to_string(reason) + " is not accepted; use 0, 1, 3, 4 or 5");
    BOOST_TEST(w.certificates().at(0).status == "issued");
    for (const std::int64_t reason : {0, 1, 3, 4, 5}) BOOST_TEST(ra::revocation_reason_allowed(reason));
}

BOOST_AUTO_TEST_CASE(a_backend_that_cannot_revoke_says_so) {
    Ready w;
    w.ca.can_revoke = false;
    check_refused(w.revoke(0), ProblemKind::unsupported, "backend scripted cannot revoke");
    BOOST_TEST(w.certificates().at(0).status == "issued");
}

BOOST_AUTO_TEST_SUITE_END()

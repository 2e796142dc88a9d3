#include "tests/unit/api/rest.hpp"

BOOST_AUTO_TEST_SUITE(api_enrollments)

using namespace postern;
using namespace postern::test;

namespace {

/// One request of the first tenant that waits for an officer.
struct Waiting : Rest {
    Waiting() {
        std::string text(standard_documents);
        text.replace(text.find("name = \"server\""), 15, "name = \"server\"\napproval = \"officer\"");
        text.replace(text.find("{generate = true}"), 17, "\"keep\"");
        apply(text).value();
        auto r = request({"corp.example"}, "order-2");
        r.asked_by = "principal chief";
        number = std::to_string(std::get<ra::PendingEnrollment>(submit(std::move(r)).value()).enrollment.get());
        path = v1 + "requests/" + number;
        seen = std::string(parsed(with(auditor, Method::get, path)).root()["approval"]["contentHash"].string().value());
    }
    [[nodiscard]] std::string said(std::string_view message, std::string hash = {}) const {
        json::Writer w;
        w.begin_object().member("contentHash", hash.empty() ? seen : hash);
        if (!message.empty()) w.member("message", message);
        w.end_object();
        return w.take();
    }
    std::string number, path, seen;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_request_is_explained) {
    Rest w;
    const auto request = w.enrollments().at(0).request.get();
    const auto answer = w.local(Method::get, v1 + "explain?reference=" + request);
    BOOST_TEST(answer.status == 200U);
    BOOST_TEST(parsed(answer).root()["request"].string().value() == request);
    check_error(w.local(Method::get, v1 + "explain?reference=nosuchrequest"), 404, -102, "nothing is recorded under nosuchrequest");
}

BOOST_AUTO_TEST_CASE(an_officer_sees_what_waits_and_approves_it) {
    Waiting w;
    const auto listed = parsed(w.with(w.auditor, Method::get, v1 + "requests?status=pending_approval"));
    BOOST_TEST(std::to_string(listed.root()["id"].integer().value()) == w.number);
    BOOST_TEST((listed.root()["state"].string().value() == "approval" && listed.root()["profile"].string().value() == "server" && listed.root()["account"].string().value() == "team"));
    BOOST_TEST(w.with(w.auditor, Method::get, v1 + "requests?held=1").body == w.with(w.auditor, Method::get, v1 + "requests").body);
    check_error(w.with(w.auditor, Method::get, v1 + "requests?status=new"), 400, -7, "status: known here: pending_approval, approved, declined");

    const auto shown = parsed(w.with(w.auditor, Method::get, w.path));
    const auto root = shown.root();
    BOOST_TEST((root["status"].string().value() == "pending_approval" && root["endpoint"].string().value() == "web" && root["profile"].string().value() == "server"));
    BOOST_TEST(root["waitsFor"].string().value() == "an officer must approve the request");
    BOOST_TEST(root["evidence"].items().at(0)["kind"].string().value() == "account_key");
    const auto approval = root["approval"];
    BOOST_TEST((approval["askedBy"].string().value() == "principal chief" && approval["content"]["names"].string().value() == "corp.example"));
    int asking = 0;
    for (const auto& entry : approval["trace"].items()) asking += entry["verdict"].string().value() == "needs_approval" ? 1 : 0;
    BOOST_TEST(asking == 1);
    BOOST_TEST(contains(root["csr"].string().value(), "BEGIN CERTIFICATE REQUEST"));

    const auto done = w.with(w.officer, Method::post, w.path + "/approve", w.said("known to me"));
    BOOST_TEST(done.status == 200U);
    const auto after = parsed(done);
    BOOST_TEST((after.root()["status"].string().value() == "issued" && after.root()["approval"]["decidedBy"].string().value() == "principal officer"));
    BOOST_TEST(after.root()["approval"]["message"].string().value() == "known to me");
    BOOST_TEST(w.with(w.auditor, Method::get, v1 + "requests").body.empty());
    check_error(w.with(w.officer, Method::post, w.path + "/approve", w.said("again")), 409, -1112, "was approved by principal officer at ");
    check_error(w.with(w.officer, Method::post, w.path + "/decline", w.said("no")), 409, -1112, "was approved by principal officer at ");
    BOOST_TEST(w.ca.asked == 2);  // one of Rest's own
}

BOOST_AUTO_TEST_CASE(who_may_not_decide_reads_why) {
    Waiting w;
    for (const auto* verb : {"/approve", "/decline"}) BOOST_TEST_CONTEXT(verb) {
        check_error(w.with(w.auditor, Method::post, w.path + verb, w.said("x")), 403, -3, "auditor is auditor; this needs officer");
        check_error(w.with(w.stranger, Method::post, w.path + verb, w.said("x")), 404, -102, "there is no request " + w.number);
        check_error(w.with(w.administrator_token, Method::post, w.path + verb, w.said("x")), 403, -3, "chief had request " + w.number + " asked for; somebody else decides it");
        check_error(w.with(w.officer, Method::post, v1 + "requests/999" + verb, w.said("x")), 404, -102, "there is no request 999");
        check_error(w.with(w.officer, Method::post, w.path + verb, w.said("x", std::string(64, '0'))), 409, -1112, "resolves to something else than you saw; look at it again");
        check_error(w.with(w.officer, Method::post, w.path + verb, w.said("x", "zz")), 400, -7, "$.contentHash: expected the contentHash that was shown");
        check_error(w.with(w.officer, Method::post, w.path + verb, R"({"message":"x"})"), 400, -7, "$.contentHash");
        check_error(w.with(w.officer, Method::post, w.path + verb, w.said("two\nlines")), 400, -7, "message: one line of");
        check_error(w.with(w.officer, Method::post, w.path + verb, R"({"contentHash":"00","why":"x"})"), 400, -7, "$.why: unknown member");
    }
    check_error(w.with(w.stranger, Method::get, w.path), 404, -102, "there is no request");
    check_error(w.with(w.officer, Method::post, w.path + "/decline", w.said("")), 400, -7, "message: one line of 1 to 500 octets");
    // The role is asked at the moment of the decision.
    BOOST_TEST(w.run(w.principals.set_active("officer", false, administrator(), core::RequestId("r"))).value());
    check_error(w.with(w.officer, Method::post, w.path + "/approve", w.said("x")), 401, -16, "authenticate");
    BOOST_TEST((w.enrollments().back().status == "pending_approval" && w.ca.asked == 1));
    BOOST_TEST(w.local(Method::post, w.path + "/decline", w.said("not ours")).status == 200U);
    check_error(w.local(Method::post, w.path + "/approve", w.said("")), 409, -1112, "its ACME order is invalid, which is final");
}

BOOST_AUTO_TEST_CASE(certificates_are_one_object_a_line_and_paged) {
    Rest w;
    for (int i = 0; i < 2; ++i) w.issue({"www.corp.example"}, "more-" + std::to_string(i));
    const auto all = w.local(Method::get, v1 + "certificates");
    BOOST_TEST(all.header("Content-Type") == "application/x-ndjson");
    BOOST_TEST(std::count(all.body.begin(), all.body.end(), '\n') == 3);
    BOOST_TEST(all.header("X-Next-After").empty());
    const auto first = json::Document::parse(all.body.substr(0, all.body.find('\n'))).value();
    BOOST_TEST(first.root()["serial"].string().value() == w.serial);
    BOOST_TEST(first.root()["names"].items().at(0).string().value() == "corp.example");
    BOOST_TEST(first.root()["status"].string().value() == "issued");

    std::string after = "0";
    int pages = 0;
    for (; !after.empty(); ++pages) {
        const auto page = w.local(Method::get, v1 + "certificates?limit=2&after=" + after);
        BOOST_TEST(page.status == 200U);
        after = page.header("X-Next-After");
    }
    BOOST_TEST(pages == 2);
    for (const auto* query : {"limit=0", "limit=1001", "limit=x", "after=-1", "after=9999999999999999999", "limit="})
        check_error(w.local(Method::get, v1 + "certificates?" + query), 400, -7, ": expected ");

    w.clock.advance(24h * 31);
    BOOST_TEST(contains(w.local(Method::get, v1 + "certificates").body, R"("status":"expired")"));
}

BOOST_AUTO_TEST_CASE(certificates_of_several_nodes_are_oldest_first) {
    // Another node drew its numbers from a later block, and issued before.
    static constexpr store::Statement earlier{"test_earlier", "UPDATE certificate SET created_ms = created_ms - 61000 WHERE id = (SELECT max(id) FROM certificate)"};
    Rest w;
    const auto second = w.issue({"www.corp.example"}, "second");
    store::Batch batch;
    batch.add(earlier, {});
    BOOST_TEST(w.run(w.db.write(std::move(batch))).has_value());
    const auto page = w.local(Method::get, v1 + "certificates?limit=2");
    const auto end = page.body.find('\n');
    const auto first = json::Document::parse(page.body.substr(0, end)).value(), last = json::Document::parse(page.body.substr(end + 1)).value();
    BOOST_TEST(first.root()["id"].integer().value() == second.certificate.get());
    BOOST_TEST(first.root()["issued"].string().value() == core::rfc3339(w.clock.now() - 61s));
    BOOST_TEST((last.root()["serial"].string().value() == w.serial && last.root()["issued"].string().value() == core::rfc3339(w.clock.now())));
    // The pages go by numbers, whatever the time.
    BOOST_TEST(page.header("X-Next-After") == std::to_string(second.certificate.get()));
}

BOOST_AUTO_TEST_CASE(a_serial_is_found_however_it_is_spelled) {
    Rest w;
    std::string pairs;
    for (std::size_t at = 0; at < w.serial.size(); at += 2) pairs += (at > 0 ? ":" : "") + w.serial.substr(at, 2);
    for (const auto& text : {w.serial, "0x" + w.serial, "00" + w.serial, pairs, "0X00:" + pairs}) {
        const auto shown = w.local(Method::get, v1 + "certificates/" + text);
        BOOST_TEST_REQUIRE(shown.status == 200U, text);
        BOOST_TEST(parsed(shown).root()["serial"].string().value() == w.serial);
    }
    check_error(w.local(Method::get, v1 + "certificates/xx"), 404, -102, "no certificate with serial xx");
}

BOOST_AUTO_TEST_CASE(a_certificate_is_shown_and_revoked_once) {
    Rest w;
    const auto path = v1 + "certificates/" + w.serial;
    const auto shown = parsed(w.local(Method::get, path));
    BOOST_TEST(contains(shown.root()["pem"].string().value(), "-----BEGIN CERTIFICATE-----"));
    BOOST_TEST(shown.root()["subject"].string().value() == "CN=corp.example,OU=it,O=Acme Corporation,C=DE");
    BOOST_TEST(w.local(Method::post, path + "/revoke", R"({"reason":4})").status == 204U);
    check_error(w.local(Method::post, path + "/revoke", R"({"reason":4})"), 409, -110, "is revoked already");
    const auto after = parsed(w.local(Method::get, path));
    BOOST_TEST(after.root()["status"].string().value() == "revoked");
    BOOST_TEST(after.root()["reason"].integer().value() == 4);
    BOOST_TEST(after.root()["revoked"].string().value() == "2027-01-15T08:00:00Z");
    const auto audits = w.audits("certificate.revoked");
    BOOST_TEST(audits.at(0).text(7) == "uid " + std::to_string(::geteuid()));
    check_error(w.local(Method::get, v1 + "certificates/00ab"), 404, -102, "no certificate with serial 00ab");
    check_error(w.local(Method::post, v1 + "certificates/00ab/revoke", "{}"), 404, -102, "no certificate with serial 00ab");
}

BOOST_AUTO_TEST_SUITE_END()

#include "api/api.hpp"

#include <unistd.h>

#include "core/json/reader.hpp"
#include "core/json/writer.hpp"
#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(api_routes)

using namespace postern;
using namespace postern::test;
using http::Method;

namespace {

/// Answers as the process would, and remembers what was asked of it.
class ScriptedOperations final : public api::Operations {
public:
    core::Result<void> start_backup(BackupOrder order, ra::Principal, core::RequestId) override {
        target = order.target + (order.with_master_key ? *order.with_master_key ? " with" : " without" : "");
        if (order.target == "/taken") return core::Problem(core::ProblemKind::conflict, "/taken exists");
        return {};
    }
    [[nodiscard]] std::string backup_status() const override { return R"({"state":"running","done":1,"total":2})"; }
    core::Task<core::Result<ra::OpenReport>> open_restored(std::vector<core::Bytes> crls, bool none, ra::Principal, core::RequestId) override {
        opened_with = std::to_string(crls.size()) + (none ? " none" : "");
        ra::OpenReport report;
        report.crls.emplace_back().key_id = "0badcafe";
        co_return report;
    }
    [[nodiscard]] std::string server() const override { return R"({"running":false})"; }
    core::Task<core::Result<std::string>> reload() override { co_return std::string(R"({"changed":[],"restart":[]})"); }
    core::Task<core::Result<void>> advance_laboratory_clock(std::chrono::milliseconds by, ra::Principal principal, core::RequestId) override {
        advanced = principal.name + " " + core::format_duration(by);
        if (by == 1h) co_return core::Problem(core::ProblemKind::forbidden, "started without --lab");
        co_return core::Result<void>();
    }
    [[nodiscard]] std::string authorities() const override { return R"({"authorities":[]})"; }
    core::Task<core::Result<std::string>> prepare_successor(core::TimePoint takes_over, ra::Principal, core::RequestId) override {
        co_return R"({"takesOver":")" + core::rfc3339(takes_over) + "\"}";
    }
    core::Task<core::Result<std::string>> import_ra(RaImport import, ra::Principal, core::RequestId) override {
        imported = import.endpoint + " " + import.key.expose() + " " + import.certificates;
        co_return std::string(R"({"serial":"01"})");
    }
    core::Task<ClientFacts> client_facts(core::EndpointId) override {
        ClientFacts facts;
        facts.https = "https://ra.test";
        facts.http = "http://ra.test";
        facts.chain = chain;
        facts.ra = ra;
        co_return facts;
    }
    core::Task<core::Result<core::Bytes>> sign_for_clients(core::Bytes content) override {
        content.insert(content.begin(), 'S');
        co_return content;
    }
    std::string target, opened_with, advanced, imported;
    std::vector<core::Bytes> chain;
    core::Bytes ra;
};

/// Says of every account that it is half well.
class ScriptedIntune final : public azure::Intune {
public:
    core::Task<core::Result<void>> validate(azure::AccountRef, azure::ValidationRequest, core::Deadline) override { return nothing(); }
    core::Task<core::Result<void>> notify_success(azure::AccountRef, azure::SuccessNotice, core::Deadline) override { return nothing(); }
    core::Task<core::Result<void>> notify_failure(azure::AccountRef, azure::FailureNotice, core::Deadline) override { return nothing(); }
    core::Task<core::Result<std::vector<azure::RevocationRequest>>> download_revocations(azure::AccountRef, int, core::Deadline) override {
        azure::RevocationRequest foreign;
        foreign.context = "context";
        foreign.serial = "01";
        foreign.issuer_id = "another";
        std::vector<azure::RevocationRequest> page;
        if (!std::exchange(asked, true)) page.push_back(std::move(foreign));
        co_return page;
    }
    core::Task<core::Result<void>> upload_results(azure::AccountRef, std::vector<azure::RevocationResult>, core::Deadline) override { return nothing(); }
    core::Task<std::vector<azure::TestStep>> test(azure::AccountRef account, core::Deadline) override {
        azure::TestStep good, bad;
        good.name = "first";
        good.passed = true;
        bad.name = "second";
        bad.result = "of " + account->label();
        bad.advice = "mend it";
        bad.check = "intune.service";
        co_return std::vector<azure::TestStep>{good, bad};
    }

    bool asked = false;

private:
    static core::Task<core::Result<void>> nothing() { co_return core::Problem(core::ProblemKind::internal, "not asked here"); }
};

/// The registration authority with the REST routes over it, and one principal of each kind.
struct Rest : World {
    Rest() {
        apply_standard();
        apply("[[tenant]]\nname = \"second\"\n").value();
        api.add_routes(router, api::Api::Reach::network);
        issue({"corp.example"});
        serial = core::hex(certificates().at(0).serial);
        administrator_token = mint("chief", ra::Role::administrator, {});
        officer = mint("officer", ra::Role::officer, tenant());
        auditor = mint("auditor", ra::Role::auditor, tenant());
        stranger = mint("stranger", ra::Role::administrator, catalog.current()->tenant("second")->id);
    }
    std::string mint(std::string name, ra::Role role, std::optional<core::TenantId> of) {
        return run(principals.create(std::move(name), role, of, {}, administrator(), core::RequestId("r"))).value().expose();
    }
    static http::Request ask(Method method, std::string target, std::string body = {}) {
        http::Request r;
        r.method = method;
        r.path = target.substr(0, target.find('?'));
        if (r.path.size() < target.size()) r.query = target.substr(r.path.size() + 1);
        r.target = std::move(target);
        if (!body.empty()) r.headers.emplace_back("Content-Type", "application/json");
        r.body = std::move(body);
        r.id = core::RequestId("testrequest00000");
        r.deadline = core::deadline_in(30s);
        return r;
    }
    std::string installation_auditor() { return mint("watcher" + std::to_string(++watchers), ra::Role::auditor, {}); }
    int watchers = 0;
    http::Response send(http::Request r) { return run(router.handle(std::move(r))); }
    http::Response local(Method method, std::string target, std::string body = {}) {
        auto r = ask(method, std::move(target), std::move(body));
        r.peer.unix_uid = ::geteuid();
        return send(std::move(r));
    }
    http::Response with(const std::string& token, Method method, std::string target, std::string body = {}) {
        auto r = ask(method, std::move(target), std::move(body));
        r.headers.emplace_back("Authorization", "Bearer " + token);
        return send(std::move(r));
    }

    ScriptedOperations operations;
    ScriptedIntune intune;
    ra::IntuneRevocations intune_revocations{ra::IntuneRevocations::Deps{db, numbers, catalog, backends, revocation, intune, random, clock, log, metrics, "node-1"}};
    core::CpuPool workers{1, 8};
    ra::Predecessors predecessors{ra::Predecessors::Deps{db, numbers, catalog, clock}};
    ra::ImportedCertificates imported_certificates{ra::ImportedCertificates::Deps{db, numbers, catalog, workers, clock}};
    ra::EstDevices est_devices{ra::EstDevices::Deps{db, numbers, catalog, clock}};
    api::Api api{api::Api::Deps{db, catalog, documents, principals, revocation, clock, blocked_keys, profile_pauses, parked_messages, operations, clock_agreement, enrollment, approvals, backends, intune, intune_revocations, challenges, predecessors, imported_certificates, est_devices}};
    http::Router router;
    std::string serial, administrator_token, officer, auditor, stranger;
};

const std::string v1 = "/api/postern/v1/";

json::Document parsed(const http::Response& r) { return json::Document::parse(r.body).value(); }

void check_error(const http::Response& r, unsigned status, std::int64_t code, std::string_view part) {
    BOOST_TEST_CONTEXT(r.body) {
        BOOST_TEST(r.status == status);
        BOOST_TEST(r.header("Content-Type") == "application/json");
        const auto document = parsed(r);
        BOOST_TEST(document.root()["code"].integer().value() == code);
        BOOST_TEST(contains(document.root()["description"].string().value(), part));
        BOOST_TEST(document.root()["requestId"].string().value() == "testrequest00000");
    }
}

std::string apply_body(std::string_view text, std::string_view more = {}) {
    json::Writer w;
    w.begin_object().key("documents").begin_array().begin_object().member("name", "site.toml").member("text", text).end_object().end_array().end_object();
    auto out = w.take();
    out.insert(out.size() - 1, more);
    return out;
}

const std::pair<Method, std::string> all_routes[] = {
    {Method::post, "apply"},          {Method::get, "export"},           {Method::get, "explain?reference=abc"},
    {Method::get, "certificates"},    {Method::get, "certificates/00ab"}, {Method::post, "certificates/00ab/revoke"},
    {Method::post, "principals"},     {Method::get, "blocked-keys"},     {Method::post, "blocked-keys"},
    {Method::post, "blocked-keys/unblock"}, {Method::post, "keys/check"},
    {Method::get, "paused-profiles"}, {Method::post, "paused-profiles/resume"},
    {Method::get, "clock"},           {Method::post, "clock/accept"},
    {Method::get, "server"},          {Method::get, "outbox"},
    {Method::get, "azure-accounts"},  {Method::post, "azure-accounts/test"}, {Method::post, "azure-accounts/revocations"},
    {Method::post, "outbox/retry"},   {Method::post, "outbox/drop"},
    {Method::get, "requests"},        {Method::get, "requests/7"},
    {Method::post, "requests/7/approve"}, {Method::post, "requests/7/decline"},
    {Method::get, "predecessors"},    {Method::post, "predecessors"},    {Method::post, "predecessors/remove"},
    {Method::get, "imported-certificates"}, {Method::get, "imported-certificates/find"}, {Method::post, "imported-certificates"},
    {Method::post, "imported-certificates/remove"}, {Method::post, "client-configurations"},
};

}  // namespace

BOOST_AUTO_TEST_CASE(nobody_gets_nothing) {
    Rest w;
    for (const auto& [method, path] : all_routes) BOOST_TEST_CONTEXT(path) {
        const auto bare = w.send(Rest::ask(method, v1 + path));
        check_error(bare, 401, -16, "authenticate with a token of `postern principal create`");
        BOOST_TEST(bare.header("WWW-Authenticate") == "Bearer realm=\"postern\"");
        check_error(w.with("postern_wrong", method, v1 + path), 401, -16, "authenticate");
        auto basic = Rest::ask(method, v1 + path);
        basic.headers.emplace_back("Authorization", "Basic dXNlcjpwYXNz");
        check_error(w.send(std::move(basic)), 401, -16, "authenticate");
        auto foreign = Rest::ask(method, v1 + path);
        foreign.peer.unix_uid = ::geteuid() + 12345;
        check_error(w.send(std::move(foreign)), 401, -16, "authenticate");
    }
}

BOOST_AUTO_TEST_CASE(a_foreign_peer_of_the_control_socket_may_not_bring_a_token) {
    Rest w;
    auto r = Rest::ask(Method::get, v1 + "export");
    r.peer.unix_uid = ::geteuid() + 12345;
    r.headers.emplace_back("Authorization", "Bearer " + w.administrator_token);
    check_error(w.send(std::move(r)), 401, -16, "authenticate");
}

BOOST_AUTO_TEST_CASE(azure_accounts_are_their_tenants) {
    Rest w;
    const std::string document = "[[azure_account]]\nname = \"corp\"\ndirectory = \"contoso.example\"\napplication = \"3f0d1e7a-64c4-4d1f-8f55-0e9fd7c1b2aa\"\n"
                                 "secret = {value = \"s3cret\"}\n";
    w.apply(document).value();
    const auto test = [&](const std::string& token, const std::string& name) {
        return w.with(token, Method::post, v1 + "azure-accounts/test", R"({"azure_account":")" + name + "\"}");
    };
    const auto told = test(w.administrator_token, "default/corp");
    BOOST_TEST(told.status == 200U);
    const auto answer = parsed(told);
    BOOST_TEST(answer.root()["passed"].boolean().value() == false);
    const auto second = answer.root()["steps"].items().at(1);
    BOOST_TEST(second["result"].string().value() == "of default/corp");
    BOOST_TEST(second["advice"].string().value() == "mend it");
    check_error(test(w.stranger, "default/corp"), 404, -102, "there is no azure_account default/corp");
    check_error(test(w.administrator_token, "default/nobody"), 404, -102, "there is no azure_account default/nobody");
    check_error(test(w.officer, "default/corp"), 403, -3, "this needs administrator");
    const auto revocations = [&](const std::string& token, const std::string& name) {
        return w.with(token, Method::post, v1 + "azure-accounts/revocations", R"({"azure_account":")" + name + "\"}");
    };
    check_error(revocations(w.stranger, "default/corp"), 404, -102, "there is no azure_account default/corp");
    BOOST_TEST(contains(revocations(w.administrator_token, "default/corp").body,
                        R"({"azure_account":"default/corp","asked":1,"revoked":0,"refused":0,"foreign":1,"told":0})"));
    const auto list = w.with(w.auditor, Method::get, v1 + "azure-accounts").body;
    BOOST_TEST(contains(list, R"("azure_account":"default/corp","enabled":true,"environment":"global","directory":"contoso.example")"), list);
    BOOST_TEST((!contains(list, "s3cret") && !contains(list, "warning")));
    BOOST_TEST(w.with(w.stranger, Method::get, v1 + "azure-accounts").body.empty());
}

BOOST_AUTO_TEST_CASE(a_role_does_what_it_is_for) {
    Rest w;
    const auto revoke = v1 + "certificates/" + w.serial + "/revoke";
    check_error(w.with(w.auditor, Method::post, revoke, R"({"reason":0})"), 403, -3, "auditor is auditor; this needs officer");
    check_error(w.with(w.auditor, Method::post, v1 + "apply", apply_body("")), 403, -3, "this needs administrator");
    check_error(w.with(w.officer, Method::post, v1 + "apply", apply_body("")), 403, -3, "officer is officer; this needs administrator");
    check_error(w.with(w.officer, Method::post, v1 + "principals", "{}"), 403, -3, "this needs administrator");
    for (const auto* token : {&w.auditor, &w.officer, &w.administrator_token})
        for (const auto* path : {"export", "certificates"}) BOOST_TEST(w.with(*token, Method::get, v1 + path).status == 200U);
    BOOST_TEST(w.with(w.officer, Method::post, revoke, R"({"reason":0})").status == 204U);
}

BOOST_AUTO_TEST_CASE(the_clock_is_shown_to_auditors_and_accepted_by_administrators_of_all) {
    Rest w;
    const auto agree = [](const http::Response& r) { return parsed(r).root()["agree"].boolean().value(); };
    w.run(w.clock_agreement.open());
    BOOST_TEST(agree(w.with(w.auditor, Method::get, v1 + "clock")));
    w.clock.step(1h);
    const auto shown = w.with(w.auditor, Method::get, v1 + "clock");
    BOOST_TEST(!agree(shown));
    BOOST_TEST(parsed(shown).root()["apart_seconds"].integer().value() == 3600);
    BOOST_TEST(contains(parsed(shown).root()["reason"].string().value(), "run: postern clock accept"));
    check_error(w.with(w.auditor, Method::post, v1 + "clock/accept"), 403, -3, "this needs administrator");
    check_error(w.with(w.officer, Method::post, v1 + "clock/accept"), 403, -3, "this needs administrator");
    check_error(w.with(w.stranger, Method::post, v1 + "clock/accept"), 403, -3, "the clock is the whole installation's");
    BOOST_TEST(!w.clock_agreement.check());
    BOOST_TEST(agree(w.with(w.administrator_token, Method::post, v1 + "clock/accept")));
    BOOST_TEST(w.audits("clock.accepted").size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_scheme_is_read_in_any_letter_case) {
    Rest w;
    auto r = Rest::ask(Method::get, v1 + "export");
    r.headers.emplace_back("authorization", "bearer " + w.auditor);
    BOOST_TEST(w.send(std::move(r)).status == 200U);
}

BOOST_AUTO_TEST_CASE(documents_are_applied_and_exported) {
    Rest w;
    const std::string text = "[[profile]]\nname = \"short\"\nlifetime = \"7d\"\n[[account]]\nname = \"new\"\nendpoint = \"web\"\nmethod = \"eab\"\nsecret = {generate = true}\n";
    const auto dry = w.local(Method::post, v1 + "apply", apply_body(text, R"(,"dryRun":true)"));
    BOOST_TEST(dry.status == 200U);
    BOOST_TEST(dry.header("Cache-Control") == "no-store");
    BOOST_TEST(dry.body == R"({"dryRun":true,"changed":true,"plan":[{"change":"create","kind":"profile","name":"default/short","fields":[]},)"
                           R"({"change":"create","kind":"account","name":"default/new","fields":[]}],"secrets":[]})");
    const auto done = parsed(w.local(Method::post, v1 + "apply", apply_body(text)));
    BOOST_TEST(!done.root()["dryRun"].boolean().value());
    const auto secrets = done.root()["secrets"].items();
    BOOST_TEST_REQUIRE(secrets.size() == 1U);
    BOOST_TEST(secrets[0]["account"].string().value() == "default/new");
    BOOST_TEST(secrets[0]["macKey"].string().value().size() == 43U);
    const auto again = parsed(w.local(Method::post, v1 + "apply", apply_body(text)));
    BOOST_TEST(!again.root()["changed"].boolean().value());

    const auto exported = w.local(Method::get, v1 + "export");
    BOOST_TEST(exported.header("Content-Type") == "application/toml");
    BOOST_TEST(contains(exported.body, "name = \"short\""));
    BOOST_TEST(!contains(exported.body, secrets[0]["macKey"].string().value()));
    const auto back = parsed(w.local(Method::post, v1 + "apply", apply_body(exported.body, R"(,"prune":true)")));
    BOOST_TEST(!back.root()["changed"].boolean().value());
}

BOOST_AUTO_TEST_CASE(wrong_bodies_are_refused_with_what_is_wrong) {
    Rest w;
    const auto revoke = "certificates/" + w.serial + "/revoke";
    struct Case {
        std::string path, body, part;
    };
    const Case cases[] = {
        {"apply", "{", "$"},
        {"apply", "[]", "expected an object"},
        {"apply", R"({"documents":[],"dry_run":true})", "$.dry_run: unknown member"},
        {"apply", R"({"documents":[]})", "documents: expected at least one"},
        {"apply", R"({})", "documents: expected at least one"},
        {"apply", R"({"documents":[{"name":"a"}]})", "$.documents[0].text"},
        {"apply", R"({"documents":[{"text":"a"}]})", "$.documents[0].name"},
        {"apply", R"({"documents":[{"name":"a","text":"","mode":1}]})", "$.documents[0].mode: unknown member"},
        {"apply", R"({"documents":[7]})", "$.documents[0]"},
        {"apply", R"({"documents":[{"name":"a","text":""}],"prune":"yes"})", "$.prune"},
        {"apply", apply_body("[[profile]]\ncolour = 1\n"), "site.toml:2: profile[0].colour: unknown key"},
        {"principals", R"({"name":"x","role":"officer","admin":true})", "$.admin: unknown member"},
        {"principals", R"({"role":"officer"})", "$.name"},
        {"principals", R"({"name":"","role":"officer"})", "expected 1 to 64 visible ASCII characters"},
        {"principals", R"({"name":"x\u001b[2J","role":"officer"})", "expected 1 to 64 visible ASCII characters"},
        {"principals", R"({"name":" x","role":"officer"})", "expected 1 to 64 visible ASCII characters"},
        {"principals/disable", R"({})", "$.name"},
        {"principals/enable", R"({"name":"x","why":"y"})", "$.why: unknown member"},
        {"principals", R"({"name":"x"})", "$.role"},
        {"principals", R"({"name":"x","role":"root"})", "$.role: known here: administrator, officer, auditor, enroller"},
        {"principals", R"({"name":"x","role":"officer","tenant":"gone"})", "$.tenant: there is no such tenant"},
        {"principals", R"({"name":"x","role":"officer","expires":"2020-01-01T00:00:00Z"})", "$.expires: expected a time to come"},
        {"principals", R"({"name":"x","role":"officer","expires":"soon"})", "$.expires: expected a time to come"},
        {revoke, R"({"why":1})", "$.why: unknown member"},
        {revoke, R"({"reason":"1"})", "$.reason"},
        {revoke, R"({"reason":2})", "revocation reason 2 is not accepted; use 0, 1, 3, 4 or 5"},
    };
    for (const auto& c : cases) BOOST_TEST_CONTEXT(c.path << " " << c.body)
        check_error(w.local(Method::post, v1 + c.path, c.body), 400, -7, c.part);

    auto plain = Rest::ask(Method::post, v1 + "apply", "{}");
    plain.headers.clear();
    plain.peer.unix_uid = ::geteuid();
    check_error(w.send(std::move(plain)), 400, -7, "send Content-Type: application/json");
    BOOST_TEST(w.certificates().at(0).status == "issued");
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

BOOST_AUTO_TEST_CASE(a_request_is_explained) {
    Rest w;
    const auto request = w.enrollments().at(0).request.get();
    const auto answer = w.local(Method::get, v1 + "explain?reference=" + request);
    BOOST_TEST(answer.status == 200U);
    BOOST_TEST(parsed(answer).root()["request"].string().value() == request);
    check_error(w.local(Method::get, v1 + "explain?reference=nosuchrequest"), 404, -102, "nothing is recorded under nosuchrequest");
}

BOOST_AUTO_TEST_CASE(principals_are_listed_disabled_and_enabled) {
    Rest w;
    const auto list = [&](const http::Response& r) {
        std::string out;
        const auto document = parsed(r);
        for (const auto& p : document.root()["principals"].items())
            out += std::string(p["name"].string().value()) + " " + std::string(p["role"].string().value()) + " " + std::string(p["status"].string().value()) + "\n";
        return out;
    };
    BOOST_TEST(list(w.local(Method::get, v1 + "principals")) == "chief administrator active\nofficer officer active\nauditor auditor active\nstranger administrator active\n");
    BOOST_TEST(!contains(w.local(Method::get, v1 + "principals").body, "postern_"));
    BOOST_TEST(list(w.with(w.stranger, Method::get, v1 + "principals")) == "stranger administrator active\n");
    check_error(w.with(w.officer, Method::get, v1 + "principals"), 403, -3, "officer is officer; this needs administrator");

    const std::string officer = R"({"name":"officer"})";
    const auto disabled = w.with(w.administrator_token, Method::post, v1 + "principals/disable", officer);
    BOOST_TEST(disabled.body == R"({"name":"officer","status":"disabled","changed":true})");
    check_error(w.with(w.officer, Method::get, v1 + "certificates"), 401, -16, "authenticate with a token");
    BOOST_TEST(w.local(Method::post, v1 + "principals/disable", officer).body == R"({"name":"officer","status":"disabled","changed":false})");
    BOOST_TEST(w.local(Method::post, v1 + "principals/enable", officer).body == R"({"name":"officer","status":"active","changed":true})");
    BOOST_TEST(w.with(w.officer, Method::get, v1 + "certificates").status == 200U);
    BOOST_TEST(w.audits("principal.disabled").size() == 1U);
    BOOST_TEST(w.audits("principal.enabled").at(0).text(5) == "officer");

    // Another tenant's principal is as absent as none, and the last administrator leaves the socket.
    check_error(w.with(w.stranger, Method::post, v1 + "principals/disable", officer), 404, -102, "there is no principal named officer");
    check_error(w.local(Method::post, v1 + "principals/disable", R"({"name":"nobody"})"), 404, -102, "there is no principal named nobody");
    check_error(w.with(w.officer, Method::post, v1 + "principals/disable", R"({"name":"chief"})"), 403, -3, "this needs administrator");
    BOOST_TEST(w.with(w.administrator_token, Method::post, v1 + "principals/disable", R"({"name":"chief"})").status == 200U);
    check_error(w.with(w.administrator_token, Method::get, v1 + "principals"), 401, -16, "authenticate with a token");
    BOOST_TEST(w.local(Method::post, v1 + "principals/enable", R"({"name":"chief"})").status == 200U);
    BOOST_TEST(w.with(w.administrator_token, Method::get, v1 + "principals").status == 200U);
}

BOOST_AUTO_TEST_CASE(a_disabled_tenants_principals_are_nobody) {
    Rest w;
    BOOST_TEST(w.with(w.stranger, Method::get, v1 + "certificates").status == 200U);
    const auto tenant = [&](std::string_view enabled) {
        return w.local(Method::post, v1 + "apply", apply_body("[[tenant]]\nname = \"second\"\nenabled = " + std::string(enabled) + "\n")).status;
    };
    BOOST_TEST(tenant("false") == 200U);
    check_error(w.with(w.stranger, Method::get, v1 + "certificates"), 401, -16, "authenticate with a token");
    BOOST_TEST(tenant("true") == 200U);
    BOOST_TEST(w.with(w.stranger, Method::get, v1 + "certificates").status == 200U);
}

BOOST_AUTO_TEST_CASE(what_a_role_may_not_do_is_on_record) {
    Rest w;
    check_error(w.with(w.auditor, Method::post, v1 + "principals/disable", R"({"name":"chief"})"), 403, -3, "auditor is auditor; this needs administrator");
    const auto audits = w.audits("api.refused");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST(audits[0].text(1) == "refused");
    BOOST_TEST(audits[0].text(2) == "principal.role");
    BOOST_TEST(audits[0].text(3) == R"({"trace":[{"check":"principal.role","input":"auditor is auditor","verdict":"refuse","reason":"this needs administrator"}]})");
    BOOST_TEST(contains(w.local(Method::get, v1 + "explain?reference=testrequest00000").body, "principal.role"));
    // Who is nobody leaves no record.
    check_error(w.with("postern_nobody", Method::get, v1 + "principals"), 401, -16, "authenticate with a token");
    BOOST_TEST(w.audits("api.refused").size() == 1U);
}

BOOST_AUTO_TEST_CASE(only_the_local_administrator_sends_more_than_a_mebibyte) {
    Rest w;
    http::Router local;
    w.api.add_routes(local, api::Api::Reach::local);
    const auto limit = [](const http::Router& router, std::string_view path) { return router.match(Method::post, path).limits.body_bytes; };
    BOOST_TEST(limit(local, v1 + "apply") == std::size_t{64} * 1024 * 1024);
    BOOST_TEST(limit(w.router, v1 + "apply") == std::size_t{1024} * 1024);
    BOOST_TEST(limit(w.router, v1 + "restoration/open") == std::size_t{1024} * 1024);
    // Longer than 1 MiB, read whole.
    std::string text;
    while (text.size() < std::size_t{1200} * 1024) text += "# a comment that makes the document longer than it need be\n";
    const auto body = apply_body(text + "[[tenant]]\nname = \"long\"\n");
    auto request = Rest::ask(Method::post, v1 + "apply", body);
    request.peer.unix_uid = ::geteuid();
    BOOST_TEST(w.run(local.handle(std::move(request))).status == 200U);
    BOOST_TEST(w.catalog.current()->tenant("long"));
}

BOOST_AUTO_TEST_CASE(a_principal_is_made_once_and_its_token_works) {
    Rest w;
    const auto made = w.local(Method::post, v1 + "principals", R"({"name":"robot","role":"auditor","tenant":"default","expires":"2030-01-01T00:00:00Z"})");
    BOOST_TEST(made.status == 201U);
    const auto document = parsed(made);
    BOOST_TEST(document.root()["role"].string().value() == "auditor");
    const std::string token(document.root()["token"].string().value());
    BOOST_TEST(w.with(token, Method::get, v1 + "certificates").status == 200U);
    check_error(w.local(Method::post, v1 + "principals", R"({"name":"robot","role":"auditor"})"), 409, -1112, "a principal named robot exists already");
}

BOOST_AUTO_TEST_CASE(a_tenants_principal_sees_only_its_own) {
    Rest w;
    const auto path = v1 + "certificates/" + w.serial;
    BOOST_TEST(w.with(w.stranger, Method::get, v1 + "certificates").body.empty());
    check_error(w.with(w.stranger, Method::get, path), 404, -102, "no certificate with serial");
    check_error(w.with(w.stranger, Method::post, path + "/revoke", R"({"reason":0})"), 404, -102, "no certificate with serial");
    check_error(w.with(w.stranger, Method::get, v1 + "explain?reference=" + w.enrollments().at(0).request.get()), 404, -102, "nothing is recorded");
    const auto exported = w.with(w.stranger, Method::get, v1 + "export").body;
    BOOST_TEST(contains(exported, "name = \"second\""));
    BOOST_TEST(!contains(exported, "default"));
    check_error(w.with(w.stranger, Method::post, v1 + "apply", apply_body("[[tenant]]\nname = \"default\"\n")), 400, -7, "only an administrator of every tenant changes a tenant");
    check_error(w.with(w.stranger, Method::post, v1 + "apply", apply_body("[[profile]]\ntenant = \"default\"\nname = \"p\"\n")), 400, -7, "there is no tenant named default");
    check_error(w.with(w.stranger, Method::post, v1 + "principals", R"({"name":"spy","role":"auditor","tenant":"default"})"), 400, -7, "there is no such tenant");

    // Whom it makes belongs to its tenant too, by name as well: what names others took is not to be found out.
    for (const auto* name : {"chief", "nobody", "default/chief", "second"})
        check_error(w.with(w.stranger, Method::post, v1 + "principals", R"({"name":")" + std::string(name) + R"(","role":"auditor"})"), 400, -7,
                    "expected a name that begins with \"second/\"");
    check_error(w.local(Method::post, v1 + "principals", R"({"name":"second/x","role":"auditor","tenant":"default"})"), 400, -7,
                "expected a name that begins with \"default/\"");
    check_error(w.local(Method::post, v1 + "principals", R"({"name":"second/x","role":"auditor"})"), 400, -7, "a slash follows the principal's tenant");
    const auto made = parsed(w.with(w.stranger, Method::post, v1 + "principals", R"({"name":"second/helper","role":"auditor"})"));
    const std::string token(made.root()["token"].string().value());
    BOOST_TEST(w.with(token, Method::get, v1 + "certificates").body.empty());
    BOOST_TEST(w.with(w.auditor, Method::get, path).status == 200U);
}

BOOST_AUTO_TEST_CASE(backups_are_for_who_sits_at_the_machine) {
    Rest w;
    const auto begun = w.local(Method::post, v1 + "backup", R"({"target":"/backup","masterKey":false})");
    BOOST_TEST(begun.status == 202U);
    BOOST_TEST(begun.body == R"({"state":"running","done":1,"total":2})");
    BOOST_TEST(w.operations.target == "/backup without");
    BOOST_TEST(w.local(Method::get, v1 + "backup").status == 200U);
    check_error(w.local(Method::post, v1 + "backup", R"({"target":"/taken"})"), 409, -1112, "/taken exists");
    check_error(w.local(Method::post, v1 + "backup", R"({"folder":"/taken"})"), 400, -7, "unknown member");
    check_error(w.local(Method::post, v1 + "backup", R"({"target":"/x","parentSeen":7})"), 400, -7, "parentSeen");
    check_error(w.local(Method::post, v1 + "backup", R"({"target":"/x","masterKey":"yes"})"), 400, -7, "masterKey");
    check_error(w.with(w.administrator_token, Method::post, v1 + "backup", R"({"target":"/backup"})"), 403, -3, "on the server's own machine only");
    check_error(w.with(w.administrator_token, Method::get, v1 + "backup"), 403, -3, "on the server's own machine only");
    check_error(w.with(w.officer, Method::post, v1 + "backup", R"({"target":"/backup"})"), 403, -3, "this needs administrator");
}

BOOST_AUTO_TEST_CASE(what_concerns_every_tenant_is_no_tenants_matter) {
    Rest w;
    const auto opened = w.with(w.administrator_token, Method::post, v1 + "restoration/open", R"({"crls":["MAA="],"nonePublished":true})");
    BOOST_TEST(opened.status == 200U);
    BOOST_TEST(w.operations.opened_with == "1 none");
    BOOST_TEST(parsed(opened).root()["crls"].items()[0]["authority"].string().value() == "0badcafe");
    check_error(w.local(Method::post, v1 + "restoration/open", R"({"crls":["?"]})"), 400, -7, "expected base64");
    BOOST_TEST(w.with(w.administrator_token, Method::post, v1 + "reload").status == 200U);
    check_error(w.with(w.stranger, Method::post, v1 + "reload"), 403, -3, "this concerns every tenant");
    check_error(w.with(w.stranger, Method::post, v1 + "restoration/open", R"({"crls":[]})"), 403, -3, "this concerns every tenant");
}

BOOST_AUTO_TEST_CASE(a_lost_race_is_a_conflict) {
    Rest w;
    w.db.hook_at = &store::configuration_advance;
    w.db.hook = [&w]() -> core::Task<void> {
        std::vector<ra::DocumentText> texts;
        texts.emplace_back("other.toml", "[[tenant]]\nname = \"third\"\n");
        static_cast<void>(w.run(w.documents.apply(std::move(texts), {}, administrator(), core::RequestId("r"))).value());
        return w.catalog.refresh();
    };
    check_error(w.local(Method::post, v1 + "apply", apply_body("[[tenant]]\nname = \"fourth\"\n")), 409, -1112, "somebody else changed the configuration meanwhile");
}

BOOST_AUTO_TEST_CASE(unknown_paths_and_methods_answer_in_the_same_form) {
    Rest w;
    check_error(w.local(Method::get, "/api/postern/v1/nothing"), 404, -102, "");
    check_error(w.local(Method::get, "/api/postern/v1/certificates/not-hex"), 404, -102, "");
    const auto wrong = w.local(Method::delete_, v1 + "export");
    check_error(wrong, 405, -7, "");
    BOOST_TEST(wrong.header("Allow") == "GET, HEAD");
}

BOOST_AUTO_TEST_CASE(keys_are_blocked_listed_checked_and_unblocked) {
    Rest w;
    const auto prints = crypto::fingerprints(w.leaf_key.public_key());
    const auto spki = core::hex(prints.spki);
    const auto body = R"({"keys":[")" + spki + R"(","8df20e6961a16398b85a"],"reason":"published","source":"a list"})";
    const auto blocked = w.local(Method::post, v1 + "blocked-keys", body);
    BOOST_TEST(blocked.status == 200U);
    const auto import = parsed(blocked).root()["import"].integer().value();
    auto more = R"({"keys":["000102030405060708090a0b0c0d0e"],"reason":"published","source":"a list","import":)" + std::to_string(import) + "}";
    BOOST_TEST(w.local(Method::post, v1 + "blocked-keys", more).status == 200U);
    check_error(w.with(w.administrator_token, Method::post, v1 + "blocked-keys", more), 404, -102, "no import");

    const auto first = w.local(Method::get, v1 + "blocked-keys?limit=2");
    BOOST_TEST(contains(first.body, R"({"key":"000102030405060708090a0b0c0d0e","reason":"published","source":"a list","import":)" + std::to_string(import)));
    const auto next = first.header("X-Next-After");
    const auto second = w.local(Method::get, v1 + "blocked-keys?limit=2&after=" + std::string(next));
    BOOST_TEST(std::count(first.body.begin(), first.body.end(), '\n') + std::count(second.body.begin(), second.body.end(), '\n') == 3);
    BOOST_TEST(second.header("X-Next-After").empty());

    const auto check = [&](core::BytesView der) {
        json::Writer q;
        q.begin_object().member("spki", core::base64(der)).end_object();
        return w.with(w.installation_auditor(), Method::post, v1 + "keys/check", q.take()).body;
    };
    BOOST_TEST(contains(check(w.leaf_key.public_key().spki()), R"("refused":[{"check":"key.blocked","detail":"the key is blocked (published))"));
    BOOST_TEST(contains(check(crypto::PrivateKey::generate(crypto::KeySpec()).public_key().spki()), R"("key":"EC P-256","fingerprint":)"));
    BOOST_TEST(contains(check(core::Bytes{0x30, 0x00}), R"("check":"key.form")"));

    const auto unblock = R"({"keys":[")" + spki + R"("]})";
    BOOST_TEST(parsed(w.local(Method::post, v1 + "blocked-keys/unblock", unblock)).root()["unblocked"].integer().value() == 1);
    check_error(w.local(Method::post, v1 + "blocked-keys/unblock", unblock), 404, -102, "not blocked");
    BOOST_TEST(contains(check(w.leaf_key.public_key().spki()), R"("refused":[])"));
}

BOOST_AUTO_TEST_CASE(a_tenants_principal_neither_sees_nor_blocks_the_keys_of_all) {
    Rest w;
    const auto one = R"({"keys":["8df20e6961a16398b85a"],"reason":"x","source":"y"})";
    check_error(w.with(w.stranger, Method::post, v1 + "blocked-keys", one), 403, -3, "whole installation");
    check_error(w.with(w.stranger, Method::get, v1 + "blocked-keys"), 403, -3, "whole installation");
    check_error(w.with(w.stranger, Method::post, v1 + "blocked-keys/unblock", R"({"keys":["8df20e6961a16398b85a"]})"), 403, -3, "whole installation");
    check_error(w.with(w.stranger, Method::post, v1 + "keys/check", R"({"spki":"AA=="})"), 403, -3, "whole installation");
    check_error(w.with(w.installation_auditor(), Method::post, v1 + "blocked-keys", one), 403, -3, "this needs administrator");
}

BOOST_AUTO_TEST_CASE(blocking_refuses_what_it_does_not_understand) {
    Rest w;
    const auto post = [&](std::string_view path, std::string body) { return w.local(Method::post, v1 + std::string(path), std::move(body)); };
    check_error(post("blocked-keys", R"({"keys":["00"],"reason":"x","source":"y"})"), 400, -7, "$.keys[0]: expected 64, 30 or 20");
    check_error(post("blocked-keys", R"({"keys":[],"reason":"x","source":"y"})"), 400, -7, "$.keys: expected 1 to 8192");
    check_error(post("blocked-keys", R"({"keys":["8df20e6961a16398b85a"],"source":"y"})"), 400, -7, "$.reason");
    for (const auto* unseen : {R"(a\u001b[2J)", R"(a\nb)", R"(\u202e)"}) {
        const auto text = "\"" + std::string(unseen) + "\"";
        check_error(post("blocked-keys", R"({"keys":["8df20e6961a16398b85a"],"source":"y","reason":)" + text + "}"), 400, -7, "$.reason: expected one line of characters");
        check_error(post("blocked-keys", R"({"keys":["8df20e6961a16398b85a"],"reason":"y","source":)" + text + "}"), 400, -7, "$.source: expected one line of characters");
    }
    check_error(post("blocked-keys", R"({"keys":["8df20e6961a16398b85a"],"reason":"","source":"y"})"), 400, -7, "$.reason: expected 1 to 200");
    check_error(post("blocked-keys", R"({"keys":["8df20e6961a16398b85a"],"reason":"x","source":"y","tenant":"z"})"), 400, -7, "unknown member");
    check_error(post("blocked-keys/unblock", R"({"keys":["8df20e6961a16398b85a","8df20e6961a16398b85a","8df20e6961a16398b85a","8df20e6961a16398b85a","8df20e6961a16398b85a","8df20e6961a16398b85a","8df20e6961a16398b85a"]})"),
                400, -7, "expected 1 to 6");
    check_error(post("keys/check", R"({"spki":"*"})"), 400, -7, "$.spki: expected base64");
    check_error(w.local(Method::get, v1 + "blocked-keys?after=xyz"), 400, -7, "after: expected hexadecimal");
    check_error(w.local(Method::get, v1 + "blocked-keys?limit=0"), 400, -7, "limit: expected 1 to 1000");
}

BOOST_AUTO_TEST_CASE(parked_messages_are_seen_sent_again_and_dropped) {
    Rest w;
    const auto park = [&](const std::string& id) {
        store::Batch batch;
        batch.add(store::outbox_insert, store::values(id, "certificate.issued", R"({"certificate":17})", w.clock.now()));
        batch.add(store::outbox_park, store::values(id, 0, "no route to host"));
        BOOST_TEST_REQUIRE(w.run(w.db.write(std::move(batch))).has_value());
    };
    const auto named = [](std::string_view id) { return R"({"id":")" + std::string(id) + R"("})"; };
    park("certificate.issued/17");
    park("certificate.issued/18");
    const auto watcher = w.installation_auditor();

    const auto first = w.with(watcher, Method::get, v1 + "outbox?limit=1");
    BOOST_TEST(first.status == 200U);
    const auto line = parsed(first);
    BOOST_TEST(line.root()["id"].string().value() == "certificate.issued/17");
    BOOST_TEST(line.root()["kind"].string().value() == "certificate.issued");
    BOOST_TEST(line.root()["failures"].integer().value() == 1);
    BOOST_TEST(line.root()["lastError"].string().value() == "no route to host");
    BOOST_TEST(line.root()["body"]["certificate"].integer().value() == 17);
    BOOST_TEST(first.header("X-Next-After") == "certificate.issued/17");
    const auto second = w.with(watcher, Method::get, v1 + "outbox?limit=1&after=certificate.issued%2F17");
    BOOST_TEST(parsed(second).root()["id"].string().value() == "certificate.issued/18");
    BOOST_TEST(w.with(watcher, Method::get, v1 + "outbox?status=waiting").body.empty());
    check_error(w.with(watcher, Method::get, v1 + "outbox?status=sent"), 400, -7, "known here: parked, waiting");

    // Messages tell of every tenant, and only administrators release them.
    check_error(w.with(w.auditor, Method::get, v1 + "outbox"), 403, -3, "whole installation");
    check_error(w.with(w.stranger, Method::post, v1 + "outbox/drop", named("certificate.issued/17")), 403, -3, "whole installation");
    for (const auto* verb : {"outbox/retry", "outbox/drop"}) {
        check_error(w.with(watcher, Method::post, v1 + verb, named("certificate.issued/17")), 403, -3, "this needs administrator");
        check_error(w.local(Method::post, v1 + verb, named("certificate.issued/19")), 404, -102, "no message certificate.issued/19 is parked");
        check_error(w.local(Method::post, v1 + verb, R"({"ids":[]})"), 400, -7, "ids");
    }

    BOOST_TEST(w.local(Method::post, v1 + "outbox/retry", named("certificate.issued/17")).status == 204U);
    check_error(w.local(Method::post, v1 + "outbox/retry", named("certificate.issued/17")), 404, -102, "is parked");
    const auto waiting = parsed(w.with(watcher, Method::get, v1 + "outbox?status=waiting"));
    BOOST_TEST(waiting.root()["id"].string().value() == "certificate.issued/17");
    BOOST_TEST(waiting.root()["failures"].integer().value() == 0);
    BOOST_TEST(w.local(Method::post, v1 + "outbox/drop", named("certificate.issued/18")).status == 204U);
    BOOST_TEST(w.with(watcher, Method::get, v1 + "outbox").body.empty());

    const auto retried = w.audits("message.retried"), dropped = w.audits("message.dropped");
    BOOST_TEST_REQUIRE((retried.size() == 1U && dropped.size() == 1U));
    BOOST_TEST(retried[0].text(5) == "certificate.issued/17");
    BOOST_TEST(dropped[0].text(5) == "certificate.issued/18");
    BOOST_TEST(contains(dropped[0].text(3), "no route to host"));
    BOOST_TEST(contains(dropped[0].text(3), R"(\"certificate\":17)"));
}

BOOST_AUTO_TEST_CASE(how_the_server_was_started_is_told_on_its_machine_only) {
    Rest w;
    BOOST_TEST(w.local(Method::get, v1 + "server").body == R"({"running":false})");
    check_error(w.with(w.administrator_token, Method::get, v1 + "server"), 403, -3, "on the server's own machine only");
}

BOOST_AUTO_TEST_CASE(a_laboratorys_clock_is_set_on_the_control_socket_alone) {
    Rest w;
    BOOST_TEST(w.local(Method::post, "/lab/clock", R"({"advance":"30d"})").status == 404U);
    http::Router control;
    w.api.add_routes(control, api::Api::Reach::local);
    const auto ask = [&](std::string body, bool at_the_socket = true) {
        auto r = Rest::ask(Method::post, "/lab/clock", std::move(body));
        if (at_the_socket) r.peer.unix_uid = ::geteuid();
        return w.run(control.handle(std::move(r)));
    };
    check_error(ask(R"({"advance":"30d"})", false), 401, -16, "authenticate");
    for (const auto* wrong : {R"({"advance":"0d"})", R"({"advance":"soon"})", R"({"advance":30})", R"({})", R"({"advance":"1d","back":true})"})
        BOOST_TEST(ask(wrong).status == 400U, wrong);
    BOOST_TEST(w.operations.advanced.empty());
    check_error(ask(R"({"advance":"1h"})"), 403, -3, "started without --lab");
    const auto done = ask(R"({"advance":"30d"})");
    BOOST_TEST(done.status == 200U);
    BOOST_TEST(parsed(done).root()["agree"].boolean().value());
    BOOST_TEST(w.operations.advanced.ends_with(" 30d"));
}

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

namespace {

/// A CA elsewhere and a device that it served.
struct Elsewhere {
    explicit Elsewhere(core::TimePoint now) : ca(issue(now, true, "Old CA")), device(issue(now, false, "printer-7")) {}
    [[nodiscard]] crypto::Certificate issue(core::TimePoint now, bool authority, const std::string& subject) const {
        const auto name = [](const std::string& text) {
            crypto::DistinguishedName out;
            out.entries.emplace_back(crypto::DnAttribute::common_name, text);
            return out.to_der();
        };
        crypto::CertificateShape shape;
        shape.algorithm = key.default_algorithm();
        shape.issuer_der = name("Old CA");
        shape.ca = authority;
        shape.key_usage = {authority ? crypto::KeyUsageBit::key_cert_sign : crypto::KeyUsageBit::digital_signature};
        crypto::CertificateFields fields;
        fields.serial = core::Bytes(8, authority ? 0x11 : 0x22);
        fields.not_before = now - 24h;
        fields.not_after = now + 24h * 20;
        fields.subject_der = name(subject);
        fields.spki = key.public_key().spki();
        const auto tbs = crypto::CertificateTemplate(shape).to_be_signed(fields);
        return crypto::Certificate::parse(crypto::assemble_signed(tbs, shape.algorithm, key.sign(shape.algorithm, tbs))).value();
    }
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
    crypto::Certificate ca, device;
};

const std::string devices_toml = R"([[profile]]
name = "device"
keys = ["rsa-2048"]
backend = "scripted"
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]
[[endpoint]]
name = "devices"
protocol = "scep"
ra = "builtin"
profiles = ["device"]
[[account]]
name = "devices"
endpoint = "devices"
method = "access_code"
common_names = ["*"]
secret = {generate = true}
[[endpoint]]
name = "strict"
protocol = "scep"
ra = "builtin"
profiles = ["device"]
renewal = false
[[account]]
name = "strict"
endpoint = "strict"
method = "access_code"
common_names = ["*"]
secret = {generate = true}
)";

std::string predecessor_body(const Elsewhere& old, std::string_view more = R"(,"crl":"http://ca.example/ca.crl")") {
    return R"({"name":"old","certificates":[")" + core::base64(old.ca.der()) + R"("])" + std::string(more) + "}";
}
std::string import_body(const crypto::Certificate& certificate, std::string_view endpoint = "devices", std::string_view more = {}) {
    return R"({"predecessor":"old","endpoint":")" + std::string(endpoint) + R"(","account":")" + std::string(endpoint) + R"(","source":"export.pem","certificates":[")" +
           core::base64(certificate.der()) + "\"]" + std::string(more) + "}";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_predecessor_and_what_it_issued_are_its_tenants) {
    Rest w;
    w.apply(devices_toml).value();
    const Elsewhere old(w.clock.now());
    BOOST_TEST(w.local(Method::post, v1 + "predecessors", predecessor_body(old)).status == 200U);
    const auto imported = w.local(Method::post, v1 + "imported-certificates", import_body(old.device));
    BOOST_TEST_REQUIRE(imported.status == 200U, imported.body);
    BOOST_TEST(parsed(imported).root()["added"].integer().value() == 1);
    const auto number = parsed(imported).root()["import"].integer().value();

    BOOST_TEST(contains(w.with(w.auditor, Method::get, v1 + "predecessors").body, "\"left\":1"));
    BOOST_TEST(w.with(w.stranger, Method::get, v1 + "predecessors").body.empty());
    BOOST_TEST(contains(w.with(w.auditor, Method::get, v1 + "imported-certificates?search=PRINTER").body, "CN=printer-7"));
    BOOST_TEST(w.with(w.auditor, Method::get, v1 + "imported-certificates?search=%25").body.empty());
    BOOST_TEST(w.with(w.stranger, Method::get, v1 + "imported-certificates").body.empty());
    check_error(w.with(w.stranger, Method::post, v1 + "imported-certificates", import_body(old.device)), 404, -102, "there is no SCEP or EST endpoint devices");
    check_error(w.with(w.stranger, Method::post, v1 + "imported-certificates/remove", R"({"hex":"2222222222222222"})"), 404, -102, "no imported certificate");
    check_error(w.with(w.stranger, Method::post, v1 + "predecessors/remove", R"({"name":"old"})"), 404, -102, "there is no predecessor old");
    // Another principal's import is nobody's to go on with.
    check_error(w.with(w.administrator_token, Method::post, v1 + "imported-certificates", import_body(old.device, "devices", ",\"import\":" + std::to_string(number))), 404, -102, "there is no import");
    check_error(w.local(Method::post, v1 + "certificates/2222222222222222/revoke", "{}"), 409, -1112, "issued by a predecessor");
    check_error(w.local(Method::post, v1 + "predecessors/remove", R"({"name":"old"})"), 409, -1112, "--with-certificates");
    BOOST_TEST(w.with(w.officer, Method::post, v1 + "imported-certificates/remove", R"({"hex":"2222222222222222"})").body == R"({"removed":1})");
    BOOST_TEST(w.local(Method::post, v1 + "predecessors/remove", R"({"name":"old"})").body == R"({"certificates":0})");
}

BOOST_AUTO_TEST_CASE(what_is_imported_is_judged_one_by_one) {
    Rest w;
    w.apply(devices_toml).value();
    const Elsewhere old(w.clock.now()), other(w.clock.now());
    w.local(Method::post, v1 + "predecessors", predecessor_body(old));
    const auto why = [&](const crypto::Certificate& certificate) {
        const auto report = parsed(w.local(Method::post, v1 + "imported-certificates", import_body(certificate)));
        return std::string(report.root()["refused"].items().at(0)["why"].string().value());
    };
    BOOST_TEST(contains(why(old.ca), "it is a CA's certificate, which never renews here"));
    BOOST_TEST(contains(why(other.device), "its signature is not one of predecessor old"));
    w.clock.advance(24h * 21);
    BOOST_TEST(parsed(w.local(Method::post, v1 + "imported-certificates", import_body(old.device))).root()["expired"].integer().value() == 1);
    check_error(w.local(Method::post, v1 + "imported-certificates", import_body(old.device, "strict")), 400, -7, "renews no certificates");
    check_error(w.local(Method::post, v1 + "imported-certificates", import_body(old.device, "nowhere")), 404, -102, "there is no SCEP or EST endpoint nowhere");
    check_error(w.local(Method::post, v1 + "imported-certificates", R"({"predecessor":"old","endpoint":"devices","account":"devices","source":"x","certificates":[]})"), 400, -7, "expected 1 to 1000");
}

BOOST_AUTO_TEST_CASE(a_predecessor_says_how_its_status_is_known) {
    Rest w;
    const Elsewhere old(w.clock.now());
    check_error(w.local(Method::post, v1 + "predecessors", predecessor_body(old, "")), 400, -7, "nothing renews");
    check_error(w.local(Method::post, v1 + "predecessors", predecessor_body(old, R"(,"crl":"ldap://x")")), 400, -7, "http or https");
    check_error(w.local(Method::post, v1 + "predecessors", predecessor_body(old, R"(,"crl":"http://x","crlDer":"MAA=")")), 400, -7, "not both");
    check_error(w.local(Method::post, v1 + "predecessors", R"({"name":"Old CA","crl":"http://x"})"), 400, -7, "expected 1 to 64 of a-z");
    check_error(w.local(Method::post, v1 + "predecessors", R"({"name":"old","crl":"http://x"})"), 400, -7, "name the predecessor's certificates");
    // What is not said stays.
    w.local(Method::post, v1 + "predecessors", predecessor_body(old));
    const auto more = w.local(Method::post, v1 + "predecessors", R"({"name":"old","ocsp":"http://ca.example/ocsp"})");
    BOOST_TEST((contains(more.body, "http://ca.example/ca.crl") && contains(more.body, "http://ca.example/ocsp")), more.body);
}

BOOST_AUTO_TEST_CASE(clients_are_told_how_to_enroll) {
    Rest w;
    w.apply(devices_toml).value();
    const auto ask = [&](const std::string& body) { return w.with(w.officer, Method::post, v1 + "client-configurations", body); };
    check_error(ask(R"({"endpoint":"devices","for":"apple"})"), 503, -1, "no certificate yet that clients encrypt to");
    const Elsewhere any(w.clock.now());
    w.operations.chain = {any.ca.der()};
    w.operations.ra = any.device.der();
    const auto signed_one = ask(R"({"endpoint":"devices","for":"apple","challenge":"secret"})");
    BOOST_TEST_REQUIRE(signed_one.status == 200U, signed_one.body);
    const auto document = parsed(signed_one);
    const auto file = core::from_base64(document.root()["files"].items().at(0)["content"].string().value()).value();
    BOOST_TEST((file.front() == 'S' && contains(core::as_text(file), "<string>secret</string>")));
    BOOST_TEST(!contains(document.root()["text"].string().value(), "secret"));
    BOOST_TEST(ask(R"({"endpoint":"web","for":"certbot"})").status == 200U);

    check_error(ask(R"({"endpoint":"devices","for":"certbot"})"), 409, -1112, "--for takes: apple, intune");
    check_error(ask(R"({"endpoint":"nowhere","for":"apple"})"), 404, -102, "there is no endpoint nowhere");
    check_error(ask(R"({"endpoint":"devices","for":"nokia"})"), 400, -7, "expected one of apple");
    check_error(ask(R"({"endpoint":"devices","for":"cisco","name":"a\"b"})"), 400, -7, "expected 1 to 64 letters");
    check_error(ask(R"({"endpoint":"devices","for":"cisco","challenge":"a\nb"})"), 400, -7, "expected an access code");
    const auto strangers = w.with(w.stranger, Method::post, v1 + "client-configurations", R"({"endpoint":"devices","for":"apple"})");
    check_error(strangers, 404, -102, "there is no endpoint devices");
}

BOOST_AUTO_TEST_SUITE_END()

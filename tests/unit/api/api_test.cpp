#include "tests/unit/api/rest.hpp"

BOOST_AUTO_TEST_SUITE(api_routes)

using namespace postern;
using namespace postern::test;

namespace {

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

BOOST_AUTO_TEST_SUITE_END()

#include "tests/unit/api/rest.hpp"

BOOST_AUTO_TEST_SUITE(api_operations)

using namespace postern;
using namespace postern::test;

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

BOOST_AUTO_TEST_SUITE_END()

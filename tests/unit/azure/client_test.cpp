#include "tests/unit/azure/support.hpp"

BOOST_AUTO_TEST_SUITE(azure_client)

using namespace postern;
using namespace postern::test;

namespace {

http::Response status(unsigned s, std::string retry_after = {}) {
    http::Response out(s, "application/json", R"({"error":{"code":"X"}})");
    if (!retry_after.empty()) out.set("Retry-After", retry_after);
    return out;
}

std::string header(const http::OutboundRequest& r, std::string_view name) {
    for (const auto& [key, value] : r.headers)
        if (key == name) return value;
    return {};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_call_is_as_the_contract_says) {
    ClientWorld w;
    BOOST_TEST(w.validate().has_value());
    BOOST_TEST_REQUIRE(w.outbound.asked.size() == 4U);
    const auto& token = w.outbound.asked.at(0);
    BOOST_TEST(token.url == "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token");
    BOOST_TEST(token.body == "grant_type=client_credentials&client_id=3f0d1e7a-64c4-4d1f-8f55-0e9fd7c1b2aa&scope=https%3A%2F%2Fapi.manage.microsoft.com%2F%2F.default&client_secret=s3cr%26t%3D");
    const auto& call = w.outbound.asked.at(3);
    BOOST_TEST(call.url == "https://fef.a.manage.microsoft.com/v/ScepActions/validateRequest");
    BOOST_TEST(call.body == R"({"request":{"transactionId":"T1","certificateRequest":"AQID","callerInfo":"Postern/0"}})");
    BOOST_TEST(header(call, "api-version") == "2018-02-20");
    BOOST_TEST(header(call, "Authorization") == "Bearer t.o.k");
    BOOST_TEST(header(call, "client-request-id").size() == 36U);
    BOOST_TEST(header(call, "Content-Type") == "application/json");
}

BOOST_AUTO_TEST_CASE(statuses_are_read_before_bodies) {
    const std::pair<unsigned, std::string> rows[] = {{400, "intune.rejected"}, {401, "intune.credentials"}, {403, "intune.permission"},
                                                     {404, "intune.service"},  {408, "intune.unreachable"}, {409, "intune.rejected"},
                                                     {410, "intune.service"},  {429, "intune.throttled"},   {500, "intune.unreachable"},
                                                     {503, "intune.unreachable"}, {302, "intune.rejected"}};
    for (const auto& [number, check] : rows) BOOST_TEST_CONTEXT(number) {
        ClientWorld w;
        // A body that says Success does not help.
        for (int i = 0; i < 3; ++i) w.outbound.next("call", ScriptedOutbound::json(number, R"({"code":"Success"})"));
        BOOST_TEST(check_of(w.validate()) == check);
    }
}

BOOST_AUTO_TEST_CASE(whoever_asks_reads_the_activity) {
    ClientWorld w;
    w.outbound.next("call", status(503));
    azure::ValidationRequest request("T1", core::Bytes{1, 2, 3});
    const auto activity = request.activity = azure::new_activity();
    BOOST_TEST(azure::shown(activity).empty());
    BOOST_TEST(core::run_to_end(w.client->validate(w.account(), std::move(request), core::deadline_in(20s))).has_value());
    // That of the newest attempt.
    BOOST_TEST(*activity == header(w.outbound.asked.back(), "client-request-id"));
    BOOST_TEST(azure::shown(activity) == ", activity " + *activity);
}

BOOST_AUTO_TEST_CASE(a_queue_of_revocations_that_is_down_holds_up_no_device) {
    ClientWorld w;
    const auto poll = [&] { return core::run_to_end(w.client->download_revocations(w.account(), 500, core::deadline_in(20s))); };
    for (int call = 0; call < 5; ++call) {
        for (int i = 0; i < 3; ++i) w.outbound.next("call", status(503));
        BOOST_TEST(poll().error().check == "intune.unreachable");
    }
    BOOST_TEST(poll().error().check == "intune.breaker");
    BOOST_TEST(check_of(w.validate()) == "yes");
    BOOST_TEST(poll().error().check == "intune.breaker");
}

BOOST_AUTO_TEST_CASE(throttling_counts_for_all_of_an_accounts_calls) {
    ClientWorld w;
    w.outbound.next("call", status(429, "600"));
    BOOST_TEST(core::run_to_end(w.client->download_revocations(w.account(), 500, core::deadline_in(20s))).error().check == "intune.throttled");
    BOOST_TEST(check_of(w.validate()) == "intune.breaker");
    w.clock.advance(601s);
    BOOST_TEST(check_of(w.validate()) == "yes");
}

BOOST_AUTO_TEST_CASE(only_exactly_success_is_a_yes) {
    for (const std::string body : {R"({"code":"success"})", R"({"code":"Success "})", R"({"code":"Success\u0000"})", R"({"code":["Success"]})", R"({"code":true})",
                                   R"({"Code":"Success"})", R"(["Success"])", R"("Success")", R"({"code":"Success","code":"Success"})", "", "Success",
                                   R"({"code":"Success"}x)", R"({"value":{"code":"Success"}})"}) {
        ClientWorld w;
        w.outbound.next("call", ScriptedOutbound::json(200, body));
        BOOST_TEST(check_of(w.validate()) != "yes", body);
    }
}

BOOST_AUTO_TEST_CASE(a_first_caller_in_a_hurry_does_not_spoil_it_for_the_others) {
    ClientWorld w;
    std::atomic<bool> go{false};
    w.outbound.before = [&](std::string kind) -> core::Task<void> {
        if (kind != "token") co_return;
        for (bool held = !go; held; held = !go) co_await core::sleep_for(1ms);
    };
    BOOST_TEST(check_of(w.validate(w.account(), 20ms)) == "intune.unreachable");
    std::thread patient([&] { BOOST_TEST(check_of(w.validate()) == "yes"); });
    go = true;
    patient.join();
    BOOST_TEST(w.outbound.count("token") == 2U);  // one for each audience, though two asked
}

BOOST_AUTO_TEST_CASE(tokens_are_renewed_at_three_quarters) {
    ClientWorld w;
    BOOST_TEST(w.validate().has_value());
    w.clock.advance(2699s);
    BOOST_TEST(w.validate().has_value());
    BOOST_TEST(w.outbound.count("token") == 2U);
    w.clock.advance(2s);
    BOOST_TEST(w.validate().has_value());
    while (w.outbound.count("token") < 3U) std::this_thread::yield();
    BOOST_TEST(w.validate().has_value());
    BOOST_TEST(w.outbound.count("token") == 3U);
}

BOOST_AUTO_TEST_CASE(a_renewal_that_fails_leaves_the_old_token) {
    ClientWorld w;
    BOOST_TEST(w.validate().has_value());
    w.clock.advance(2701s);
    for (int i = 0; i < 3; ++i) w.outbound.next("token", status(503));
    BOOST_TEST(w.validate().has_value());
    while (w.outbound.count("token") < 5U) std::this_thread::yield();
    BOOST_TEST(w.validate().has_value());
}

BOOST_AUTO_TEST_CASE(a_changed_document_begins_anew) {
    ClientWorld w;
    BOOST_TEST(w.validate(w.account(1)).has_value());
    BOOST_TEST(w.validate(w.account(2)).has_value());
    BOOST_TEST(w.outbound.count("token") == 4U);
    BOOST_TEST(w.outbound.count("list") == 2U);
    // A call that still holds the old one is served, and the new one keeps what it has.
    BOOST_TEST(w.validate(w.account(1)).has_value());
    BOOST_TEST(w.validate(w.account(2)).has_value());
    BOOST_TEST(w.outbound.count("token") == 6U);
}

BOOST_AUTO_TEST_CASE(a_disabled_account_asks_nobody) {
    ClientWorld w;
    auto disabled = std::make_shared<azure::Account>(*w.account());
    disabled->active = false;
    BOOST_TEST(check_of(w.validate(disabled)) == "intune.disabled");
    BOOST_TEST(w.outbound.asked.empty());
}

BOOST_AUTO_TEST_CASE(a_credential_of_another_master_key_is_said) {
    ClientWorld w;
    auto other = std::make_shared<azure::Account>(*w.account());
    other->sealed.back() ^= 1;
    const auto got = w.validate(other);
    BOOST_TEST(check_of(got) == "intune.credentials");
    BOOST_TEST(got.error().detail.find("another master key") != std::string::npos);
    BOOST_TEST(w.outbound.asked.empty());
}

BOOST_AUTO_TEST_CASE(a_dead_connection_costs_no_pause) {
    ClientWorld w;
    w.outbound.next("call", core::Problem(core::ProblemKind::connection, "x", "outbound.stale"));
    BOOST_TEST(w.validate().has_value());
    BOOST_TEST((w.pauses == std::vector<std::chrono::milliseconds>{0ms}));
}

BOOST_AUTO_TEST_SUITE_END()

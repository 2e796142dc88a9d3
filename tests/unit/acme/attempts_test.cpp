#include <boost/test/unit_test.hpp>

#include "acme/flights.hpp"
#include "tests/unit/acme/challenges.hpp"

using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;
using core::ProblemKind;

namespace {

/// Its store is away for the writes that end a challenge, so many times.
class AwayForResults final : public store::Database {
public:
    AwayForResults(store::Database& inner, int times) : inner_(inner), times_(times) {}
    core::Task<store::Rows> read(const store::Statement& statement, store::Values parameters) override { return inner_.read(statement, std::move(parameters)); }
    core::Task<store::Written> write(store::Batch batch) override {
        const bool ends = std::ranges::any_of(batch.steps(), [](const auto& step) { return step.statement->name == store::acme_challenge_valid.name; });
        if (ends && times_-- > 0) throw store::StoreUnavailable("away, says this test");
        auto writing = inner_.write(std::move(batch));
        co_return co_await std::move(writing);
    }
    void close() override { inner_.close(); }
    [[nodiscard]] std::string trouble() const override { return inner_.trouble(); }
    [[nodiscard]] std::string_view engine() const noexcept override { return inner_.engine(); }

private:
    store::Database& inner_;
    int times_;
};

}  // namespace

/// RFC 8555 §8.2
BOOST_FIXTURE_TEST_SUITE(acme_attempts, Challenges)

BOOST_AUTO_TEST_CASE(what_may_pass_is_tried_again_on_a_schedule) {
    world.serve({2s, 5s});
    world.validator.passing = true;
    world.validator.failures["a.example"] = core::Problem(ProblemKind::dns, "there is no record yet");
    const auto made = client.new_order({"a.example"});
    const auto url = challenge(made, "dns-01");
    const auto first = client.post(url, "{}");
    BOOST_TEST(first.text("status") == "processing");
    BOOST_TEST(detail(first).starts_with("there is no record yet; attempt 1, the next one follows at 2027-01-15T08:00:02Z"), detail(first));
    BOOST_TEST(first.response.header("Retry-After") == "3");
    BOOST_TEST(client.post(made.list("authorizations").at(0), "").text("status") == "pending");
    BOOST_TEST(client.post(made.list("authorizations").at(0), "").response.header("Retry-After") == "3");
    BOOST_TEST(client.post(location(made), "").text("status") == "pending");
    BOOST_TEST(world.run(world.acme->attempt_due()) == 0U);
    world.clock.advance(2s);
    BOOST_TEST(world.run(world.acme->attempt_due()) == 1U);
    while (world.validator.asked.size() < 2 || detail(client.post(url, "")).find("attempt 2") == std::string::npos) world.io.poll_one();
    world.validator.failures.clear();
    world.clock.advance(5s);
    BOOST_TEST(world.run(world.acme->attempt_due()) == 1U);
    const auto valid = until(url, "valid");
    BOOST_TEST(!valid.document->root().contains("error"));
    BOOST_TEST(client.post(location(made), "").text("status") == "ready");
    BOOST_TEST(world.validator.asked.size() == 3U);
    const auto audit = world.read(audit_by_action, store::values("authorization.attempted"));
    BOOST_TEST_REQUIRE(audit.size() == 2U);
    BOOST_TEST((audit.at(0).text(0) == "refused" && audit.at(0).text(1) == "validation.dns-01"));
    BOOST_TEST(world.run(world.acme->attempt_due()) == 0U);
}

BOOST_AUTO_TEST_CASE(the_last_attempt_is_final) {
    world.serve({2s});
    world.validator.passing = true;
    world.validator.failures["a.example"] = core::Problem(ProblemKind::connection, "connection refused");
    const auto made = client.new_order({"a.example"});
    const auto url = challenge(made, "http-01");
    BOOST_TEST(client.post(url, "{}").text("status") == "processing");
    world.clock.advance(2s);
    BOOST_TEST(world.run(world.acme->attempt_due()) == 1U);
    const auto failed = until(url, "invalid");
    BOOST_TEST(failed.document->root()["error"]["type"].string().value() == "urn:ietf:params:acme:error:connection");
    BOOST_TEST(detail(failed).starts_with("connection refused [check validation.http-01"));
    BOOST_TEST(client.post(location(made), "").text("status") == "invalid");
    BOOST_TEST(client.post(url, "{}").text("status") == "invalid");
    BOOST_TEST(world.validator.asked.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_post_brings_the_next_attempt_forward_and_that_has_an_end) {
    world.serve({1h});
    world.validator.passing = true;
    world.validator.failures["a.example"] = core::Problem(ProblemKind::dns, "there is no record yet");
    const auto made = client.new_order({"a.example"});
    const auto url = challenge(made, "dns-01");
    for (int attempt = 1; attempt < 20; ++attempt) BOOST_TEST(client.post(url, "{}").text("status") == "processing");
    BOOST_TEST(client.post(url, "{}").text("status") == "invalid");
    BOOST_TEST(world.validator.asked.size() == 20U);
    const auto again = client.new_order({"a.example"});
    const auto second = challenge(again, "dns-01");
    BOOST_TEST(client.post(second, "{}").text("status") == "processing");
    world.validator.failures.clear();
    BOOST_TEST(client.post(second, "{}").text("status") == "valid");
}

BOOST_AUTO_TEST_CASE(what_cannot_pass_is_final_at_once) {
    world.serve({2s});
    world.validator.failures["a.example"] = core::Problem(ProblemKind::incorrect_response, "other content");
    const auto made = client.new_order({"a.example"});
    BOOST_TEST(client.post(challenge(made, "http-01"), "{}").text("status") == "invalid");
}

BOOST_AUTO_TEST_CASE(nobody_could_be_asked_time_and_again_and_the_challenge_waits) {
    world.serve({2s});
    world.validator.failures["a.example"] = core::Problem(ProblemKind::unavailable, "the resolver is away");
    const auto made = client.new_order({"a.example"});
    const auto url = challenge(made, "http-01");
    const auto first = client.post(url, "{}");
    BOOST_TEST((first.text("status") == "processing" && !first.document->root().contains("error")));
    world.clock.advance(2s);
    BOOST_TEST(world.run(world.acme->attempt_due()) == 1U);
    until(url, "pending");
    world.validator.failures.clear();
    BOOST_TEST(client.post(url, "{}").text("status") == "valid");
}

BOOST_AUTO_TEST_CASE(another_challenge_that_decides_ends_the_waiting_one) {
    world.serve({2s});
    world.validator.passing = true;
    world.validator.failures["a.example"] = core::Problem(ProblemKind::dns, "there is no record yet");
    const auto made = client.new_order({"a.example"});
    const auto waiting = challenge(made, "dns-01"), other = challenge(made, "http-01");
    BOOST_TEST(client.post(waiting, "{}").text("status") == "processing");
    world.validator.failures.clear();
    BOOST_TEST(client.post(other, "{}").text("status") == "valid");
    BOOST_TEST(world.run(world.acme->attempt_due()) == 0U);
    const auto ended = client.post(waiting, "");
    BOOST_TEST(ended.text("status") == "invalid");
    BOOST_TEST(detail(ended).starts_with("the authorization ended while"));
    BOOST_TEST(client.post(location(made), "").text("status") == "ready");
}

BOOST_AUTO_TEST_CASE(attempts_count_on_when_nobody_could_be_asked) {
    world.serve({});
    world.validator.failures["a.example"] = core::Problem(ProblemKind::unavailable, "the resolver is away");
    const auto url = challenge(client.new_order({"a.example"}), "http-01");
    for (int i = 0; i < 3; ++i) BOOST_TEST(client.post(url, "{}").text("status") == "pending");
    static constexpr store::Statement attempts{"test_attempts", "SELECT max(attempts) FROM acme_challenge"};
    BOOST_TEST(world.count(attempts) == 3);
}

/// The finding is held until it is kept: the name is not asked again, and nobody waits for the end of the attempt's time.
BOOST_AUTO_TEST_CASE(a_finding_that_the_store_did_not_take_is_written_again) {
    world.serve({1h}, true);
    AwayForResults away(*world.db, 1);
    acme::Acme node(acme::Deps{away, world.numbers, world.catalog, *world.enrollment, *world.revocation, world.backends, world.validator, world.caa,
                               world.sealer, world.nonces, world.tasks, world.random, world.clock, *world.clock_agreement, world.log, world.metrics,
                               std::string(base), {1h}, true});
    http::Router there;
    node.add_routes(there);
    const auto url = challenge(client.new_order({"a.example"}), "http-01");
    const Answer answer(world.run(there.handle(client.request(url, "{}"))));
    BOOST_TEST(answer.status == 200U);
    finish();
    BOOST_TEST(client.post(url, "").text("status") == "valid");
    BOOST_TEST(world.validator.asked.size() == 1U);
    BOOST_TEST(world.read(audit_by_action, store::values("authorization.valid")).size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_attempt_that_is_over_leaves_nothing_of_a_later_ones) {
    world.serve({1h}, true);
    world.validator.failures["a.example"] = core::Problem(ProblemKind::incorrect_response, "other content");
    const auto url = challenge(client.new_order({"a.example"}), "http-01");
    world.validator.held = true;
    auto request = client.request(url, "{}");
    request.deadline = core::deadline_in(50ms);
    BOOST_TEST(Answer(world.send(std::move(request))).text("status") == "processing");
    // Another node took the next one.
    static constexpr store::Statement next{"test_next_attempt", "UPDATE acme_challenge SET attempts = attempts + 1 WHERE status = 'processing'"};
    world.write(next, {});
    world.validator.held = false;
    finish();
    BOOST_TEST(client.post(url, "").text("status") == "processing");
    BOOST_TEST(world.read(audit_by_action, store::values("authorization.invalid")).empty());
}

BOOST_AUTO_TEST_CASE(as_many_validations_run_as_may) {
    acme::Flights flights;
    std::vector<acme::Landing> landings;
    const auto join = [&](const std::string& token, std::size_t account) {
        auto [flight, first] = flights.join(token, store::AcmeAccountId(static_cast<std::int64_t>(account)));
        if (first) landings.emplace_back(flights, token, flight);
        return flight != nullptr;
    };
    for (std::size_t i = 0; i < acme::Flights::most_of_account; ++i) BOOST_TEST(join("own" + std::to_string(i), 0));
    BOOST_TEST(!join("one more", 0));
    BOOST_TEST(join("own0", 0));  // that one runs already
    for (std::size_t i = landings.size(); i < acme::Flights::most; ++i) {
        BOOST_TEST(!flights.full());
        BOOST_TEST(join("other" + std::to_string(i), i / acme::Flights::most_of_account));
    }
    BOOST_TEST(flights.full());
    BOOST_TEST(!join("late", 1'000));
    landings.pop_back();
    BOOST_TEST(join("late", 1'000));
    landings.clear();
    BOOST_TEST(join("one more", 0));
}

BOOST_AUTO_TEST_CASE(what_an_account_has_no_place_for_waits_and_is_taken_up) {
    world.set_profile(R"({"names_limit":50})");
    std::vector<std::string> names;
    for (std::size_t i = 0; i <= acme::Flights::most_of_account; ++i) names.push_back("n" + std::to_string(i) + ".example");
    const auto made = client.new_order(names);
    std::vector<std::string> urls;
    for (std::size_t i = 0; i < names.size(); ++i) urls.push_back(challenge(made, "http-01", i));
    world.validator.held = true;
    for (const auto& url : urls) {
        auto request = client.request(url, "{}");
        request.deadline = core::deadline_in(50ms);
        const Answer answer(world.send(std::move(request)));
        BOOST_TEST((answer.status == 200U && answer.text("status") == "processing" && answer.response.header("Retry-After") == "1"));
    }
    BOOST_TEST(world.validator.asked.size() == acme::Flights::most_of_account);
    world.run(world.acme->attempt_due());
    BOOST_TEST(world.validator.asked.size() == acme::Flights::most_of_account);
    world.validator.held = false;
    for (std::size_t i = 0; i < acme::Flights::most_of_account; ++i) until(urls[i], "valid");
    BOOST_TEST(client.post(urls.back(), "").text("status") == "processing");
    world.run(world.acme->attempt_due());
    until(urls.back(), "valid");
    BOOST_TEST(client.post(location(made), "").text("status") == "ready");
}

/// V18: the store says who makes the attempt.
BOOST_AUTO_TEST_CASE(of_several_nodes_one_makes_the_attempt) {
    world.serve({1h}, true);
    acme::Acme other(acme::Deps{*world.db, world.numbers, world.catalog, *world.enrollment, *world.revocation, world.backends, world.validator, world.caa,
                                world.sealer, world.nonces, world.tasks, world.random, world.clock, *world.clock_agreement, world.log, world.metrics,
                                std::string(base), {1h}, true});
    http::Router there;
    other.add_routes(there);
    const auto made = client.new_order({"a.example"});
    const auto url = challenge(made, "http-01");
    world.validator.held = true;
    auto request = client.request(url, "{}");
    request.deadline = core::deadline_in(50ms);
    const Answer here(world.send(std::move(request)));
    BOOST_TEST(here.text("status") == "processing");
    const Answer elsewhere(world.run(there.handle(client.request(url, "{}"))));
    BOOST_TEST((elsewhere.status == 200U && elsewhere.text("status") == "processing"));
    BOOST_TEST(world.run(other.attempt_due()) == 0U);
    BOOST_TEST(world.validator.asked.size() == 1U);
    // The first node stands still for so long that its attempt counts as over.
    world.clock.advance(61s);
    BOOST_TEST(world.run(other.attempt_due()) == 1U);
    while (world.validator.asked.size() < 2) world.io.poll_one();
    world.validator.held = false;
    until(url, "valid");
    finish();  // the first one's result, which counts no more
    BOOST_TEST(world.read(audit_by_action, store::values("authorization.valid")).size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

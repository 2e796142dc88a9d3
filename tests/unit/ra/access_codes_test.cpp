#include "ra/access_codes.hpp"

#include "tests/unit/ra/world.hpp"

/// Codes that people chose.
BOOST_AUTO_TEST_SUITE(access_codes)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

constexpr std::string_view chosen = "Correct-horse:42/battery";

std::string document(std::string_view secret, std::string_view more = {}) {
    return std::string(standard_documents) + "[[endpoint]]\nname = \"phones\"\nprotocol = \"scep\"\nra = \"builtin\"\nprofiles = [\"server\"]\n\n[[account]]\nname = \"devices\"\n"
           "endpoint = \"phones\"\nmethod = \"access_code\"\nnames = [\"corp.example\"]\nsecret = " + std::string(secret) + "\n" + std::string(more);
}
std::string value(std::string_view code) { return "{value = \"" + std::string(code) + "\"}"; }

using Verdict = ra::ChosenCodes::Verdict;

struct Chosen : World {
    Chosen() { static_cast<void>(apply(document(value(chosen))).value()); }
    ra::Account devices() { return run(ra::find_account(db, account("devices"))).value(); }
    core::Result<Verdict> judge(std::string_view code) {
        core::SecretText text{std::string(code)};
        return run(codes.judge(devices(), std::move(text), "192.0.2.1", core::deadline_in(30s)));
    }
    bool right(std::string_view code) { return judge(code).value() == Verdict::right; }
    /// Asked by that many at one time: how many are told that it is right, how many to come again.
    struct Crowd {
        int right = 0, wrong = 0, busy = 0;
    };
    Crowd crowd(int size, std::string_view code, const std::function<std::string(int)>& source, core::Deadline until = core::deadline_in(30s)) {
        boost::asio::io_context io;
        Crowd out;
        for (int i = 0; i < size; ++i) {
            core::SecretText text{std::string(code)};
            boost::asio::co_spawn(io, codes.judge(devices(), std::move(text), source(i), until), [&](std::exception_ptr e, core::Result<Verdict> r) {
                if (!e && r) ++(*r == Verdict::right ? out.right : out.wrong);
                else if (!e && r.error().kind == ProblemKind::unavailable && r.error().retry_after == 1s) ++out.busy;
            });
        }
        io.run();
        return out;
    }
    core::CpuPool pool{1, 4};
    ra::ChosenCodes codes{sealer, pool, random, clock};
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_chosen_code_is_kept_as_a_sealed_hash) {
    Chosen w;
    const auto account = w.devices();
    BOOST_TEST((account.public_id.empty() && !account.secret_sealed.empty()));
    BOOST_TEST(w.right(chosen));
    BOOST_TEST(!w.right("correct-horse:42/battery"));
    BOOST_TEST(!w.right(""));
    BOOST_TEST(!w.apply(document(value(chosen))).value().changed);   // the same again
    BOOST_TEST(!w.apply(document("\"keep\"")).value().changed);
    BOOST_TEST(!w.apply(document("{generate = true}")).value().changed);  // it has one
}

/// Proved by what is remembered: with every place for hashing taken and no time to wait, only that is answered.
BOOST_AUTO_TEST_CASE(what_was_right_is_remembered_for_ten_minutes) {
    Chosen w;
    const auto while_others_hash = [&] {
        boost::asio::io_context io;
        core::Result<Verdict> answer = Verdict::wrong;
        for (int i = 0; i < ra::ChosenCodes::most_at_once; ++i) {
            core::SecretText text("guess-number-" + std::to_string(i));
            boost::asio::co_spawn(io, w.codes.judge(w.devices(), std::move(text), "192.0.2.2", core::deadline_in(30s)), [](std::exception_ptr, core::Result<Verdict>) {});
        }
        core::SecretText text{std::string(chosen)};
        boost::asio::co_spawn(io, w.codes.judge(w.devices(), std::move(text), "192.0.2.1", core::deadline_in(0s)), [&](std::exception_ptr, core::Result<Verdict> r) { answer = std::move(r); });
        io.run();
        return answer;
    };
    BOOST_TEST(!while_others_hash().has_value());
    BOOST_TEST(w.right(chosen));
    BOOST_TEST((while_others_hash().value() == Verdict::right));
    w.clock.advance(ra::ChosenCodes::remembered_for - 1s);
    BOOST_TEST((while_others_hash().value() == Verdict::right));
    w.clock.advance(2s);
    BOOST_TEST(!while_others_hash().has_value());
}

BOOST_AUTO_TEST_CASE(an_account_that_changed_is_asked_anew) {
    Chosen w;
    BOOST_TEST(w.right(chosen));
    static_cast<void>(w.apply(document(value("another-word.Of-2026"))).value());
    BOOST_TEST(!w.right(chosen));
    BOOST_TEST(w.right("another-word.Of-2026"));
}

/// S06: who guesses shuts nobody out. A pool of one thread and four places would be overrun by more than two at a time.
BOOST_AUTO_TEST_CASE(two_are_hashed_at_one_time_and_the_others_wait) {
    Chosen w;
    constexpr int room = ra::ChosenCodes::most_at_once + static_cast<int>(ra::ChosenCodes::most_waiting);
    const auto of_many = [](int i) { return "192.0.2." + std::to_string(i); };
    const auto fleet = w.crowd(room + 3, chosen, of_many);
    BOOST_TEST((fleet.right == room && fleet.busy == 3));
}

BOOST_AUTO_TEST_CASE(one_source_has_a_part_of_the_line) {
    Chosen w;
    constexpr int own = ra::ChosenCodes::most_at_once + static_cast<int>(ra::ChosenCodes::most_of_source);
    const auto others_last = [](int i) { return i < own + 30 ? "192.0.2.66" : "192.0.2.1"; };
    const auto crowd = w.crowd(own + 31, chosen, others_last);
    BOOST_TEST((crowd.right == own + 1 && crowd.busy == 30));
}

BOOST_AUTO_TEST_CASE(who_waits_too_long_leaves_no_place_taken) {
    Chosen w;
    const auto of_many = [](int i) { return "192.0.2." + std::to_string(i); };
    BOOST_TEST((w.crowd(10, "wrong-code-of-2026", of_many, core::deadline_in(0s)).busy == 8));
    const auto after = w.crowd(10, chosen, of_many);
    BOOST_TEST((after.right == 10 && after.busy == 0));
}

BOOST_AUTO_TEST_CASE(weak_codes_and_too_many_are_refused) {
    World w;
    for (const auto& [code, why] : {std::pair("", "it is empty"), {"Short-1", "12 to 255 are needed"}, {"abababababababab", "fewer than six different"}, {"with space in it", "visible ASCII"}})
        check_refused(w.apply(document(value(code))), ProblemKind::malformed, why);
    std::string more;
    for (int i = 0; i < 4; ++i)
        more += "[[account]]\nname = \"more" + std::to_string(i) + "\"\nendpoint = \"phones\"\nmethod = \"access_code\"\nnames = [\"corp.example\"]\nsecret = " + value("Number-" + std::to_string(i) + "-of-four") + "\n";
    check_refused(w.apply(document(value(chosen), more)), ProblemKind::malformed, "an endpoint has at most 4 secrets that people chose");
    BOOST_TEST(w.apply(document("{generate = true}", more)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

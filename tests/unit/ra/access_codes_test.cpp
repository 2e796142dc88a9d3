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

struct Chosen : World {
    Chosen() { static_cast<void>(apply(document(value(chosen))).value()); }
    ra::Account devices() { return run(ra::find_account(db, account("devices"))).value(); }
    core::Result<bool> judge(std::string_view code) {
        core::SecretText text{std::string(code)};
        return run(codes.judge(devices(), std::move(text)));
    }
    core::CpuPool pool{1, 4};
    ra::ChosenCodes codes{sealer, pool, random, clock};
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_chosen_code_is_kept_as_a_sealed_hash) {
    Chosen w;
    const auto account = w.devices();
    BOOST_TEST((account.public_id.empty() && !account.secret_sealed.empty()));
    BOOST_TEST(w.judge(chosen).value());
    BOOST_TEST(!w.judge("correct-horse:42/battery").value());
    BOOST_TEST(!w.judge("").value());
    BOOST_TEST(!w.apply(document(value(chosen))).value().changed);   // the same again
    BOOST_TEST(!w.apply(document("\"keep\"")).value().changed);
    BOOST_TEST(!w.apply(document("{generate = true}")).value().changed);  // it has one
}

/// Proved by what is remembered: with every place for hashing taken, only that is answered.
BOOST_AUTO_TEST_CASE(what_was_right_is_remembered_for_ten_minutes) {
    Chosen w;
    const auto while_others_hash = [&] {
        boost::asio::io_context io;
        core::Result<bool> answer = false;
        for (int i = 0; i < ra::ChosenCodes::most_at_once; ++i) {
            core::SecretText text("guess-number-" + std::to_string(i));
            boost::asio::co_spawn(io, w.codes.judge(w.devices(), std::move(text)), [](std::exception_ptr, core::Result<bool>) {});
        }
        core::SecretText text{std::string(chosen)};
        boost::asio::co_spawn(io, w.codes.judge(w.devices(), std::move(text)), [&](std::exception_ptr, core::Result<bool> r) { answer = std::move(r); });
        io.run();
        return answer;
    };
    BOOST_TEST(!while_others_hash().has_value());
    BOOST_TEST(w.judge(chosen).value());
    BOOST_TEST(while_others_hash().value());
    w.clock.advance(ra::ChosenCodes::remembered_for - 1s);
    BOOST_TEST(while_others_hash().value());
    w.clock.advance(2s);
    BOOST_TEST(!while_others_hash().has_value());
}

BOOST_AUTO_TEST_CASE(an_account_that_changed_is_asked_anew) {
    Chosen w;
    BOOST_TEST(w.judge(chosen).value());
    static_cast<void>(w.apply(document(value("another-word.Of-2026"))).value());
    BOOST_TEST(!w.judge(chosen).value());
    BOOST_TEST(w.judge("another-word.Of-2026").value());
}

BOOST_AUTO_TEST_CASE(no_more_than_two_are_hashed_at_one_time) {
    Chosen w;
    boost::asio::io_context io;
    int right = 0, busy = 0;
    for (int i = 0; i < 6; ++i) {
        core::SecretText text{std::string(chosen)};
        boost::asio::co_spawn(io, w.codes.judge(w.devices(), std::move(text)), [&](std::exception_ptr e, core::Result<bool> r) {
            if (!e && r && *r) ++right;
            if (!e && !r && r.error().kind == ProblemKind::unavailable && r.error().retry_after == 1s) ++busy;
        });
    }
    io.run();
    BOOST_TEST((right == 2 && busy == 4));
    BOOST_TEST(w.judge(chosen).value());
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

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "tests/unit/validation/support.hpp"
#include "validation/dns_01_validator.hpp"
#include "validation/dns_account_01_validator.hpp"

using namespace postern;
using namespace postern::test;
using core::ProblemKind;
using dns::RecordType;

namespace {

const std::string owner = "_acme-challenge.www.example.test";

struct Fixture {
    Fixture() {
        question.method = "dns-01";
        question.identifier_type = "dns";
        question.identifier = "www.example.test";
        question.key_authorization = "token.thumbprint";
        question.account_url = "https://example.com/acme/acct/ExampleAccount";
        const auto digest = crypto::sha256(question.key_authorization);
        right = core::base64url(digest);
    }
    validation::Finding run(std::unique_ptr<validation::Validator> validator = nullptr) {
        if (!validator) validator = validation::make_dns_01_validator(resolver);
        return core::run_to_end(validator->validate(question, core::deadline_in(20s)));
    }
    std::string refused(ProblemKind kind) {
        const auto finding = run();
        BOOST_REQUIRE_MESSAGE(!finding.verdict, "was let through");
        BOOST_TEST((finding.verdict.error().kind == kind), core::to_string(finding.verdict.error().kind) << ": " << finding.verdict.error().detail);
        BOOST_TEST(finding.passing);
        return finding.verdict.error().detail;
    }
    RecordResolver resolver;
    validation::Question question;
    std::string right;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(validation_dns_01, Fixture)

BOOST_AUTO_TEST_CASE(any_one_of_the_records_is_proof) {
    resolver.txt(owner, {"v=spf1 -all", "", right});
    const auto finding = run();
    BOOST_TEST(finding.verdict.has_value());
    BOOST_TEST(resolver.asked() == std::vector<std::string>{owner}, boost::test_tools::per_element());
    has(finding.steps.at(0), "TXT of _acme-challenge.www.example.test: \"v=spf1 -all\", \"\", \"" + right + "\"");
}

BOOST_AUTO_TEST_CASE(the_strings_of_a_record_are_joined_and_records_are_not) {
    core::Bytes split;
    for (const auto& part : {right.substr(0, 10), std::string(), right.substr(10)}) {
        split.push_back(static_cast<std::uint8_t>(part.size()));
        split.insert(split.end(), part.begin(), part.end());
    }
    resolver.says(owner, RecordType::txt, {split});
    BOOST_TEST(run().verdict.has_value());
    resolver.txt(owner, {right.substr(0, 10), right.substr(10)});
    has(refused(ProblemKind::incorrect_response), "none of the TXT records at " + owner + " is \"" + right + "\"; found \"" + right.substr(0, 10));
}

BOOST_AUTO_TEST_CASE(nothing_but_the_value_itself_is_proof) {
    for (const auto& text : {"\"" + right + "\"", " " + right, right + "=", right + "\n", question.key_authorization, right.substr(1)}) {
        resolver.txt(owner, {text});
        refused(ProblemKind::incorrect_response);
    }
}

BOOST_AUTO_TEST_CASE(what_was_found_is_quoted_short_and_printable) {
    resolver.txt(owner, {"\x1b[31m" + std::string(200, 'a'), "b", "c", "d", "e"});
    has(refused(ProblemKind::incorrect_response), "found \"?[31m" + std::string(59, 'a') + "\" …, \"b\", \"c\" and 2 more");
}

BOOST_AUTO_TEST_CASE(no_record_and_no_name_are_told_apart) {
    has(refused(ProblemKind::forbidden), "there is no such name as " + owner + "; expected one with \"" + right + "\"");
    resolver.txt(owner, {});
    has(refused(ProblemKind::forbidden), "there is no TXT record at " + owner);
}

BOOST_AUTO_TEST_CASE(an_alias_is_named) {
    resolver.txt("elsewhere.test", {"other"}).alias(owner, RecordType::txt, "elsewhere.test");
    has(refused(ProblemKind::incorrect_response), "at " + owner + ", which is an alias of elsewhere.test");
    resolver.txt("elsewhere.test", {right}).alias(owner, RecordType::txt, "elsewhere.test");
    BOOST_TEST(run().verdict.has_value());
}

BOOST_AUTO_TEST_CASE(a_look_up_that_failed_is_no_answer) {
    resolver.fails(owner);
    has(refused(ProblemKind::dns), "While looking up TXT for " + owner + ": SERVFAIL");
    resolver.fails(owner, ProblemKind::unavailable);
    refused(ProblemKind::unavailable);
}

BOOST_AUTO_TEST_CASE(a_broken_record_is_a_dns_problem) {
    resolver.says(owner, RecordType::txt, {core::Bytes{9, 'a'}});
    has(refused(ProblemKind::dns), "ends inside a character-string");
}

/// The example of draft-ietf-acme-dns-account-label-02 §3.2.
BOOST_AUTO_TEST_CASE(an_account_has_a_label_of_its_own) {
    const std::string own = "_ujmmovf2vn55tgye._acme-challenge.www.example.test";
    resolver.txt(own, {right});
    BOOST_TEST(run(validation::make_dns_account_01_validator(resolver)).verdict.has_value());
    question.account_url += "2";
    const auto other = run(validation::make_dns_account_01_validator(resolver));
    BOOST_TEST(!other.verdict.has_value());
    BOOST_TEST(resolver.asked().at(0) == own);
    BOOST_TEST(resolver.asked().at(1) != own);
}

BOOST_AUTO_TEST_SUITE_END()

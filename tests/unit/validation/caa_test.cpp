#include "validation/caa.hpp"

#include "tests/unit/validation/support.hpp"

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

struct Record {
    std::string tag, value;
    unsigned flags = 0;
};

struct Fixture {
    Fixture() {
        question.name = "www.example.test";
        question.identities = {"ca.example", "old-ca.example"};
        question.method = "http-01";
        question.account_url = "https://ca.example/acme/e/account/A";
    }
    /// Empty: permitted; else why not.
    std::string judged(const std::vector<Record>& records) {
        std::vector<dns::CaaRecord> list;
        for (const auto& each : records) {
            dns::CaaRecord record;
            record.tag = each.tag;
            record.value = each.value;
            record.flags = static_cast<std::uint8_t>(each.flags);
            list.push_back(std::move(record));
        }
        const auto verdict = validation::judge_caa(list, "example.test", question);
        if (verdict) return {};
        BOOST_TEST((verdict.error().kind == ProblemKind::caa));
        BOOST_TEST(verdict.error().check == "names.caa");
        has(verdict.error().detail, "CAA records of example.test do not let this CA certify " + question.name + ": ");
        return verdict.error().detail;
    }
    void permits(const std::vector<Record>& records) { BOOST_TEST(judged(records) == ""); }
    void forbids(const std::vector<Record>& records, std::string_view why) {
        const auto said = judged(records);
        BOOST_TEST(!said.empty(), "permitted, where expected: " << why);
        has(said, why);
    }
    validation::Finding look() {
        const auto caa = validation::make_caa(resolver, metrics);
        return core::run_to_end(caa->check(question, core::deadline_in(20s)));
    }
    RecordResolver resolver;
    observe::Metrics metrics;
    validation::CaaQuestion question;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(validation_caa, Fixture)

BOOST_AUTO_TEST_CASE(one_of_our_identities_permits) {
    permits({{"issue", "ca.example"}});
    permits({{"issue", "other.example"}, {"issue", "old-ca.example"}, {"iodef", "mailto:a@example.test"}});
    permits({{"issue", " \tCA.Example ; unknown=1; other = x\t"}});
    permits({{"issue", "ca.example;"}});
    permits({{"iodef", "mailto:a@example.test"}});
    permits({{"issuewild", ";"}});  // says nothing of a plain name
}

BOOST_AUTO_TEST_CASE(others_and_nobody_forbid) {
    forbids({{"issue", "other.example"}}, R"(0 issue "other.example" names another CA)");
    forbids({{"issue", "xca.example"}}, "names another CA");
    forbids({{"issue", ";"}}, "names nobody");
    forbids({{"issue", ""}}, "names nobody");
    forbids({{"issue", "other.example"}, {"issue", ";"}}, R"(0 issue "other.example" names another CA; 0 issue ";" names nobody)");
}

/// Any number of records of others says nothing of the one that names us, wherever it stands; only the text has an end.
BOOST_AUTO_TEST_CASE(all_records_are_read) {
    std::vector<Record> records(50, {"issue", std::string(90, 'o') + ".example"});
    const auto refused = judged(records);
    has(refused, "names another CA; and 46 more");
    BOOST_TEST(refused.size() < 1000U);
    records.push_back({"issue", "ca.example"});
    permits(records);
}

/// RFC 8659 §4.2: what is malformed names nobody, however much it looks like us.
BOOST_AUTO_TEST_CASE(malformed_values_forbid) {
    for (const auto* value : {"%%%%%", "ca.example account=1", "ca.example; account", "ca.example; =1", "ca.example; a=1;", "ca.example; a=1;;b=2", "ca..example",
                              ".ca.example", "ca.example.", "-ca.example", "ca.example; a b=1", "ca.example; a=1 2", "ca.example; a=\x7f"})
        BOOST_TEST_CONTEXT(value) { forbids({{"issue", value}}, "is not of the form of RFC 8659"); }
}

BOOST_AUTO_TEST_CASE(wildcards_go_by_issuewild_where_there_is_one) {
    question.name = "*.www.example.test";
    permits({{"issue", "ca.example"}});
    forbids({{"issue", ";"}}, "names nobody");
    forbids({{"issue", "ca.example"}, {"issuewild", ";"}}, R"(0 issuewild ";" names nobody)");
    permits({{"issue", ";"}, {"issuewild", "ca.example"}});
    permits({{"issuewild", "other.example"}, {"issuewild", "ca.example"}});
}

BOOST_AUTO_TEST_CASE(an_unknown_critical_tag_forbids) {
    for (const unsigned flags : {128U, 1U, 255U}) forbids({{"issue", "ca.example"}, {"tbs", "x", flags}}, "is critical and not known here");
    for (const unsigned flags : {0U, 2U, 126U}) permits({{"issue", "ca.example"}, {"tbs", "x", flags}});
    for (const auto* known : {"iodef", "issuemail", "issuevmc", "issuewild"}) permits({{"issue", "ca.example"}, {known, ";", 128}});
    permits({{"issue", "ca.example", 128}});
}

BOOST_AUTO_TEST_CASE(accounturi_is_the_account_exactly) {
    const auto of = [&](const std::string& url) { return std::vector<Record>{{"issue", "ca.example; accounturi=" + url}}; };
    permits(of(question.account_url));
    for (const auto& other : {question.account_url + "B", std::string("https://ca.example/acme/e/account/a"), std::string()})
        forbids(of(other), "it is for another account");
    forbids({{"issue", "ca.example; accounturi=" + question.account_url + "; accounturi=" + question.account_url}}, "accounturi is given twice");
    forbids({{"issue", "ca.example; ACCOUNTURI=x"}}, "it is for another account");
    permits({{"issue", "ca.example; accounturi=x"}, {"issue", "ca.example"}});
    question.account_url.clear();  // SCEP, EST
    forbids(of("https://ca.example/acme/e/account/A"), "it is for another account");
    forbids(of(""), "it is for another account");
}

BOOST_AUTO_TEST_CASE(validationmethods_is_a_list_with_ours_in_it) {
    const auto of = [](const std::string& list) { return std::vector<Record>{{"issue", "ca.example; validationmethods=" + list}}; };
    permits(of("http-01"));
    permits(of("dns-01,http-01,x-y"));
    for (const auto* list : {"", "dns-01", "HTTP-01", "http-01x", "http", ",", "dns-01,"}) forbids(of(list), "it does not permit http-01");
    forbids({{"issue", "ca.example; validationmethods=http-01; validationmethods=http-01"}}, "validationmethods is given twice");
    question.method.clear();
    forbids(of(""), "it is for names that are validated");
}

BOOST_AUTO_TEST_CASE(the_nearest_records_decide) {
    resolver.caa("example.test", "issue", ";");
    auto finding = look();
    BOOST_TEST_REQUIRE(!finding.verdict.has_value());
    has(finding.verdict.error().detail, "CAA records of example.test do not let this CA certify www.example.test");
    BOOST_TEST(!finding.passing);
    resolver.caa("www.example.test", "issue", "ca.example");
    finding = look();
    BOOST_TEST(finding.verdict.has_value());
    BOOST_TEST(finding.steps.back() == "CAA of www.example.test: permits this CA");
    has(metrics.scrape(), "postern_caa_total{result=\"caa\"} 1");
    has(metrics.scrape(), "postern_caa_total{result=\"permitted\"} 1");
}

BOOST_AUTO_TEST_CASE(without_records_up_to_the_top_anybody_may_issue) {
    question.name = "*.www.example.test";
    BOOST_TEST(look().verdict.has_value());
    const std::vector<std::string> climbed{"www.example.test", "example.test", "test"};
    BOOST_TEST(resolver.asked() == climbed, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_look_up_that_failed_is_no_permission) {
    resolver.fails("example.test").caa("test", "issue", "ca.example");
    auto finding = look();
    BOOST_TEST_REQUIRE(!finding.verdict.has_value());
    BOOST_TEST((finding.verdict.error().kind == ProblemKind::dns && finding.passing));
    has(finding.verdict.error().detail, "While looking up CAA for example.test: SERVFAIL");
    resolver.fails("example.test", ProblemKind::unavailable);
    BOOST_TEST((look().verdict.error().kind == ProblemKind::unavailable));
    // Above records that permit nobody asks.
    resolver.caa("www.example.test", "issue", "ca.example");
    BOOST_TEST(look().verdict.has_value());
}

BOOST_AUTO_TEST_CASE(a_broken_record_is_no_permission) {
    resolver.says("www.example.test", dns::RecordType::caa, {core::Bytes{0, 9, 'i'}});
    const auto finding = look();
    BOOST_TEST_REQUIRE(!finding.verdict.has_value());
    has(finding.verdict.error().detail, "shorter than its tag");
}

BOOST_AUTO_TEST_SUITE_END()

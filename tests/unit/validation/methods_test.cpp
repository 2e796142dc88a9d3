#include "validation/methods.hpp"

#include "tests/unit/validation/support.hpp"

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

class Says final : public validation::Validator {
public:
    explicit Says(core::Result<void> verdict) : verdict_(std::move(verdict)) {}
    core::Task<validation::Finding> validate(validation::Question question, core::Deadline) override {
        validation::Finding out;
        out.verdict = verdict_;
        out.passing = !verdict_;
        out.steps.push_back("asked for " + question.identifier);
        co_return out;
    }

private:
    core::Result<void> verdict_;
};

validation::Finding ask(validation::Validator& validator, const std::string& method) {
    validation::Question question;
    question.method = method;
    question.identifier = "www.example.test";
    return core::run_to_end(validator.validate(question, core::deadline_in(20s)));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(validation_methods)

BOOST_AUTO_TEST_CASE(the_method_chooses_who_validates_and_each_is_counted) {
    observe::Metrics metrics;
    validation::Methods methods(metrics);
    methods.add("http-01", std::make_unique<Says>(core::Result<void>()));
    methods.add("dns-01", std::make_unique<Says>(core::Problem(ProblemKind::dns, "SERVFAIL")));
    BOOST_TEST(ask(methods, "http-01").verdict.has_value());
    const auto refused = ask(methods, "dns-01");
    BOOST_TEST_REQUIRE(!refused.verdict.has_value());
    BOOST_TEST((refused.verdict.error().detail == "SERVFAIL" && refused.passing));
    BOOST_TEST(refused.steps.at(0) == "asked for www.example.test");
    has(metrics.scrape(), "postern_validations_total{method=\"http-01\",result=\"valid\"} 1");
    has(metrics.scrape(), "postern_validations_total{method=\"dns-01\",result=\"dns\"} 1");
    has(metrics.scrape(), "postern_validation_seconds_count{method=\"dns-01\"} 1");
}

BOOST_AUTO_TEST_CASE(a_method_that_nobody_validates_says_nothing_about_the_name) {
    observe::Metrics metrics;
    validation::Methods methods(metrics);
    const auto refused = ask(methods, "email-reply-00");
    BOOST_TEST_REQUIRE(!refused.verdict.has_value());
    BOOST_TEST((refused.verdict.error().kind == ProblemKind::internal));
    has(refused.verdict.error().detail, "email-reply-00");
}

BOOST_AUTO_TEST_SUITE_END()

#include "core/base/result.hpp"

#include <boost/test/unit_test.hpp>
#include <optional>

namespace core = postern::core;

BOOST_AUTO_TEST_SUITE(base_result)

namespace {

template <class T>
concept MakesTruth = std::constructible_from<core::Result<bool>, T>;

core::Result<bool> copied(const core::Result<bool>& r) { return core::Result<bool>(r); }
core::Result<bool> moved(const core::Result<bool>&& r) { return core::Result<bool>(std::move(r)); }  // NOLINT(performance-move-const-arg): what is tried

}  // namespace

BOOST_AUTO_TEST_CASE(a_copy_of_no_stays_no) {
    core::Result<bool> no(false);
    BOOST_TEST(!*copied(no));
    BOOST_TEST(!*moved(std::move(no)));
    core::Result<bool> from_lvalue(no);
    BOOST_TEST(!*from_lvalue);
    const auto captured = [no] { return core::Result<bool>(no); };
    BOOST_TEST(!*captured());
    BOOST_TEST(*copied(core::Result<bool>(true)));
}

BOOST_AUTO_TEST_CASE(a_copy_of_a_refusal_stays_one) {
    core::Result<bool> refused(core::Problem(core::ProblemKind::forbidden, "no"));
    BOOST_TEST(!copied(refused).has_value());
    BOOST_TEST(!moved(std::move(refused)).has_value());
    core::Result<bool> from_lvalue(refused);
    BOOST_TEST(!from_lvalue.has_value());
}

/// What has a truth of its own is none of a result's.
BOOST_AUTO_TEST_CASE(nothing_but_a_bool_becomes_one) {
    static_assert(MakesTruth<bool>);
    static_assert(!MakesTruth<core::Result<int>>);
    static_assert(!MakesTruth<const core::Result<int>&>);
    static_assert(!MakesTruth<std::optional<int>>);
    static_assert(!MakesTruth<const char*>);
    static_assert(!MakesTruth<int>);
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE_END()

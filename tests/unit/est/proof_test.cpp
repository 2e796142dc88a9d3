#include "est/proof.hpp"

#include <boost/test/unit_test.hpp>

#include "core/base/encoding.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
using core::ProblemKind;
using test::refusal;

namespace {

std::shared_ptr<const http::TlsFacts> facts(core::Bytes unique, core::Bytes exporter) {
    http::TlsFacts out;
    out.unique = std::move(unique);
    out.exporter = std::move(exporter);
    return std::make_shared<const http::TlsFacts>(out);
}

const core::Bytes twelve(12, 0x5a), thirty_two(32, 0xa5);

}  // namespace

BOOST_AUTO_TEST_SUITE(est_proof)

BOOST_AUTO_TEST_CASE(either_binding_of_the_connection_is_taken) {
    const auto both = facts(twelve, thirty_two);
    BOOST_TEST(core::base64(twelve).size() == 16U);
    BOOST_TEST(core::base64(thirty_two).size() == 44U);
    for (const auto& value : {twelve, thirty_two}) {
        BOOST_TEST(est::check_binding(both, core::base64(value)).has_value());
        BOOST_TEST(est::check_binding(both, core::base64(value) + "\n").has_value());
    }
}

BOOST_AUTO_TEST_CASE(one_line_end_is_taken_off_and_no_more) {
    const auto both = facts(twelve, thirty_two);
    for (const auto* end : {"\n\n", "\r\n", " ", "\r", "A", "="})
        BOOST_TEST(!est::check_binding(both, core::base64(twelve) + end));
    BOOST_TEST(!est::check_binding(both, "\n" + core::base64(twelve)));
}

BOOST_AUTO_TEST_CASE(lengths_must_be_equal) {
    const auto both = facts(twelve, thirty_two);
    const auto text = core::base64(thirty_two);
    for (std::size_t n = 0; n < text.size(); ++n) BOOST_TEST(!est::check_binding(both, text.substr(0, n)), "a prefix of " << n);
    BOOST_TEST(!est::check_binding(both, text + text));
}

BOOST_AUTO_TEST_CASE(what_a_connection_does_not_have_is_not_matched_by_nothing) {
    for (const auto& none : {facts({}, {}), facts(twelve, {}), facts({}, thirty_two)}) {
        BOOST_TEST(!est::check_binding(none, ""));
        BOOST_TEST(!est::check_binding(none, "\n"));
    }
    BOOST_TEST(!est::check_binding(facts(twelve, {}), core::base64(thirty_two)));
    BOOST_TEST(!est::check_binding(facts({}, thirty_two), core::base64(twelve)));
}

BOOST_AUTO_TEST_CASE(behind_a_proxy_there_is_none) {
    const auto why = refusal(est::check_binding(nullptr, core::base64(twelve)), ProblemKind::malformed);
    BOOST_TEST(test::contains(why, "a proxy stands between"), why);
}

BOOST_AUTO_TEST_SUITE_END()

#include "core/crypto/ocsp.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

#include "core/crypto/certificate_bag.hpp"
#include "core/crypto/certificate_uses.hpp"
#include "core/crypto/der.hpp"
#include "tests/unit/crypto/support.hpp"

BOOST_AUTO_TEST_SUITE(crypto_ocsp)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;
using Status = crypto::OcspAnswer::Status;

namespace {

core::Bytes seed(const std::string& target, const std::string& name) {
    std::ifstream in(POSTERN_TEST_DATA "/fuzz/" + target + "/seed-" + name, std::ios::binary);
    BOOST_TEST_REQUIRE(in.good(), name);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A question and what was answered: issuer, certificate and response stand one after the other (tests/data/fuzz/make.py).
struct Asked {
    explicit Asked(const std::string& name) {
        const auto octets = seed("ocsp", name);
        crypto::der::Reader parts(octets);
        const auto issuer = parts.next(), leaf = parts.next();
        question.issuer = crypto::Certificate::parse(issuer->whole).value();
        question.certificate = crypto::Certificate::parse(leaf->whole).value();
        question.nonce = core::Bytes(16, 0x11);
        response.assign(octets.begin() + static_cast<std::ptrdiff_t>(issuer->whole.size() + leaf->whole.size()), octets.end());
        now = question.certificate.not_before() + std::chrono::hours(1);
    }
    [[nodiscard]] core::Result<crypto::OcspAnswer> read() const { return crypto::read_ocsp_response(response, question, now); }
    crypto::OcspQuestion question;
    core::Bytes response;
    core::TimePoint now{};
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_the_issuer_or_its_responder_says_counts) {
    for (const auto* name : {"good", "no-nonce", "responder"}) BOOST_TEST_CONTEXT(name) {
        const auto answer = Asked(name).read();
        BOOST_TEST_REQUIRE(answer.has_value(), (answer ? "" : answer.error().detail));
        BOOST_TEST((answer->status == Status::good && !answer->revoked && answer->next_update));
    }
    const auto revoked = Asked("revoked").read().value();
    BOOST_TEST((revoked.status == Status::revoked && revoked.revoked == Asked("revoked").question.certificate.not_before()));
    BOOST_TEST((Asked("unknown").read().value().status == Status::unknown));
}

BOOST_AUTO_TEST_CASE(what_proves_nothing_is_refused_with_the_reason) {
    const std::pair<const char*, const char*> unproven[] = {{"other-nonce", "another request's"}, {"device", "not for OCSP signing"}, {"stranger", "not issued by the CA"},
                                                            {"alone", "neither by the issuer nor"}, {"other", "nothing of this certificate"}, {"old", "it counted until"}};
    for (const auto& [name, part] : unproven) BOOST_TEST_CONTEXT(name) BOOST_TEST(contains(refusal(Asked(name).read(), ProblemKind::unauthenticated), part));
    BOOST_TEST(contains(refusal(Asked("later").read(), ProblemKind::unavailable), "no answer now (status 3)"));
    for (const auto* name : {"cut", "nothing"}) BOOST_TEST_CONTEXT(name) BOOST_TEST(contains(refusal(Asked(name).read(), ProblemKind::malformed), "cannot be read"));
}

BOOST_AUTO_TEST_CASE(an_answer_counts_between_its_times) {
    Asked good("good");
    const auto begin = good.question.certificate.not_before();
    good.now = begin - std::chrono::minutes(4);  // clocks of two houses
    BOOST_TEST(good.read().has_value());
    good.now = begin - std::chrono::minutes(6);
    BOOST_TEST(contains(refusal(good.read(), ProblemKind::unauthenticated), "which is not yet"));
    good.now = begin + std::chrono::hours(24) + std::chrono::minutes(6);
    BOOST_TEST(contains(refusal(good.read(), ProblemKind::unauthenticated), "it counted until"));
    Asked responder("responder");
    responder.now = begin + std::chrono::hours(24 * 400);
    BOOST_TEST(contains(refusal(responder.read(), ProblemKind::unauthenticated), "the responder's certificate is valid from"));
}

BOOST_AUTO_TEST_CASE(no_octet_that_is_signed_can_be_changed) {
    const Asked good("good");
    std::size_t refused = 0;
    for (std::size_t at = 0; at < good.response.size(); ++at) {
        Asked changed = good;
        changed.response[at] ^= 1U;
        const auto answer = changed.read();
        if (!answer) ++refused;
        else BOOST_TEST((answer->status == Status::good && answer->this_update == good.question.certificate.not_before()), at);
    }
    BOOST_TEST(refused == good.response.size());
}

BOOST_AUTO_TEST_CASE(openssl_reads_the_request) {
    const Asked good("good");
    const auto request = crypto::ocsp_request(good.question).value();
    const TemporaryFolder folder;
    const auto said = run("openssl ocsp -text -noverify -reqin " + folder.write("request.der", request));
    BOOST_TEST(said.status == 0, said.output);
    for (const auto* part : {"Hash Algorithm: sha1", "OCSP Nonce", "Serial Number"}) BOOST_TEST(contains(said.output, part), said.output);
}

BOOST_AUTO_TEST_CASE(purposes_are_read) {
    const auto of = [](const std::string& name) {
        const auto octets = Asked(name).response;
        // The certificate stands last in the response.
        for (std::size_t at = octets.size() - 100; at > 0; --at)
            if (const auto found = crypto::Certificate::parse(core::BytesView(octets).subspan(at))) return crypto::extended_key_usage(*found).value();
        return std::vector<std::string>{"none found"};
    };
    BOOST_TEST((of("responder") == std::vector<std::string>{std::string(crypto::eku_ocsp_signing)}));
    BOOST_TEST(of("device").empty());
}

BOOST_AUTO_TEST_CASE(bags_are_taken_apart_in_their_order) {
    const auto bag = crypto::certificate_bag(seed("certificate_list", "p7b-der")).value();
    BOOST_TEST_REQUIRE(bag.size() == 3U);
    for (const auto& der : bag) BOOST_TEST(crypto::Certificate::parse(der).has_value());
    BOOST_TEST(contains(refusal(crypto::certificate_bag(seed("certificate_list", "der")), ProblemKind::malformed), "its type is not signedData"));
    auto cut = seed("certificate_list", "p7b-der");
    cut.pop_back();
    BOOST_TEST(contains(refusal(crypto::certificate_bag(cut), ProblemKind::malformed), "not the BER of one sequence"));
}

BOOST_AUTO_TEST_SUITE_END()

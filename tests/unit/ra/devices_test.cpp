#include "ra/access_codes.hpp"
#include "ra/renewal.hpp"
#include "tests/support/csr.hpp"
#include "tests/unit/ra/foreign_world.hpp"

/// What devices rest on: access codes, attempts that are repeated for an hour, kept CSRs, and the right to renew.
BOOST_AUTO_TEST_SUITE(ra_devices)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;
using Mode = ScriptedCa::Mode;

namespace {

constexpr store::Statement set_status{"test_certificate_status", "UPDATE certificate SET status = $2 WHERE id = $1"};

std::string documents_with_devices() {
    std::string text(standard_documents);
    for (const char* endpoint : {"phones", "printers"})
        text += "\n[[endpoint]]\nname = \"" + std::string(endpoint) + "\"\nprotocol = \"scep\"\nra = \"builtin\"\nprofiles = [\"device\"]\n\n[[account]]\nname = \"" + endpoint +
                "\"\nendpoint = \"" + endpoint + "\"\nmethod = \"access_code\"\nnames = [\".devices.example\"]\ncommon_names = [\"phone-*\"]\nsecret = {generate = true}\n";
    return text + R"(
[[profile]]
name = "device"
backend = "scripted"
lifetime = "90d"
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]
)";
}

struct Devices : World {
    Devices() {
        for (auto& secret : apply(documents_with_devices()).value().secrets)
            if (secret.account != "default/team") codes[secret.account] = secret.access_code.expose();
    }
    core::EndpointId endpoint(std::string_view name = "phones") { return catalog.current()->endpoint(ra::Protocol::scep, name)->id; }
    /// CSR for that CN and DNS name with a challenge in it, as a device sends it.
    core::Bytes csr(const std::string& cn = "phone-1", const std::string& dns = "one.devices.example", const std::string& challenge = "secret") const {
        crypto::DistinguishedName subject;
        subject.entries.emplace_back(crypto::DnAttribute::common_name, cn);
        std::vector<crypto::GeneralName> names;
        if (!dns.empty()) names.emplace_back(crypto::GeneralNameType::dns, dns);
        CsrParts parts;
        parts.subject = subject.to_der();
        crypto::der::Writer password;
        password.primitive(crypto::der::utf8_string, core::as_bytes(challenge));
        const auto extensions = extension_request(names.empty() ? core::Bytes() : dns_names_extension(names));
        parts.attributes = joined(csr_attribute("1.2.840.113549.1.9.7", password.bytes()), names.empty() ? core::Bytes() : extensions);
        return parts.sign(leaf_key);
    }
    ra::EnrollmentRequest message(const std::string& transaction = "T1") {
        ra::EnrollmentRequest r;
        r.id = random.request_id();
        r.via = ra::Protocol::scep;
        r.endpoint = endpoint();
        r.account = account("phones");
        r.requester = r.attempt = transaction;
        r.repeated_for = 1h;
        r.evidence.push_back(ra::Evidence::of(ra::Evidence::Kind::challenge, "code", clock.now()));
        r.csr = crypto::Csr::parse(csr()).value();
        r.origin_kind = "scep_transaction";
        r.origin_id = transaction;
        r.deadline = core::deadline_in(30s);
        return r;
    }
    core::Bytes enroll(const std::string& transaction = "T1") { return std::get<ra::IssuedCertificate>(submit(message(transaction)).value()).der; }
    core::Result<ra::RenewalRight> right(const core::Bytes& der, std::string_view at = "phones", std::chrono::milliseconds window = 24h * 30) {
        return run(ra::find_renewal_right(db, endpoint(at), der, clock.now(), window));
    }
    void refused(const core::Bytes& der, std::string_view check, std::string_view part, std::string_view at = "phones") {
        const auto r = right(der, at);
        BOOST_TEST_REQUIRE(!r.has_value());
        check_problem(r.error(), ProblemKind::forbidden, check, part);
    }
    std::optional<ra::Account> known(std::string_view at, const std::string& code) { return run(ra::find_account_by_access_code(db, sealer, endpoint(at), code)); }
    std::map<std::string, std::string> codes;
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_access_code_is_good_at_its_endpoint) {
    Devices w;
    const auto phones = w.codes.at("default/phones"), printers = w.codes.at("default/printers");
    BOOST_TEST((w.known("phones", phones)->name == "phones" && w.known("printers", printers)->name == "printers"));
    BOOST_TEST((!w.known("phones", printers) && !w.known("printers", phones)));
    BOOST_TEST((!w.known("phones", "") && !w.known("phones", phones + " ") && !w.known("phones", phones.substr(1))));
    const auto id = ra::access_code_id(w.sealer, w.endpoint(), phones);
    BOOST_TEST((id != ra::access_code_id(w.sealer, w.endpoint("printers"), phones) && id.find(phones) == id.npos));
}

BOOST_AUTO_TEST_CASE(an_attempt_is_repeated_for_an_hour_and_issued_anew_after) {
    Devices w;
    const auto first = w.enroll();
    w.clock.advance(1h);
    BOOST_TEST((w.enroll() == first));
    w.clock.advance(1ms);
    BOOST_TEST((w.enroll() != first));
    const auto rows = w.enrollments();
    BOOST_TEST_REQUIRE(rows.size() == 2U);
    BOOST_TEST((rows[0].status == "issued" && !rows[0].attempt_bound && rows[1].attempt_bound));
    BOOST_TEST((rows[0].attempt_key == rows[1].attempt_key && w.certificates().size() == 2U));
}

BOOST_AUTO_TEST_CASE(two_that_come_after_the_hour_free_the_attempt_once) {
    Devices w;
    const auto first = w.enroll();
    w.clock.advance(2h);
    w.db.hook_at = &store::enrollment_unbind;
    w.db.hook = [&]() -> core::Task<void> {
        auto other = w.enrollment.submit(w.message());
        const auto outcome = co_await std::move(other);
        BOOST_TEST(std::holds_alternative<ra::IssuedCertificate>(outcome.value()));
    };
    const auto second = w.enroll();
    BOOST_TEST((second != first && w.enrollments().size() == 2U && w.certificates().size() == 2U));
}

BOOST_AUTO_TEST_CASE(after_a_revocation_the_same_message_is_a_new_attempt) {
    Devices w;
    const auto first = w.enroll();
    BOOST_TEST(w.run(w.revocation.revoke(w.certificates().at(0), 4, ra::Actor("principal", "bob"), core::RequestId("revokerequest000"), core::deadline_in(10s))).has_value());
    BOOST_TEST((w.enroll() != first));
    BOOST_TEST((w.certificates()[0].status == "revoked" && w.certificates()[1].status == "issued"));
}

BOOST_AUTO_TEST_CASE(a_crash_is_settled_from_the_kept_request) {
    Devices w;
    w.ca.mode = Mode::crash;
    BOOST_CHECK_THROW(w.submit(w.message()), std::runtime_error);
    const auto lost = w.enrollments().at(0);
    const auto kept = core::as_text(lost.csr);
    BOOST_TEST(kept.find("secret") == kept.npos);  // the challenge is not among what is kept
    w.ca.mode = Mode::ok;
    BOOST_TEST(w.run(w.sweeper.round()) == 1U);
    const auto settled = w.enrollments().at(0);
    BOOST_TEST((settled.status == "issued" && settled.serial != lost.serial && w.read(revocation_rows).at(0).blob(0) == lost.serial));
    BOOST_TEST((w.certificates().at(0).names == R"(["one.devices.example"])" && w.certificates().at(0).subject == "CN=phone-1"));
    BOOST_TEST((w.enroll() == w.certificates().at(0).der));
}

BOOST_AUTO_TEST_CASE(the_right_to_renew_is_found_by_record) {
    Devices w;
    const auto der = w.enroll();
    w.clock.advance(24h * 70);
    const auto right = w.right(der);
    BOOST_TEST_REQUIRE(right.has_value());
    BOOST_TEST((right->account.name == "phones" && right->enrollment == w.enrollments().at(0).id && right->certificate.der() == der));
    BOOST_TEST((right->evidence.kind == ra::Evidence::Kind::certificate && right->evidence.requester == "certificate" && right->evidence.row == w.certificates().at(0).id.get()));

    w.refused(core::Bytes(5, 0x30), "renewal.record", "the certificate cannot be read");
    w.refused(der, "renewal.record", "the certificate was not issued at this endpoint", "printers");
    auto other = der;
    other.back() ^= 1;  // another signature: a certificate of the same serial that nobody here made
    w.refused(other, "renewal.record", "the certificate was not issued here");
    for (const auto* status : {"revoked", "replaced", "expired"}) {
        w.execute(set_status, store::values(w.certificates().at(0).id, status));
        w.refused(der, "renewal.status", "the certificate is " + std::string(status));
    }
}

BOOST_AUTO_TEST_CASE(the_right_to_renew_has_its_window) {
    Devices w;
    const auto der = w.enroll();
    const auto row = w.certificates().at(0);
    const auto at = [&](core::TimePoint when) { return w.run(ra::find_renewal_right(w.db, w.endpoint(), der, when, 24h * 30)); };
    const auto refused = [&](core::TimePoint when, std::string_view check, std::string_view part) {
        const auto r = at(when);
        BOOST_TEST_REQUIRE(!r.has_value());
        check_problem(r.error(), ProblemKind::forbidden, check, part);
    };
    const auto opens = row.not_after - 24h * 30;
    refused(opens - 1ms, "renewal.window", "can be renewed from " + core::rfc3339(opens) + " on");
    BOOST_TEST((at(opens).has_value() && at(row.not_after).has_value()));
    refused(row.not_after + 1ms, "renewal.validity", "the certificate is valid from ");
    refused(row.not_before - 1ms, "renewal.validity", "the certificate is valid from ");
}

BOOST_AUTO_TEST_CASE(a_renewal_asks_for_the_names_of_the_certificate_or_of_its_request) {
    Devices w;
    const auto der = w.enroll();
    w.clock.advance(24h * 70);
    const auto right = w.right(der).value();
    const auto check = [&](const core::Bytes& request) {
        const auto parsed = crypto::Csr::parse(request).value();
        return w.run(ra::check_renewal_names(w.db, right, parsed));
    };
    BOOST_TEST(check(w.csr()).has_value());
    for (const auto& [cn, dns] : {std::pair("phone-2", "one.devices.example"), std::pair("phone-1", "two.devices.example"), std::pair("phone-1", "")}) {
        const auto wrong = check(w.csr(cn, dns));
        BOOST_TEST_REQUIRE(!wrong.has_value());
        check_problem(wrong.error(), ProblemKind::forbidden, "renewal.names", "the request asks for other names than the certificate has");
    }
}

BOOST_AUTO_TEST_CASE(a_renewal_may_repeat_the_request_of_which_less_was_certified) {
    Devices w;
    // The subject of what is issued is rebuilt: the organization that the CSR has is not in the certificate.
    crypto::DistinguishedName subject;
    subject.entries.emplace_back(crypto::DnAttribute::organization, "Whoever");
    subject.entries.emplace_back(crypto::DnAttribute::common_name, "phone-1");
    const auto original = crypto::make_csr(w.leaf_key, subject, {});
    auto r = w.message();
    r.csr = crypto::Csr::parse(original).value();
    const auto der = std::get<ra::IssuedCertificate>(w.submit(std::move(r)).value()).der;
    w.clock.advance(24h * 70);
    const auto right = w.right(der).value();
    const auto again = crypto::Csr::parse(original).value();
    BOOST_TEST(w.run(ra::check_renewal_names(w.db, right, again)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

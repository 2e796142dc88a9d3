#include "ra/challenge_webhook.hpp"

#include "core/crypto/digest.hpp"
#include "core/json/reader.hpp"
#include "ra/binding_text.hpp"
#include "tests/unit/ra/world.hpp"

/// A challenge that another program judges.
BOOST_AUTO_TEST_SUITE(challenge_webhook)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

constexpr std::string_view documents_with_hook = R"(
[[endpoint]]
name = "phones"
protocol = "scep"
ra = "builtin"
profiles = ["server"]

[[account]]
name = "hook"
endpoint = "phones"
method = "webhook"
url = "https://mdm.example/scep"
timeout = "7s"
names = ["corp.example", ".corp.example"]
secret = {generate = true}
)";

/// Answers as it is told, and remembers what was sent.
class ScriptedOutbound final : public http::Outbound {
public:
    core::Task<core::Result<http::Response>> exchange(http::OutboundRequest request, core::Deadline deadline) override {
        until = deadline;
        sent.push_back(std::move(request));
        core::Result<http::Response> answer = http::Response(status, "application/json", body);
        if (problem) answer = *problem;
        co_return answer;
    }
    unsigned status = 200;
    std::string body = R"({"allow": true})";
    std::optional<core::Problem> problem;
    std::vector<http::OutboundRequest> sent;
    core::Deadline until{};
};

std::string header(const http::OutboundRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.headers)
        if (key == name) return value;
    return "(none)";
}

struct Hooked : World {
    Hooked() {
        auto report = apply(std::string(standard_documents) + std::string(documents_with_hook)).value();
        for (const auto& s : report.secrets)
            if (s.account == "default/hook") secret = s.webhook_secret.expose();
    }
    core::Result<ra::WebhookVerdict> ask(http::Outbound* by) {
        std::vector<crypto::GeneralName> names;
        names.emplace_back(crypto::GeneralNameType::dns, "phone.corp.example");
        names.emplace_back(crypto::GeneralNameType::ip, "192.0.2.7");
        crypto::DistinguishedName subject;
        subject.entries.emplace_back(crypto::DnAttribute::common_name, "phone-7");
        ra::WebhookQuestion question("phones", "open sesame", "T1", crypto::Csr::parse(crypto::make_csr(leaf_key, subject, names)).value());
        auto of = run(ra::find_account(db, account("hook"))).value();
        return run(ra::ask_webhook(by, sealer, std::move(of), std::move(question), clock.now(), core::deadline_in(30s)));
    }
    core::Result<ra::WebhookVerdict> ask() { return ask(&outbound); }
    /// Kind and words of a refusal.
    std::string refusal() {
        const auto verdict = ask();
        if (verdict) return verdict->allow ? "allowed" : "denied";
        BOOST_TEST(verdict.error().check == "challenge.webhook");
        BOOST_TEST(!contains(verdict.error().detail, "sesame"));
        return std::string(core::to_string(verdict.error().kind)) + ": " + verdict.error().detail;
    }
    std::string secret;
    ScriptedOutbound outbound;
};

}  // namespace

BOOST_AUTO_TEST_CASE(it_is_asked_as_step_ca_asks) {
    Hooked w;
    BOOST_TEST(w.ask().value().allow);
    BOOST_TEST_REQUIRE(w.outbound.sent.size() == 1U);
    const auto& sent = w.outbound.sent[0];
    BOOST_TEST((sent.method == http::Method::post && sent.url == "https://mdm.example/scep" && !sent.plain_allowed && sent.ca_pem.empty()));
    BOOST_TEST(header(sent, "Content-Type") == "application/json");
    BOOST_TEST(header(sent, "X-Smallstep-Webhook-ID") == "hook");
    const auto key = core::from_base64(w.secret).value();
    BOOST_TEST((key.size() == 32U && header(sent, "X-Smallstep-Signature") == core::hex(crypto::hmac(crypto::HmacHash::sha256, key, core::as_bytes(sent.body)))));
    BOOST_TEST((w.outbound.until < core::deadline_in(8s)));
    const auto document = json::Document::parse(sent.body).value();
    const auto root = document.root();
    BOOST_TEST(root["scepChallenge"].string().value() == "open sesame");
    BOOST_TEST(root["scepTransactionID"].string().value() == "T1");
    BOOST_TEST(root["provisionerName"].string().value() == "phones");
    BOOST_TEST(root["timestamp"].string().value() == core::rfc3339(w.clock.now()));
    const auto csr = root["x509CertificateRequest"];
    BOOST_TEST(csr["subject"]["commonName"].string().value() == "phone-7");
    BOOST_TEST(csr["dnsNames"].items().at(0).string().value() == "phone.corp.example");
    BOOST_TEST(csr["ipAddresses"].items().at(0).string().value() == "192.0.2.7");
    BOOST_TEST(crypto::Csr::parse(core::from_base64(csr["raw"].string().value()).value()).has_value());
}

BOOST_AUTO_TEST_CASE(only_a_yes_is_one) {
    Hooked w;
    const auto says = [&](unsigned status, std::string body) {
        w.outbound.status = status;
        w.outbound.body = std::move(body);
        return w.refusal();
    };
    const std::string yes = R"({"allow": true})";
    BOOST_TEST(says(200, yes) == "allowed");
    BOOST_TEST(says(200, R"({"allow": false, "error": {"message": "no"}})") == "denied");
    for (const unsigned status : {201U, 204U, 301U, 307U, 400U, 401U, 404U})
        BOOST_TEST(says(status, yes) == "forbidden: the webhook answered " + std::to_string(status));
    for (const unsigned status : {429U, 500U, 503U}) BOOST_TEST(says(status, yes) == "unavailable: the webhook answered " + std::to_string(status));
    for (const auto* junk : {"", "yes", "<html>", R"({"allow": true} )" "x", R"({"allow": true, "allow": true})"})
        BOOST_TEST(says(200, junk) == "forbidden: the webhook gave no JSON that can be read", junk);
    for (const auto* odd : {"{}", "[]", "true", R"({"allow": "true"})", R"({"allow": 1})", R"({"allow": null})"})
        BOOST_TEST(says(200, odd) == "forbidden: the webhook gave no answer: \"allow\" is no boolean", odd);
    for (const auto* data : {"[]", "7", R"({"subject": 7})", R"({"subject": "phone"})", R"({"sans": "dns:a.b"})", R"({"sans": ["a.b"]})", R"({"sans": [7]})", R"({"profile": 7})"})
        BOOST_TEST(says(200, R"({"allow": true, "data": )" + std::string(data) + "}").starts_with("forbidden: the webhook allowed it with data that cannot be read: "), data);
}

BOOST_AUTO_TEST_CASE(what_it_says_narrows) {
    Hooked w;
    w.outbound.body = R"({"allow": true, "data": {"subject": "CN=phone-7", "sans": ["dns:phone.corp.example"], "profile": "server", "role": "dba"}})";
    const auto verdict = w.ask().value();
    BOOST_TEST((verdict.allow && verdict.profile == "server"));
    BOOST_TEST(ra::to_stored(*verdict.binding.subject) == R"(["CN=phone-7"])");
    BOOST_TEST(ra::to_stored(*verdict.binding.names) == R"(["dns:phone.corp.example"])");
    w.outbound.body = R"({"allow": true, "data": null})";
    BOOST_TEST((!w.ask().value().binding.subject && !w.ask().value().binding.names));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_asked_decides_nothing) {
    Hooked w;
    w.outbound.problem = core::Problem(ProblemKind::connection, "mdm.example answered nothing in time", "outbound.timeout");
    BOOST_TEST(w.refusal() == "unavailable: the webhook cannot be asked: mdm.example answered nothing in time");
    w.outbound.problem = core::Problem(ProblemKind::malformed, "too long", "outbound.too_long");
    BOOST_TEST(w.refusal() == "forbidden: the webhook gave an answer of more than 64 KiB");
    const auto nobody = w.ask(nullptr);
    check_refused(nobody, ProblemKind::unavailable, "this process sends nothing");
}

BOOST_AUTO_TEST_CASE(documents_of_webhooks) {
    World w;
    const auto text = std::string(standard_documents) + std::string(documents_with_hook);
    struct Wrong {
        std::string_view from, to, why;
    };
    for (const auto& wrong : {Wrong{"https://mdm.example/scep", "http://mdm.example/scep", "url: expected a URL such as"},
                              Wrong{"https://mdm.example/scep", "https://user@mdm.example/", "url: expected a URL such as"},
                              Wrong{"timeout = \"7s\"", "timeout = \"1m\"", "timeout: longer than 20 s"},
                              Wrong{"timeout = \"7s\"", "trust_anchors = \"root\"", "trust_anchors: expected certificates, PEM"},
                              Wrong{"timeout = \"7s\"", "unbound = true", "unbound: is for accounts of method one_time"},
                              Wrong{"method = \"webhook\"", "method = \"access_code\"", "url: is for accounts of method webhook"},
                              Wrong{"{generate = true}", "{value = \"c2hvcnQ=\"}", "at least 16 octets as base64"}}) {
        auto changed = text;
        changed.replace(changed.rfind(wrong.from), wrong.from.size(), wrong.to);
        check_refused(w.apply(changed), ProblemKind::malformed, wrong.why);
    }
    const auto second = std::string(standard_documents) + std::string(documents_with_hook) +
                        "[[account]]\nname = \"hook2\"\nendpoint = \"phones\"\nmethod = \"webhook\"\nurl = \"https://x.example/\"\nsecret = {generate = true}\n";
    check_refused(w.apply(second), ProblemKind::malformed, "the endpoint has an account of method webhook already");
    BOOST_TEST(w.apply(std::string(standard_documents) + std::string(documents_with_hook)).value().changed);
    BOOST_TEST(!w.apply(std::string(standard_documents) + std::string(documents_with_hook)).value().changed);
    BOOST_TEST(contains(w.run(w.documents.export_all(administrator())), "secret = \"keep\""));
}

BOOST_AUTO_TEST_SUITE_END()

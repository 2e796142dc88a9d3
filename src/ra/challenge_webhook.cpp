#include "ra/challenge_webhook.hpp"

#include <algorithm>

#include "core/async/deadline.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"
#include "ra/binding_text.hpp"
#include "ra/catalog.hpp"

namespace postern::ra {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

constexpr std::string_view check = "challenge.webhook";
constexpr std::size_t longest_answer = 64 * 1024;
constexpr std::size_t most_names = 100;

Problem refused(std::string why) { return {ProblemKind::forbidden, "the webhook " + std::move(why), std::string(check)}; }
Problem away(std::string why) {
    Problem problem(ProblemKind::unavailable, "the webhook " + std::move(why), std::string(check));
    problem.retry_after = std::chrono::seconds(5);
    return problem;
}

void write_names(json::Writer& w, std::string_view key, const crypto::Csr& csr, crypto::GeneralNameType type) {
    w.key(key).begin_array();
    for (const auto& name : csr.alt_names())
        if (name.type == type) w.string(name.value);
    w.end_array();
}

std::string body_of(const WebhookQuestion& q, core::TimePoint now) {
    using crypto::GeneralNameType;
    json::Writer w;
    w.begin_object().member("timestamp", core::rfc3339(now)).member("provisionerName", q.endpoint);
    w.key("x509CertificateRequest").begin_object().key("subject").begin_object();
    const auto common = q.csr.subject().values(crypto::DnAttribute::common_name);
    if (!common.empty()) w.member("commonName", common.front());
    w.end_object();
    write_names(w, "dnsNames", q.csr, GeneralNameType::dns);
    write_names(w, "ipAddresses", q.csr, GeneralNameType::ip);
    write_names(w, "emailAddresses", q.csr, GeneralNameType::email);
    write_names(w, "uris", q.csr, GeneralNameType::uri);
    w.member("raw", core::base64(q.csr.der())).end_object();
    w.member("scepChallenge", q.challenge.expose()).member("scepTransactionID", q.transaction).end_object();
    return w.take();
}

/// What of "data" is meant for us; ill-typed is as bad as no answer.
Result<void> read_data(const json::Value& data, WebhookVerdict& verdict) {
    if (!data.exists() || data.is_null()) return {};
    if (!data.is_object()) return data.problem("expected an object");
    if (const auto subject = data["subject"]; subject.is_string()) {
        auto entries = subject_from_text(*subject.string());
        if (!entries) return entries.error();
        verdict.binding.subject = std::move(*entries);
    } else if (subject.exists()) {
        return subject.problem("expected a string");
    }
    if (const auto sans = data["sans"]; sans.is_array()) {
        if (sans.items().size() > most_names) return sans.problem("more than 100 names");
        verdict.binding.names.emplace();
        for (const auto& item : sans.items()) {
            const auto text = item.string();
            if (!text) return text.error();
            auto name = name_from_text(*text);
            if (!name) return name.error();
            verdict.binding.names->push_back(std::move(*name));
        }
    } else if (sans.exists()) {
        return sans.problem("expected an array of strings");
    }
    const auto profile = data["profile"].optional_string();
    if (!profile) return profile.error();
    if (*profile) verdict.profile = **profile;
    return {};
}

Result<WebhookVerdict> read_answer(const http::Response& answer) {
    if (answer.status == 429 || answer.status >= 500) return away("answered " + std::to_string(answer.status));
    if (answer.status != 200) return refused("answered " + std::to_string(answer.status));
    json::Limits limits;
    limits.bytes = longest_answer;
    const auto document = json::Document::parse(answer.body, limits);
    if (!document) return refused("gave no JSON that can be read");
    const auto allow = document->root()["allow"].boolean();
    if (!allow) return refused("gave no answer: \"allow\" is no boolean");
    WebhookVerdict verdict;
    verdict.allow = *allow;
    if (!verdict.allow) return verdict;
    if (const auto data = read_data(document->root()["data"], verdict); !data) return refused("allowed it with data that cannot be read: " + data.error().detail);
    return verdict;
}

}  // namespace

Task<Result<WebhookVerdict>> ask_webhook(http::Outbound* outbound, const crypto::Sealer& sealer, Account account, WebhookQuestion question,
                                         core::TimePoint now, core::Deadline deadline) {
    if (outbound == nullptr) co_return away("cannot be asked: this process sends nothing");
    const auto secret = open_account_secret(sealer, account);
    if (!secret) co_return refused("cannot be asked: the secret of account " + account.name + " was sealed under another master key");
    http::OutboundRequest request(http::Method::post, account.webhook.url);
    request.body = body_of(question, now);
    request.most = longest_answer;
    // A verdict is about this question: what an earlier answer left behind on a kept connection must not be read for it.
    request.fresh = true;
    request.ca_pem = account.webhook.trust_anchors;
    request.headers.emplace_back("Content-Type", "application/json");
    request.headers.emplace_back("X-Smallstep-Webhook-ID", account.webhook.id);
    request.headers.emplace_back("X-Smallstep-Signature", core::hex(crypto::hmac(crypto::HmacHash::sha256, secret->expose(), core::as_bytes(request.body))));
    const auto until = std::min(deadline, core::deadline_in(account.webhook.timeout));
    const auto answer = co_await outbound->exchange(std::move(request), until);
    if (!answer && answer.error().check == "outbound.too_long") co_return refused("gave an answer of more than 64 KiB");
    if (!answer) co_return away("cannot be asked: " + answer.error().detail);
    co_return read_answer(*answer);
}

}  // namespace postern::ra

#include "bench/acme_client.hpp"

#include <arpa/inet.h>

#include <charconv>

#include "core/async/deadline.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/jwk.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"

namespace postern::bench {
namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;

constexpr std::string_view user_agent = "postern-bench/1";
constexpr int bad_nonce_tries = 5;
constexpr std::chrono::milliseconds retry_pause{50};

bool is_address(const std::string& host) {
    std::array<unsigned char, 16> scratch{};
    return ::inet_pton(AF_INET, host.c_str(), scratch.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), scratch.data()) == 1;
}

ProblemKind kind_of(unsigned status) {
    switch (status) {
        case 401: return ProblemKind::unauthenticated;
        case 403: return ProblemKind::forbidden;
        case 404: return ProblemKind::not_found;
        case 409: return ProblemKind::conflict;
        case 429: return ProblemKind::rate_limited;
        case 503: return ProblemKind::unavailable;
        default: return status >= 500 ? ProblemKind::internal : ProblemKind::malformed;
    }
}

std::string text_of(const json::Value& value) {
    const auto text = value.string();
    return text ? std::string(*text) : std::string();
}

/// "type: detail" of a problem object; empty when there is none.
std::string describe_error(const json::Value& problem) {
    if (!problem.is_object()) return {};
    return text_of(problem["type"]) + ": " + text_of(problem["detail"]);
}

/// A refusal as a Problem; see AcmeClient.
Problem refusal(const http::Response& response) {
    std::string type, words;
    if (const auto document = json::Document::parse(response.body)) {
        type = text_of(document->root()["type"]);
        words = describe_error(document->root());
    }
    if (words.empty()) words = response.body.substr(0, 200);
    return Problem(kind_of(response.status), "the server answered " + std::to_string(response.status) + ": " + words,
                   type.substr(type.rfind(':') + 1));
}

Result<json::Document> parse_reply(const http::Response& response) {
    auto document = json::Document::parse(response.body);
    if (document && !document->root().is_object()) return Problem(ProblemKind::malformed, "the answer is no object");
    return document;
}

Result<AcmeOrder> read_order(const http::Response& response, std::string url) {
    const auto document = parse_reply(response);
    if (!document) return document.error();
    const auto root = document->root();
    AcmeOrder order;
    order.url = std::move(url);
    order.status = text_of(root["status"]);
    order.finalize = text_of(root["finalize"]);
    order.certificate = text_of(root["certificate"]);
    order.error = describe_error(root["error"]);
    for (const auto& item : root["authorizations"].items()) order.authorizations.push_back(text_of(item));
    if (order.status.empty()) return Problem(ProblemKind::malformed, "the order has no status");
    return order;
}

AcmeChallenge read_challenge(const json::Value& value) {
    AcmeChallenge challenge;
    challenge.type = text_of(value["type"]);
    challenge.url = text_of(value["url"]);
    challenge.token = text_of(value["token"]);
    challenge.status = text_of(value["status"]);
    challenge.error = describe_error(value["error"]);
    return challenge;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
    const Problem bad(ProblemKind::malformed, "not a URL of the form https://host:port/path: " + std::string(text));
    const auto colon = text.find("://");
    if (colon == std::string_view::npos) return bad;
    Url url;
    url.scheme = std::string(text.substr(0, colon));
    if (url.scheme != "https" && url.scheme != "http") return bad;
    auto rest = text.substr(colon + 3);
    const auto slash = rest.find('/');
    if (slash != std::string_view::npos) url.target = std::string(rest.substr(slash));
    rest = rest.substr(0, slash);
    url.port = url.scheme == "https" ? 443 : 80;
    const auto bracket = rest.find(']');
    const auto port_colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (port_colon != std::string_view::npos) {
        const auto digits = rest.substr(port_colon + 1);
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
        if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return bad;
        rest = rest.substr(0, port_colon);
    }
    if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
    if (rest.empty()) return bad;
    url.host = std::string(rest);
    return url;
}

const AcmeChallenge* AcmeAuthorization::find(std::string_view type) const noexcept {
    for (const auto& challenge : challenges)
        if (challenge.type == type) return &challenge;
    return nullptr;
}

std::string AcmeAuthorization::error() const {
    for (const auto& challenge : challenges)
        if (!challenge.error.empty()) return challenge.error;
    return "no challenge says why";
}

AcmeClient::AcmeClient(AcmeSettings settings, crypto::PrivateKey account_key)
    : settings_(std::move(settings)), key_(std::move(account_key)), jwk_(crypto::to_jwk(key_.public_key())) {
    const auto digest = crypto::sha256(jwk_);
    thumbprint_ = core::base64url(digest);
}

std::string AcmeClient::key_authorization(std::string_view token) const {
    return std::string(token) + "." + thumbprint_;
}

Result<std::string> AcmeClient::target_of(std::string_view url) const {
    auto parsed = Url::parse(url);
    if (!parsed) return parsed.error();
    if (!parsed->same_server(server_))
        return Problem(ProblemKind::malformed, "the server sent a URL of another server: " + std::string(url));
    return std::move(parsed->target);
}

std::string AcmeClient::signed_body(std::string_view url, std::string_view payload, Identify by) {
    const auto algorithm = key_.default_algorithm();
    std::string_view name;
    for (const auto& entry : crypto::jose_algorithms())
        if (entry.algorithm == algorithm) name = entry.name;
    json::Writer head;
    head.begin_object().member("alg", name).member("nonce", nonce_).member("url", url);
    if (by == Identify::by_account)
        head.member("kid", account_url_);
    else
        head.key("jwk").raw(jwk_);
    const auto head_text = head.end_object().take();
    const auto encoded_head = core::base64url(core::as_bytes(head_text));
    const auto encoded_payload = core::base64url(core::as_bytes(payload));
    const auto signing_input = encoded_head + "." + encoded_payload;
    const auto signature = key_.sign_jose(algorithm, core::as_bytes(signing_input));
    json::Writer body;
    body.begin_object().member("protected", encoded_head).member("payload", encoded_payload);
    return body.member("signature", core::base64url(signature)).end_object().take();
}

/// Dials when there is no connection, sends, and keeps the Replay-Nonce. A Problem here means that
/// no answer came.
core::Task<Result<http::Response>> AcmeClient::exchange(http::Request request) {
    const auto deadline = core::deadline_in(settings_.step_time);
    if (connection_ && !connection_->reusable()) connection_.reset();
    if (!connection_) {
        http::Target target;
        target.address = is_address(server_.host) ? server_.host : "127.0.0.1";
        target.port = server_.port;
        target.tls = server_.scheme == "https";
        target.server_name = server_.host;
        target.host = (server_.host.find(':') == std::string::npos ? server_.host : "[" + server_.host + "]") + ":" +
                      std::to_string(server_.port);
        target.verify = !settings_.ca_pem.empty();
        target.ca_pem = settings_.ca_pem;
        const http::ClientLimits limits;
        auto dialled = co_await http::ClientConnection::connect(std::move(target), limits, deadline);
        if (!dialled) {
            ++losses_;
            co_return dialled.error();
        }
        connection_ = std::move(*dialled);
    }
    auto response = co_await connection_->exchange(request, deadline);
    if (!response) {
        ++losses_;
        connection_.reset();
        // The server may have started anew, and its nonces with it.
        nonce_.clear();
        co_return response.error();
    }
    if (response->status == 500) ++faults_;
    if (const auto nonce = response->header("Replay-Nonce"); !nonce.empty()) nonce_ = std::string(nonce);
    co_return response;
}

core::Task<Result<http::Response>> AcmeClient::get(std::string url, http::Method method) {
    auto target = target_of(url);
    if (!target) co_return target.error();
    http::Request request;
    request.method = method;
    request.target = std::move(*target);
    request.headers.emplace_back("User-Agent", user_agent);
    auto response = co_await exchange(std::move(request));
    if (response && response->status >= 400) co_return refusal(*response);
    co_return response;
}

core::Task<Result<void>> AcmeClient::ensure_nonce() {
    if (!nonce_.empty()) co_return Result<void>();
    const auto response = co_await get(new_nonce_, http::Method::head);
    if (!response) co_return response.error();
    if (nonce_.empty()) co_return Problem(ProblemKind::malformed, "newNonce answered without a Replay-Nonce");
    co_return Result<void>();
}

core::Task<Result<http::Response>> AcmeClient::post_once(std::string url, std::string payload, Identify by) {
    auto target = target_of(url);
    if (!target) co_return target.error();
    const auto ready = co_await ensure_nonce();
    if (!ready) co_return ready.error();
    http::Request request;
    request.method = http::Method::post;
    request.target = std::move(*target);
    request.headers.emplace_back("User-Agent", user_agent);
    request.headers.emplace_back("Content-Type", "application/jose+json");
    request.body = signed_body(url, payload, by);
    nonce_.clear();
    ++posts_;
    auto response = co_await exchange(std::move(request));
    if (response && response->status >= 400) co_return refusal(*response);
    co_return response;
}

bool AcmeClient::may_pass(const Problem& problem, std::uint64_t losses_before, core::Deadline give_up) const {
    const bool fault = settings_.retry_faults && problem.kind == ProblemKind::internal;
    const bool passing = losses_ != losses_before || problem.kind == ProblemKind::unavailable || fault;
    return passing && std::chrono::steady_clock::now() < give_up;
}

core::Task<Result<http::Response>> AcmeClient::post(std::string url, std::string payload, Identify by) {
    const auto give_up = core::deadline_in(settings_.retry_for);
    int bad_nonces = 0;
    for (;;) {
        const auto losses_before = losses_;
        auto response = co_await post_once(url, payload, by);
        if (response) co_return response;
        if (response.error().check == "badNonce" && ++bad_nonces < bad_nonce_tries) continue;
        if (!may_pass(response.error(), losses_before, give_up)) co_return response;
        co_await core::sleep_for(retry_pause);
    }
}

core::Task<Result<void>> AcmeClient::open() {
    auto server = Url::parse(settings_.directory);
    if (!server) co_return server.error();
    server_ = std::move(*server);
    const auto give_up = core::deadline_in(settings_.retry_for);
    auto losses_before = losses_;
    auto response = co_await get(settings_.directory, http::Method::get);
    while (!response && may_pass(response.error(), losses_before, give_up)) {
        co_await core::sleep_for(retry_pause);
        losses_before = losses_;
        response = co_await get(settings_.directory, http::Method::get);
    }
    if (!response) co_return response.error();
    const auto document = parse_reply(*response);
    if (!document) co_return document.error();
    const auto root = document->root();
    new_nonce_ = text_of(root["newNonce"]);
    new_account_ = text_of(root["newAccount"]);
    new_order_ = text_of(root["newOrder"]);
    revoke_cert_ = text_of(root["revokeCert"]);
    if (new_nonce_.empty() || new_account_.empty() || new_order_.empty())
        co_return Problem(ProblemKind::malformed, "no ACME directory at " + settings_.directory);
    co_return Result<void>();
}

core::Task<Result<void>> AcmeClient::register_account() {
    json::Writer body;
    auto payload = body.begin_object().member("termsOfServiceAgreed", true).end_object().take();
    const auto response = co_await post(new_account_, std::move(payload), Identify::by_key);
    if (!response) co_return response.error();
    account_url_ = std::string(response->header("Location"));
    if (account_url_.empty()) co_return Problem(ProblemKind::malformed, "newAccount answered without a Location");
    co_return Result<void>();
}

core::Task<Result<AcmeOrder>> AcmeClient::new_order(std::vector<std::string> dns_names) {
    json::Writer body;
    body.begin_object().key("identifiers").begin_array();
    for (const auto& name : dns_names) body.begin_object().member("type", "dns").member("value", name).end_object();
    auto payload = body.end_array().end_object().take();
    const auto response = co_await post(new_order_, std::move(payload), Identify::by_account);
    if (!response) co_return response.error();
    std::string location(response->header("Location"));
    if (location.empty()) co_return Problem(ProblemKind::malformed, "newOrder answered without a Location");
    co_return read_order(*response, std::move(location));
}

core::Task<Result<AcmeOrder>> AcmeClient::order(std::string url) {
    const auto response = co_await post(url, std::string(), Identify::by_account);
    if (!response) co_return response.error();
    co_return read_order(*response, std::move(url));
}

core::Task<Result<AcmeAuthorization>> AcmeClient::authorization(std::string url) {
    const auto response = co_await post(std::move(url), std::string(), Identify::by_account);
    if (!response) co_return response.error();
    const auto document = parse_reply(*response);
    if (!document) co_return document.error();
    const auto root = document->root();
    AcmeAuthorization authorization;
    authorization.identifier = text_of(root["identifier"]["value"]);
    authorization.status = text_of(root["status"]);
    for (const auto& item : root["challenges"].items()) authorization.challenges.push_back(read_challenge(item));
    co_return authorization;
}

core::Task<Result<AcmeChallenge>> AcmeClient::challenge(std::string url) {
    std::string payload = "{}";
    const auto response = co_await post(std::move(url), std::move(payload), Identify::by_account);
    if (!response) co_return response.error();
    const auto document = parse_reply(*response);
    if (!document) co_return document.error();
    co_return read_challenge(document->root());
}

core::Task<Result<AcmeOrder>> AcmeClient::finalize(AcmeOrder order, core::Bytes csr_der) {
    json::Writer body;
    auto payload = body.begin_object().member("csr", core::base64url(csr_der)).end_object().take();
    const auto response = co_await post(order.finalize, std::move(payload), Identify::by_account);
    if (!response) co_return response.error();
    co_return read_order(*response, std::move(order.url));
}

core::Task<Result<std::vector<core::Bytes>>> AcmeClient::certificate(std::string url) {
    const auto response = co_await post(std::move(url), std::string(), Identify::by_account);
    if (!response) co_return response.error();
    co_return crypto::from_pem("CERTIFICATE", response->body);
}

core::Task<Result<void>> AcmeClient::revoke(core::Bytes certificate_der, int reason) {
    json::Writer body;
    body.begin_object().member("certificate", core::base64url(certificate_der)).member("reason", reason);
    auto payload = body.end_object().take();
    const auto response = co_await post(revoke_cert_, std::move(payload), Identify::by_account);
    if (!response) co_return response.error();
    co_return Result<void>();
}

}  // namespace postern::bench

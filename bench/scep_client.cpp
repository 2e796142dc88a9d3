#include "bench/scep_client.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/async/deadline.hpp"
#include "core/crypto/cms_enveloped.hpp"
#include "core/crypto/cms_signed.hpp"
#include "core/crypto/der.hpp"
#include "scep/message.hpp"

namespace postern::bench {
namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
namespace asio = boost::asio;

constexpr std::chrono::milliseconds retry_pause{50};

Problem malformed(const std::string& what) { return Problem(ProblemKind::malformed, what); }

std::string text(const Result<core::Bytes>& value) { return value ? std::string(value->begin(), value->end()) : std::string(); }

/// Of a degenerate SignedData (RFC 8894 §3.4) in DER; empty for anything else.
std::vector<core::Bytes> certificates_of(core::BytesView message) {
    namespace der = crypto::der;
    const auto within = [](std::optional<der::Element> e) { return der::Reader(e ? e->content : core::BytesView()); };
    der::Reader info = within(der::Reader(message).next(der::sequence));
    info.next(der::oid);
    der::Reader data = within(within(info.next(der::context_constructed(0))).next(der::sequence));
    data.next(der::integer);
    data.next(der::set);
    data.next(der::sequence);
    der::Reader bag = within(data.next(der::context_constructed(0)));
    std::vector<core::Bytes> out;
    while (const auto certificate = bag.next(der::sequence)) out.push_back(core::to_bytes(certificate->whole));
    return out;
}

/// Of a CertRep; "0", "2", "3".
std::string pki_status(const crypto::CmsSignedData& reply) { return text(reply.attribute(scep::oid_pki_status, crypto::der::printable_string)); }
bool is_pending(core::BytesView reply) {
    const auto message = crypto::CmsSignedData::parse(reply);
    return message && pki_status(*message) == "3";
}

std::optional<crypto::CmsParty> as_recipient(const core::Bytes& der, bool only_one) {
    auto certificate = crypto::CmsCertificate::parse(der);
    if (!certificate || !(only_one || certificate->states(crypto::KeyUsageBit::key_encipherment))) return std::nullopt;
    const auto key = crypto::PublicKey::from_spki(certificate->spki(), crypto::KeyUse::authority);
    if (!key || key->type() != crypto::KeyType::rsa) return std::nullopt;
    crypto::CmsParty party;
    party.certificate = std::move(*certificate);
    party.key = *key;
    return party;
}

}  // namespace

ScepClient::ScepClient(ScepSettings settings) : settings_(std::move(settings)), server_(Url::parse(settings_.url).value()) {}

core::Task<Result<http::Response>> ScepClient::exchange(http::Request request) {
    const auto deadline = core::deadline_in(settings_.step_time);
    request.headers.emplace_back("User-Agent", "postern-bench/1");
    if (!connection_ || !connection_->reusable()) {
        http::Target target;
        target.address = "127.0.0.1";
        target.port = server_.port;
        target.server_name = server_.host;
        target.host = server_.host + ":" + std::to_string(server_.port);
        const http::ClientLimits limits;
        auto connected = co_await http::ClientConnection::connect(std::move(target), limits, deadline);
        if (!connected) co_return connected.error();
        connection_ = std::move(*connected);
    }
    auto response = co_await connection_->exchange(request, deadline);
    if (!response) connection_.reset();
    co_return response;
}

core::Task<Result<crypto::CmsParty>> ScepClient::recipient() {
    http::Request request;
    request.method = http::Method::get;
    request.target = server_.target + "?operation=GetCACert";
    const auto response = co_await exchange(std::move(request));
    if (!response) co_return response.error();
    if (response->status != 200) co_return malformed("GetCACert was answered " + std::to_string(response->status));
    std::vector<core::Bytes> certificates;
    if (http::media_type_is(response->header("Content-Type"), "application/x-x509-ca-ra-cert")) {
        certificates = certificates_of(core::as_bytes(response->body));
    } else {
        certificates.push_back(core::to_bytes(core::as_bytes(response->body)));
    }
    for (const auto& der : certificates)
        if (auto party = as_recipient(der, certificates.size() == 1)) co_return std::move(*party);
    co_return malformed("GetCACert names nobody that a message could be encrypted to");
}

core::Task<Result<core::Bytes>> ScepClient::send(const Enrollment& enrollment) {
    const auto give_up = std::chrono::steady_clock::now() + settings_.retry_for;
    for (;;) {
        http::Request request;
        request.method = http::Method::post;
        request.target = server_.target + "?operation=PKIOperation";
        request.headers.emplace_back("Content-Type", "application/x-pki-message");
        request.body.assign(enrollment.message.begin(), enrollment.message.end());
        ++posts_;
        auto response = co_await exchange(std::move(request));
        const bool late = std::chrono::steady_clock::now() >= give_up;
        const bool answered = response && response->status == 200;
        if (answered && (late || !is_pending(core::as_bytes(response->body)))) co_return core::to_bytes(core::as_bytes(response->body));
        const bool fault = response && response->status == 500;
        faults_ += fault ? 1 : 0;
        losses_ += response ? 0 : 1;
        const bool again = !response || answered || response->status == 503 || (fault && settings_.retry_faults);
        if (!again || late) {
            if (!response) co_return response.error();
            co_return malformed("answered " + std::to_string(response->status) + ": " + response->body.substr(0, 200));
        }
        asio::steady_timer pause(co_await asio::this_coro::executor, retry_pause);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

Result<void> check_success(core::BytesView reply, const Enrollment& enrollment) {
    const auto message = crypto::CmsSignedData::parse(reply);
    if (!message) return message.error();
    if (const auto signer = message->verify(); !signer) return signer.error();
    const auto printable = [&](std::string_view oid) { return text(message->attribute(oid, crypto::der::printable_string)); };
    if (printable(scep::oid_transaction_id) != enrollment.transaction_id) return malformed("the answer is another transaction's");
    if (const auto status = pki_status(*message); status != "0")
        return malformed("pkiStatus " + status + ", failInfo " + printable(scep::oid_fail_info) + ": " +
                         text(message->attribute(scep::oid_fail_info_text, crypto::der::utf8_string)));
    return {};
}

Result<crypto::Certificate> open_success(core::BytesView reply, const Enrollment& enrollment, core::Random& random) {
    if (const auto success = check_success(reply, enrollment); !success) return success.error();
    const auto message = crypto::CmsSignedData::parse(reply);
    if (!message->content()) return malformed("a success without content");
    const auto envelope = crypto::CmsEnvelopedData::parse(*message->content());
    if (!envelope) return envelope.error();
    const auto opened = envelope->open(std::span(enrollment.device, 1), random);
    if (!opened) return opened.error();
    const auto certificates = certificates_of(opened->expose());
    if (certificates.empty()) return malformed("a success without a certificate");
    auto leaf = crypto::Certificate::parse(certificates.front());
    if (leaf && leaf->spki() != enrollment.device->key.public_key().spki()) return malformed("the certificate holds another key");
    return leaf;
}

}  // namespace postern::bench

#include "core/base/encoding.hpp"
#include "core/base/unavailable.hpp"
#include "scep/answer.hpp"
#include "scep/enroll.hpp"
#include "ra/renewal.hpp"

/// RFC 8894 §3.3: what every pkiMessage passes before anybody looks at what it wants.
namespace postern::scep {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

/// Work that costs a private key, or a signature of the size of RSA's.
template <class Fn>
auto on_pool(Parts& parts, Fn fn) {
    return parts.deps.pool.run(std::move(fn));
}

/// Full means: later. SCEP has no word for it, HTTP has.
template <class T>
void require_room(const core::ResultOf<T>& done) {
    if (!done && done.error().kind == ProblemKind::unavailable) throw core::Unavailable(done.error().detail, done.error().retry_after.value_or(std::chrono::seconds(5)));
}

std::vector<crypto::CmsIdentity> identities(const RaCredentialList& list) {
    std::vector<crypto::CmsIdentity> out;
    out.reserve(list.size());
    for (const auto& credential : list) out.push_back(credential.identity);
    return out;
}

struct Read {
    Read() = default;
    Result<Received> received = Received();
    Result<Request> verified = Request();
};

struct OpenedWithCause {
    OpenedWithCause() = default;
    Result<Opened> opened = Opened();
    OpenCause cause = OpenCause::none;
};

/// Whether the signer holds a certificate of this endpoint that it may renew now. Why not, is told where it matters.
Task<Result<ra::RenewalRight>> signer_right(Parts& parts, const Call& call, const Request& request) {
    if (!call.endpoint.scep.renewal) co_return Problem(ProblemKind::forbidden, "this endpoint renews no certificates", "renewal.allowed");
    // What a client signed for itself is on nobody's record.
    const auto& certificate = request.signer().certificate;
    if (certificate.self_issued()) co_return Problem(ProblemKind::forbidden, "the request is signed by a certificate of the client's own", "renewal.record");
    auto presented = certificate.der();
    auto right = ra::find_renewal_right(parts.deps.db, call.endpoint.id, std::move(presented), parts.now(), call.endpoint.scep.renewal_window);
    co_return co_await std::move(right);
}

Task<http::Response> carry_out(Parts& parts, const Call& call, const Request& request, Opened opened, const Result<ra::RenewalRight>& right) {
    switch (request.type()) {
        case MessageType::pkcs_req:
        case MessageType::renewal_req: {
            auto& csr = std::get<crypto::Csr>(opened.content);
            co_return co_await enroll(parts, call, request, std::move(csr), opened.signer_key_requested, right);
        }
        case MessageType::cert_poll: break;  // answered unopened
        case MessageType::get_cert: {
            const auto& wanted = std::get<IssuerAndSerial>(opened.content);
            co_return co_await get_cert(parts, call, request, wanted);
        }
        case MessageType::get_crl: {
            const auto& wanted = std::get<IssuerAndSerial>(opened.content);
            co_return co_await get_crl(parts, call, request, wanted);
        }
    }
    throw std::logic_error("a SCEP message type without a handler");
}

}  // namespace

Task<http::Response> pki_operation(Parts& parts, const Call& asked, core::Bytes message) {
    Call call = asked;
    const auto read_and_verify = [&] {
        Read out;
        out.received = Received::read(message);
        if (out.received) out.verified = Request::verify(*out.received, call.policy);
        return out;
    };
    auto read = co_await on_pool(parts, read_and_verify);
    require_room(read);
    if (!read->received) {
        // Nobody to address a CertRep to (scep.md: HTTP 400).
        parts.unreadable.add();
        parts.deps.log.warning("scep_unreadable", {{"request", call.request.id.get()}, {"endpoint", call.endpoint.name}, {"peer", call.request.peer.address}, {"why", read->received.error().detail}});
        co_return http::Response(400, "text/plain; charset=utf-8", "");
    }
    if (!read->verified) {
        ReplyTo to(*read->received, call.policy);
        co_return co_await refuse(parts, call, std::move(to), read->verified.error());
    }
    const Request& request = *read->verified;
    const auto keys = identities(*call.credentials);
    // Also what cannot be opened is answered by whom the client knows: Apple's compares.
    call.addressed = request.envelope().addressed_to(keys).value_or(0);
    // Nothing is decided by what a poll contains (RFC 8894 §3.3.3), so it costs no private key: who signed it, and the
    // transaction, tell whose it is.
    if (request.type() == MessageType::cert_poll) co_return co_await cert_poll(parts, call, request);
    auto right = co_await signer_right(parts, call, request);

    const auto standing = right ? SignerStanding::on_record : SignerStanding::stranger;
    const auto decrypt = [&] {
        OpenedWithCause out;
        out.opened = open(request, keys, standing, call.policy, parts.deps.random, &out.cause);
        return out;
    };
    auto done = co_await on_pool(parts, decrypt);
    require_room(done);
    ReplyTo to(request, call.policy);
    if (!done) co_return co_await refuse(parts, call, std::move(to), done.error());
    if (!done->opened) {
        auto problem = done->opened.error();
        // Whoever holds a certificate of ours may hear why it does not do.
        if (done->cause == OpenCause::renewal_by_stranger) problem = Problem(problem.kind, right.error().detail, right.error().check);
        parts.deps.log.warning("scep_not_opened", {{"request", call.request.id.get()}, {"transaction", request.transaction_id()}, {"cause", to_string(done->cause)},
                                                   {"renewal", right ? "allowed" : right.error().detail}});
        co_return co_await refuse(parts, call, std::move(to), std::move(problem));
    }
    co_return co_await carry_out(parts, call, request, std::move(*done->opened), right);
}

}  // namespace postern::scep

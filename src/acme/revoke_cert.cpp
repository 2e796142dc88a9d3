#include "acme/handlers.hpp"
#include "core/crypto/certificate.hpp"
#include "core/base/encoding.hpp"
#include "store/tables/certificate.hpp"

namespace postern::acme {

namespace {

constexpr std::int64_t key_compromise = 1;  // RFC 5280 §5.3.1

struct Wish {
    Wish() = default;
    core::Bytes der;
    std::int64_t reason = 0;
};

Result<Wish> read_wish(const Call& call) {
    const auto payload = payload_object(call);
    if (!payload) return payload.error();
    const json::Value body = payload->root();
    const auto text = body["certificate"].string();
    if (!text) return Error(ErrorType::malformed, "the payload: " + text.error().detail);
    auto der = core::from_base64url(*text);
    if (!der) return Error(ErrorType::malformed, "the payload: certificate must be base64url of DER without padding, not PEM");
    Wish wish;
    wish.der = std::move(*der);
    if (!body.contains("reason")) return wish;
    const auto reason = body["reason"].integer();
    if (!reason) return Error(ErrorType::malformed, "the payload: " + reason.error().detail);
    wish.reason = *reason;
    if (!ra::revocation_reason_allowed(wish.reason))
        return Error(ErrorType::bad_revocation_reason,
                     "the reason " + std::to_string(wish.reason) +
                         " is not accepted; accepted are 0 unspecified, 1 keyCompromise, 3 affiliationChanged, "
                         "4 superseded, 5 cessationOfOperation");
    return wish;
}

/// Signed by the certificate's own key, or by the account that ordered it.
core::Task<bool> may_revoke(Parts& parts, const Call& call, const store::CertificateRow& certificate) {
    if (call.jwk) {
        const auto digest = call.key.spki_sha256();
        co_return core::to_bytes(digest) == certificate.spki_sha256;
    }
    auto parameters = store::values(certificate.enrollment, call.requester().id);
    const auto owned = co_await store::read_one(parts.deps.db, store::acme_order_of_enrollment, std::move(parameters));
    co_return owned.has_value();
}

core::Task<Error> refuse_revocation(Parts& parts, const Call& call, const store::CertificateRow& certificate, Error error) {
    auto record = call.audit(parts.now(), "certificate.revocation", "enrollment", std::to_string(certificate.enrollment.get()));
    return refuse(parts, call, std::move(record), "certificate " + core::hex(certificate.serial), std::move(error));
}

}  // namespace

/// RFC 8555 §7.6.
core::Task<Reply> revoke_cert(Parts& parts, Call& call) {
    const auto wish = read_wish(call);
    if (!wish) co_return wish.error();
    const Error unknown(ErrorType::malformed, 404, "this certificate was not issued here");
    const auto presented = crypto::Certificate::parse(wish->der);
    if (!presented) co_return unknown;
    const auto digest = crypto::sha256(core::BytesView(wish->der));
    auto parameters = store::values(core::BytesView(presented->serial()), core::BytesView(digest));
    const auto row = co_await store::read_one(parts.deps.db, store::certificate_presented, std::move(parameters));
    if (!row) co_return unknown;
    const auto certificate = store::CertificateRow::from(*row);
    if (certificate.tenant != call.endpoint.tenant) co_return unknown;
    const bool may = co_await may_revoke(parts, call, certificate);
    if (!may) {
        Error other(ErrorType::unauthorized,
                    "this certificate can be revoked by the account that ordered it or with the certificate's own key");
        other.check = "revocation.authority";
        auto refusal = refuse_revocation(parts, call, certificate, std::move(other));
        co_return co_await std::move(refusal);
    }
    // Who signs with the certificate's key shows that it is out of its owner's hands.
    const std::int64_t reason = call.jwk ? key_compromise : wish->reason;
    const auto actor = call.actor();
    const auto done = co_await parts.deps.revocation.revoke(certificate, reason, actor, call.request.id, call.request.deadline);
    if (!done) {
        auto refusal = refuse_revocation(parts, call, certificate, to_error(done.error()));
        co_return co_await std::move(refusal);
    }
    co_return http::Response(200);
}

}  // namespace postern::acme

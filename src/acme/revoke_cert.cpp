#include "acme/handlers.hpp"
#include "core/crypto/certificate.hpp"
#include "core/base/encoding.hpp"
#include "store/tables/certificate.hpp"

namespace postern::acme {

namespace {

constexpr std::int64_t cessation_of_operation = 5;  // RFC 5280 §5.3.1

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

/// What a request to revoke rests on.
enum class Authority {
    none,
    own_key,  ///< signed by the certificate's own key
    orderer,  ///< by the account that ordered it
    names,    ///< by another account, which has proven every name of it
};

/// Names count where challenges alone proved them, to who ordered and to who revokes: else an account could revoke what
/// others were given without any proof.
core::Task<bool> proved_its_names(Parts& parts, const Call& call, const store::CertificateRow& certificate) {
    auto ordered = store::values(certificate.enrollment);
    const auto order = co_await store::read_one(parts.deps.db, store::acme_order_by_enrollment, std::move(ordered));
    if (!order) co_return false;
    auto proofs = store::values(certificate.enrollment, call.requester().id, parts.now());
    const auto unproven = co_await store::read_one(parts.deps.db, store::acme_order_unproven, std::move(proofs));
    co_return !unproven.has_value();
}

core::Task<Authority> authority(Parts& parts, const Call& call, const store::CertificateRow& certificate) {
    if (call.jwk) {
        const auto digest = call.key.spki_sha256();
        co_return core::to_bytes(digest) == certificate.spki_sha256 ? Authority::own_key : Authority::none;
    }
    auto parameters = store::values(certificate.enrollment, call.requester().id);
    const auto owned = co_await store::read_one(parts.deps.db, store::acme_order_of_enrollment, std::move(parameters));
    if (owned) co_return Authority::orderer;
    const bool proved = co_await proved_its_names(parts, call, certificate);
    co_return proved ? Authority::names : Authority::none;
}

/// Who signs with the certificate's key shows that it is out of its owner's hands; who has its names now can say that they
/// moved, and nothing of the key.
std::int64_t reason_of(Authority by, std::int64_t wished) {
    if (by == Authority::own_key) return ra::key_compromise;
    return by == Authority::names ? cessation_of_operation : wished;
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
    const Authority by = co_await authority(parts, call, certificate);
    if (by == Authority::none) {
        Error other(ErrorType::unauthorized,
                    "this certificate can be revoked by the account that ordered it, with the certificate's own key, or by an "
                    "account that has valid authorizations for all of its names");
        other.check = "revocation.authority";
        auto refusal = refuse_revocation(parts, call, certificate, std::move(other));
        co_return co_await std::move(refusal);
    }
    const std::int64_t reason = reason_of(by, wish->reason);
    const auto actor = call.actor();
    const auto done = co_await parts.deps.revocation.revoke(certificate, reason, actor, call.request.id, call.request.deadline);
    if (!done) {
        auto refusal = refuse_revocation(parts, call, certificate, to_error(done.error()));
        co_return co_await std::move(refusal);
    }
    co_return http::Response(200);
}

}  // namespace postern::acme

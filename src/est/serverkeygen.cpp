#include <algorithm>

#include "core/base/unavailable.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/key_package.hpp"
#include "core/crypto/request_attributes.hpp"
#include "est/bodies.hpp"
#include "est/enroll.hpp"
#include "est/multipart.hpp"
#include "est/refusals.hpp"
#include "est/status.hpp"
#include "store/tables/certificate.hpp"

/// RFC 7030 §4.4. The key is made for one answer: it is in no record, log or cache, and a request that is repeated gets another.
namespace postern::est {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

constexpr Operation self = Operation::serverkeygen;
constexpr std::int64_t superseded = 4;  // RFC 5280 §5.3.1

Problem refused(std::string detail, std::string check) { return {ProblemKind::forbidden, std::move(detail), std::move(check)}; }

/// What is asked for, and how the answer is to be sent.
struct Wish {
    Wish() = default;
    Requester requester;
    crypto::Csr csr;             ///< for subject and extensions; its key is a hint
    crypto::KeySpec spec;
    core::Bytes recipient;       ///< certificate to encrypt the key for; empty: in clear, as TLS carries it
    crypto::CmsCipher cipher = crypto::CmsCipher::aes256_cbc;
    ca::Backend* backend = nullptr;
};

/// A key that waits for an officer or another CA would have to be kept.
Result<void> check_profile(const ra::Profile& profile, const ra::Account& account, const ca::Backend* backend) {
    if (profile.tls_server()) return refused("keys of TLS servers are made where they are used, not here", "serverkeygen.profile");
    if (ra::approval_of(profile, account) != ra::Approval::none)
        return refused("requests of this profile wait for an officer, and no key is kept that long; make the key yourself", "serverkeygen.profile");
    if (backend == nullptr || backend->foreign())
        return refused("this profile's CA may take its time, and no key is kept that long; make the key yourself", "serverkeygen.profile");
    return {};
}

/// The kind that the request has a key of, where the profile takes that; else the one that it names first.
crypto::KeySpec choose_key(const ra::Profile& profile, const crypto::PublicKey& hint) {
    if (hint.valid())
        for (const auto& spec : profile.keys) {
            if (spec.type != hint.type()) continue;
            if (spec.type != crypto::KeyType::rsa) return spec;
            const unsigned wanted = hint.bits() <= 2048 ? 2048U : hint.bits() <= 3072 ? 3072U : 4096U;
            return {spec.type, std::max(spec.bits, wanted)};
        }
    return profile.keys.front();
}

/// Never in clear where the request names a key: an identifier that is not known ends it (RFC 7030 §4.4.1).
Result<void> choose_delivery(Wish& wish, const http::Peer& peer) {
    auto attributes = crypto::read_request_attributes(wish.csr.attributes());
    if (!attributes) return attributes.error();
    const auto& delivery = attributes->key_delivery;
    const auto bad = [](std::string detail) { return Problem(ProblemKind::malformed, std::move(detail), "serverkeygen.decrypt_key"); };
    if (!delivery.encrypted()) return {};
    if (delivery.symmetric_key) return bad("the DecryptKeyIdentifier names no key that is known here: only the key of the client's certificate can be encrypted for (AsymmetricDecryptKeyIdentifier)");
    const auto certificate = peer.client_certificate.empty() ? Result<crypto::Certificate>(Problem()) : crypto::Certificate::parse(peer.client_certificate);
    const bool known = certificate && !delivery.asymmetric_key->empty() && *delivery.asymmetric_key == certificate->subject_key_id();
    if (!known) return bad("the AsymmetricDecryptKeyIdentifier is not the subjectKeyIdentifier of the certificate that was shown in the TLS handshake");
    const auto cipher = crypto::envelope_cipher(delivery.capabilities);
    if (!cipher) return bad("the request's SMIMECapabilities name no AES in CBC mode (RFC 7030 section 4.4.1)");
    wish.cipher = *cipher;
    wish.recipient = peer.client_certificate;
    return {};
}

/// All of it but who asks, which `wish` has already.
Task<Result<void>> judge_wish(Parts& parts, const Call& call, Wish& wish) {
    const auto der = read_body(call);
    if (!der) co_return der.error();
    auto csr = crypto::Csr::parse_for_new_key(*der);
    if (!csr) co_return csr.error();
    wish.csr = std::move(*csr);
    const auto good = co_await check_request(parts, call, wish.requester, wish.csr);
    if (!good) co_return good.error();
    const auto* profile = profile_of(call, wish.requester.account);
    if (profile == nullptr) co_return refused("no profile of this endpoint is for this account", "profile.allowed");
    wish.backend = parts.deps.backends.find(profile->backend);
    const auto may = check_profile(*profile, wish.requester.account, wish.backend);
    if (!may) co_return may.error();
    if (const auto& device = wish.requester.device; device && device->first_use && !wish.requester.vouched)
        co_return refused("the first key of this device stays its own, and a key made here is another one each time; make the key yourself", "serverkeygen.first_use");
    const auto delivery = choose_delivery(wish, call.request.peer);
    if (!delivery) co_return delivery.error();
    if (const auto wait = parts.key_quota.take(wish.requester.account.id, call.endpoint.est.server_keys_hourly)) {
        Problem slow(ProblemKind::rate_limited, "this account has had as many keys made as an hour allows", "serverkeygen.quota");
        slow.retry_after = *wait;
        co_return slow;
    }
    wish.spec = choose_key(*profile, wish.csr.key());
    co_return Result<void>();
}

Task<Result<Wish>> read_wish(Parts& parts, const Call& call) {
    if (!call.endpoint.est.server_keys) co_return Problem(ProblemKind::not_found, "this endpoint makes no keys; use simpleenroll", "est.serverkeygen");
    if (const auto type = check_media_type(call); !type) co_return type.error();
    auto requester = co_await find_requester(parts, call, self);
    if (!requester) co_return requester.error();
    Wish wish;
    wish.requester = std::move(*requester);
    const auto may = co_await judge_wish(parts, call, wish);
    if (!may) {
        co_await record_refusal(parts, call, self, wish.requester, may.error());
        co_return may.error();
    }
    co_return wish;
}

/// The key, and the request that asks for its certificate.
struct Made {
    Made() = default;
    crypto::PrivateKey key;
    crypto::Csr csr;
};

Task<Result<Made>> make(Parts& parts, const crypto::Csr& asked, crypto::KeySpec spec) {
    const auto work = [&asked, spec]() -> Result<Made> {
        Made out;
        out.key = crypto::PrivateKey::generate(spec);
        auto csr = crypto::Csr::parse(asked.remade(out.key));
        if (!csr) return csr.error();
        out.csr = std::move(*csr);
        return out;
    };
    co_return co_await parts.deps.pool.run(work);
}

/// The answer to an earlier request of the same kind, whose key is gone. That nobody may have it.
Task<Result<void>> supersede(Parts& parts, const Call& call, const Requester& requester, core::EnrollmentId enrollment) {
    auto of_enrollment = store::values(enrollment);
    const auto row = co_await store::read_one(parts.deps.db, store::certificate_by_enrollment, std::move(of_enrollment));
    if (!row) co_return Result<void>();
    auto certificate = store::CertificateRow::from(*row);
    ra::Actor actor("est", requester.name);
    auto revoking = parts.deps.revocation.revoke(std::move(certificate), superseded, std::move(actor), call.request.id, call.request.deadline);
    const auto revoked = co_await std::move(revoking);
    if (!revoked && revoked.error().kind != ProblemKind::already_revoked) co_return revoked.error();
    co_return Result<void>();
}

Task<Result<ra::EnrollmentOutcome>> submit(Parts& parts, const Call& call, const Wish& wish, const crypto::Csr& csr) {
    auto copy = csr;
    auto requester = wish.requester;
    auto request = compose(call, self, std::move(copy), std::move(requester));
    request.made_key = true;
    auto submitting = parts.deps.enrollment.submit(std::move(request));
    co_return co_await std::move(submitting);
}

bool is_for(const ra::EnrollmentOutcome& outcome, const crypto::PrivateKey& key) {
    const auto* issued = std::get_if<ra::IssuedCertificate>(&outcome);
    if (issued == nullptr) return true;
    const auto certificate = crypto::Certificate::parse(issued->der);
    return certificate && certificate->spki() == key.public_key().spki();
}

/// An answer that was lost is not repeated: its certificate is revoked, and the request is judged anew with the new key.
Task<Result<ra::EnrollmentOutcome>> enroll(Parts& parts, const Call& call, const Wish& wish, const Made& made) {
    auto outcome = co_await submit(parts, call, wish, made.csr);
    if (!outcome || is_for(*outcome, made.key)) co_return outcome;
    const auto& former = std::get<ra::IssuedCertificate>(*outcome);
    const auto done = co_await supersede(parts, call, wish.requester, former.enrollment);
    if (!done) co_return done.error();
    auto again = co_await submit(parts, call, wish, made.csr);
    if (again && !is_for(*again, made.key)) co_return Problem(ProblemKind::conflict, "the same request is being answered elsewhere; send one at a time", "serverkeygen.repeated");
    co_return again;
}

Task<Result<Part>> key_part(Parts& parts, const Wish& wish, const crypto::PrivateKey& key) {
    auto pkcs8 = key.to_pkcs8();
    if (wish.recipient.empty()) co_return Part("application/pkcs8", std::move(pkcs8));
    const auto package = crypto::key_package(pkcs8);
    auto content = package.expose();
    auto type = std::string(crypto::oid_key_package);
    auto signing = wish.backend->sign_as_issuer(std::move(content), std::move(type));
    auto signed_package = co_await std::move(signing);
    if (!signed_package) co_return signed_package.error();
    const core::SecretBytes secret(std::move(*signed_package));
    const auto work = [&] { return crypto::envelope_for(secret, wish.recipient, wish.cipher); };
    auto envelope = co_await parts.deps.pool.run(work);
    if (!envelope) co_return envelope.error();
    co_return Part("application/pkcs7-mime; smime-type=server-generated-key", core::SecretBytes(std::move(*envelope)));
}

Task<Result<http::Response>> carry_out(Parts& parts, const Call& call) {
    auto wish = co_await read_wish(parts, call);
    if (!wish) co_return wish.error();
    auto made = co_await make(parts, wish->csr, wish->spec);
    if (!made) {
        co_await record_refusal(parts, call, self, wish->requester, made.error());
        co_return made.error();
    }
    // Before the certificate: who cannot be sent the key gets neither.
    auto first = co_await key_part(parts, *wish, made->key);
    if (!first) co_return first.error();
    auto outcome = co_await enroll(parts, call, *wish, *made);
    if (!outcome) co_return outcome.error();
    if (const auto* pending = std::get_if<ra::PendingEnrollment>(&*outcome)) {
        parts.pending.add();
        co_return answer_pending(call, *pending);
    }
    const auto& issued = std::get<ra::IssuedCertificate>(*outcome);
    note_issued(parts, call, self, issued);
    std::vector<Part> answer;
    answer.push_back(std::move(*first));
    answer.emplace_back(std::string(certs_only_type), core::SecretBytes(certs_only(issued.der)));
    co_return answer_multipart(answer, parts.deps.random.token());
}

}  // namespace

Task<http::Response> serverkeygen(Parts& parts, const Call& call) {
    if (const auto agreed = parts.deps.clock_agreement.check(); !agreed) throw core::Unavailable(agreed.error().detail);
    auto answer = co_await carry_out(parts, call);
    if (answer) co_return std::move(*answer);
    parts.refused.add();
    co_return refusal(call, answer.error());
}

}  // namespace postern::est

#include <algorithm>

#include "acme/handlers.hpp"
#include "acme/new_order.hpp"
#include "acme/render.hpp"
#include "core/async/await_until.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/csr.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/requester.hpp"

namespace postern::acme {

namespace {

/// How long an answer waits for the certificate. Nearly all are there at once; clients that give up
/// do so after ten seconds at the earliest.
constexpr std::chrono::seconds answer_time{5};

Error not_ready(const store::AcmeOrderRow& order, core::TimePoint now) {
    const OrderStatus status = status_of(order, now);
    std::string why = "the order is " + std::string(to_string(status));
    if (status == OrderStatus::pending) why += ": validate all of its authorizations first";
    if (status == OrderStatus::invalid) why += ": read its error and make a new order";
    if (status == OrderStatus::processing || status == OrderStatus::valid) why += " by another CSR";
    return {ErrorType::order_not_ready, std::move(why)};
}

Result<crypto::Csr> read_csr(const Call& call) {
    const auto payload = payload_object(call);
    if (!payload) return payload.error();
    const auto text = payload->root()["csr"].string();
    if (!text) return Error(ErrorType::malformed, "the payload: " + text.error().detail);
    const auto der = core::from_base64url(*text);
    if (!der)
        return Error(ErrorType::malformed, "the payload: csr must be base64url of DER without padding, not PEM (RFC 8555 section 7.4)");
    auto csr = crypto::Csr::parse(*der);
    if (!csr) return to_error(csr.error());
    return std::move(*csr);
}

/// RFC 8555 §11.1: who holds an account's key could otherwise have certificates revoked, and who
/// holds a certificate's key could act for the account.
core::Task<Result<void>> check_key(Parts& parts, const Call& call, const crypto::PublicKey& key) {
    Error taken(ErrorType::bad_csr, "the CSR's key is the key of an ACME account; make a new key for the certificate");
    taken.check = "key.separate";
    if (key.spki() == call.key.spki()) co_return taken;
    const std::string canonical = crypto::to_jwk(key);
    const auto digest = crypto::sha256(canonical);
    auto parameters = store::values(core::base64url(digest));
    const auto row = co_await store::read_one(parts.deps.db, store::acme_account_with_key, std::move(parameters));
    if (row) co_return taken;
    co_return Result<void>();
}

Result<std::vector<crypto::GeneralName>> names_of(const store::AcmeOrderRow& order) {
    const auto list = json::Document::parse(order.identifiers);
    if (!list) return to_error(list.error());
    std::vector<crypto::GeneralName> names;
    for (const auto& item : list->root().items()) {
        const auto type = item["type"].string(), value = item["value"].string();
        if (!type || !value) return to_error(type ? value.error() : type.error());
        names.emplace_back(*type == "ip" ? crypto::GeneralNameType::ip : crypto::GeneralNameType::dns, std::string(*value));
    }
    return names;
}

bool speaks_of(const ra::Evidence& e, const crypto::GeneralName& name) {
    return e.identifier_type == crypto::to_string(name.type) && e.identifier == name.value;
}

/// One for each name, in the order's order: who takes the enrollment up later knows by it what was ordered. A name of a ready
/// order that no challenge proved was granted when it was ordered.
core::Task<std::vector<ra::Evidence>> gather_evidence(Parts& parts, const Call& call, const store::AcmeOrderRow& order, std::vector<crypto::GeneralName> names) {
    auto parameters = store::values(order.id);
    const auto rows = co_await parts.deps.db.read(store::acme_order_evidence, std::move(parameters));
    const auto& requester = call.requester();
    const auto account_url = call.urls.account(requester.token);
    std::vector<ra::Evidence> proofs;
    proofs.reserve(rows.size());
    for (const auto& row : rows) {
        const std::string name = (row.boolean(2) ? "*." : "") + row.text(1);
        proofs.push_back(ra::Evidence::validated(row.text(0), name, row.text(4), row.time(5), row.time(3)).permitted(account_url, row.optional_time(6)));
    }
    const auto proof_of = [&](const crypto::GeneralName& name) {
        return std::find_if(proofs.begin(), proofs.end(), [&](const ra::Evidence& e) { return speaks_of(e, name); });
    };
    const bool all_proven = std::all_of(names.begin(), names.end(), [&](const auto& name) { return proof_of(name) != proofs.end(); });
    std::optional<Allowed> granted;
    if (!all_proven) {
        auto account = co_await ra::find_account(parts.deps.db, requester.account);
        if (account) granted = Allowed(order.profile, std::move(*account));
    }
    std::vector<ra::Evidence> evidence;
    evidence.reserve(names.size() + 1);
    for (const auto& name : names) {
        if (const auto proof = proof_of(name); proof != proofs.end()) {
            evidence.push_back(*proof);
            continue;
        }
        auto by = granted ? grant_of(parts, call, *granted, name) : std::string();
        evidence.push_back(ra::Evidence::granted(std::string(crypto::to_string(name.type)), name.value, std::move(by), parts.now()).permitted(account_url, {}));
    }
    evidence.push_back(ra::Evidence::of(ra::Evidence::Kind::account_key, requester.thumbprint, parts.now())
                           .resting_on(store::acme_requester.kind, requester.id.get(), call.key.spki()));
    co_return evidence;
}

/// What the order asked for. While it was validated, a beginning that was accepted may have slipped
/// further back than the profile allows: then it is as early as that still is.
std::optional<core::TimePoint> beginning(const Parts& parts, const Call& call, const store::AcmeOrderRow& order) {
    const auto* profile = call.catalog->profile(call.endpoint.tenant, order.profile);
    if (!order.not_before || !profile) return order.not_before;
    const auto earliest = core::floor_seconds(parts.now() - profile->backdate);
    const bool was_good = *order.not_before >= core::floor_seconds(order.created - profile->backdate);
    return was_good ? std::max(*order.not_before, earliest) : order.not_before;
}

ra::EnrollmentRequest compose(const Parts& parts, const Call& call, const store::AcmeOrderRow& order, crypto::Csr csr,
                              std::vector<crypto::GeneralName> names, std::vector<ra::Evidence> evidence) {
    ra::EnrollmentRequest r;
    r.id = call.request.id;
    r.via = ra::Protocol::acme;
    r.endpoint = call.endpoint.id;
    r.account = call.requester().account;
    r.requester = call.requester().token;
    r.requester_key = call.key;
    r.evidence = std::move(evidence);
    r.csr = std::move(csr);
    r.agreed_names = std::move(names);
    r.profile = order.profile;
    r.not_before = beginning(parts, call, order);
    r.not_after = order.not_after;
    r.attempt = order.token;
    r.origin_kind = "acme_order";
    r.origin_id = order.token;
    r.claim = [id = order.id, now = parts.now()](store::Batch& batch, core::EnrollmentId enrollment) {
        batch.add(store::acme_order_claim, store::values(id, enrollment, now));
    };
    r.release = [id = order.id, now = parts.now()](store::Batch& batch, core::EnrollmentId enrollment) {
        batch.add(store::acme_order_release, store::values(id, enrollment, now));
    };
    r.deadline = call.request.deadline;
    return r;
}

/// Of an order whose account was proven: on record under the order.
core::Task<Error> refuse_finalize(Parts& parts, const Call& call, const store::AcmeOrderRow& order, std::string input, Error error) {
    auto record = call.audit(parts.now(), "finalize.refused", "acme_order", order.token);
    return refuse(parts, call, std::move(record), std::move(input), std::move(error));
}

std::string state_text(const store::AcmeOrderRow& order, core::TimePoint now) {
    return "order " + std::string(to_string(status_of(order, now)));
}

/// For an order that an enrollment already took. The same CSR again is a lost answer and is repeated;
/// another one came too late.
core::Task<Reply> already_claimed(Parts& parts, const Call& call, const store::AcmeOrderRow& order, const core::Bytes& csr) {
    auto parameters = store::values(*order.enrollment);
    const auto row = co_await store::read_one(parts.deps.db, store::enrollment_by_id, std::move(parameters));
    if (!row || store::EnrollmentRow::from(*row).csr != csr) {
        auto refusal = refuse_finalize(parts, call, order, state_text(order, parts.now()), not_ready(order, parts.now()));
        co_return co_await std::move(refusal);
    }
    co_return co_await order_response(parts, call, 200, order);
}

/// What the waist said, as an answer. An order that was claimed is shown as it is, whatever happened
/// after; a refusal that bound nothing leaves it ready.
core::Task<Reply> conclude(Parts& parts, const Call& call, const core::Result<ra::EnrollmentOutcome>& outcome,
                           const core::Bytes& csr) {
    const auto order = co_await find_order(parts, call);
    if (!order) co_return not_found();
    if (outcome) co_return co_await order_response(parts, call, 200, *order);
    if (order->enrollment) co_return co_await already_claimed(parts, call, *order, csr);
    if (outcome.error().kind == core::ProblemKind::conflict) co_return not_ready(*order, parts.now());
    Error refused = to_error(outcome.error());
    refused.recorded = !refused.check.empty();  // with the trace of the checks
    co_return refused;
}

/// The work goes on, this answer does not wait for it: `processing`, or valid when all that is missing
/// is its end. Without an intent there is nothing to show yet.
core::Task<Reply> unfinished(Parts& parts, const Call& call) {
    const auto order = co_await find_order(parts, call);
    if (!order) co_return not_found();
    if (!order->enrollment) throw core::Unavailable("no intent within the time of an answer");
    co_return co_await order_response(parts, call, 200, *order);
}

}  // namespace

/// RFC 8555 §7.4. Exactly one finalize wins: the claim is part of the enrollment's intent.
core::Task<Reply> finalize(Parts& parts, Call& call) {
    const auto order = co_await find_order(parts, call);
    if (!order) co_return not_found();
    if (!order->enrollment && status_of(*order, parts.now()) != OrderStatus::ready) {
        auto refusal = refuse_finalize(parts, call, *order, state_text(*order, parts.now()), not_ready(*order, parts.now()));
        co_return co_await std::move(refusal);
    }
    auto csr = read_csr(call);
    if (!csr) {
        auto refusal = refuse_finalize(parts, call, *order, "the CSR", csr.error());
        co_return co_await std::move(refusal);
    }
    const core::Bytes csr_der = csr->kept();
    if (order->enrollment) co_return co_await already_claimed(parts, call, *order, csr_der);
    const auto key_is_free = co_await check_key(parts, call, csr->key());
    if (!key_is_free) {
        auto refusal = refuse_finalize(parts, call, *order, "the CSR's key", key_is_free.error());
        co_return co_await std::move(refusal);
    }
    auto names = names_of(*order);
    if (!names) co_return names.error();

    auto evidence = co_await gather_evidence(parts, call, *order, *names);
    auto request = compose(parts, call, *order, std::move(*csr), std::move(*names), std::move(evidence));
    const auto until = core::earlier(core::deadline_in(answer_time), call.request.deadline);
    auto submission = parts.deps.enrollment.submit(std::move(request));
    const auto outcome = co_await core::await_until(parts.deps.tasks, until, std::move(submission));
    if (!outcome) co_return co_await unfinished(parts, call);
    co_return co_await conclude(parts, call, *outcome, csr_der);
}

}  // namespace postern::acme

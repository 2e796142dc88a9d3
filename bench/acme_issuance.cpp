#include "bench/acme_issuance.hpp"

#include "core/async/deadline.hpp"
#include "core/crypto/csr.hpp"

namespace postern::bench {
namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;

/// Doubling pauses, 1 ms first: a fast server is not waited for, a slow one not drowned in polls.
class Pauses {
public:
    std::chrono::milliseconds next() {
        const auto now = pause_;
        pause_ = std::min(pause_ * 2, std::chrono::milliseconds(64));
        total_ += now;
        return now;
    }
    [[nodiscard]] bool exhausted() const { return total_ > std::chrono::seconds(60); }

private:
    std::chrono::milliseconds pause_{1};
    std::chrono::milliseconds total_{0};
};

/// Proves one authorization. Asks again for the validation when an answer was lost on the way: a
/// server that was killed in the middle may have forgotten that it was asked.
core::Task<Result<void>> prove(AcmeClient& client, Http01Responder& responder, std::string url) {
    auto authorization = co_await client.authorization(url);
    if (!authorization) co_return authorization.error();
    const AcmeChallenge* offered = authorization->find("http-01");
    if (authorization->status == "valid") co_return Result<void>();
    if (offered == nullptr) co_return Problem(ProblemKind::unsupported, "the authorization offers no http-01");
    const std::string challenge_url = offered->url;
    responder.offer(offered->token, client.key_authorization(offered->token));
    bool ask = true, repeated = false;
    auto losses = client.losses();
    for (Pauses pauses; !pauses.exhausted();) {
        bool at_once = false;
        if (ask) {
            losses = client.losses();
            const auto challenge = co_await client.challenge(challenge_url);
            // A server may refuse the repetition of a request whose answer was lost; what the
            // authorization says decides.
            if (!challenge && !repeated && client.losses() == losses) co_return challenge.error();
            at_once = challenge && (challenge->status == "valid" || challenge->status == "invalid");
            repeated = true;
        }
        if (!at_once) co_await core::sleep_for(pauses.next());
        authorization = co_await client.authorization(url);
        if (!authorization) co_return authorization.error();
        if (authorization->status == "valid") co_return Result<void>();
        if (authorization->status != "pending")
            co_return Problem(ProblemKind::incorrect_response,
                              "the authorization is " + authorization->status + ": " + authorization->error());
        ask = client.losses() != losses;
    }
    co_return Problem(ProblemKind::unavailable, "the authorization stayed pending for a minute");
}

/// Drives a proven order to `valid`. An order that is `ready` after a lost answer is finalized
/// again; one that the server had already taken up is waited for.
core::Task<Result<AcmeOrder>> complete(AcmeClient& client, AcmeOrder order, core::Bytes csr) {
    order.status = "ready";
    for (Pauses pauses; !pauses.exhausted();) {
        const bool finalizing = order.status == "ready";
        const auto losses = client.losses();
        Result<AcmeOrder> next = order;
        if (finalizing)
            next = co_await client.finalize(order, csr);
        else
            next = co_await client.order(order.url);
        if (!next) {
            const bool taken_up = finalizing && client.losses() != losses && next.error().check == "orderNotReady";
            if (!taken_up) co_return next.error();
            order.status = "processing";
            continue;
        }
        order = std::move(*next);
        if (order.status == "valid") co_return order;
        if (order.status == "invalid") co_return Problem(ProblemKind::conflict, "the order is invalid: " + order.error);
        co_await core::sleep_for(pauses.next());
    }
    co_return Problem(ProblemKind::unavailable, "the order stayed " + order.status + " for a minute");
}

/// What makes an issuance count.
Result<crypto::Certificate> check_chain(const std::vector<core::Bytes>& chain, const crypto::PrivateKey& key,
                                        const std::string& name) {
    if (chain.size() < 2)
        return Problem(ProblemKind::malformed, "the chain has " + std::to_string(chain.size()) +
                                                   " certificates, expected the leaf and its issuer");
    auto leaf = crypto::Certificate::parse(chain[0]);
    if (!leaf) return leaf.error();
    const auto issuer = crypto::Certificate::parse(chain[1]);
    if (!issuer) return issuer.error();
    if (leaf->spki() != key.public_key().spki())
        return Problem(ProblemKind::malformed, "the certificate carries another key than the request");
    const auto& names = leaf->alt_names();
    if (names.size() != 1 || names[0].type != crypto::GeneralNameType::dns || names[0].value != name)
        return Problem(ProblemKind::malformed, "the certificate does not name " + name + " alone");
    const auto issuer_key = crypto::PublicKey::from_spki(issuer->spki(), crypto::KeyUse::authority);
    if (!issuer_key) return issuer_key.error();
    if (leaf->issuer_der() != issuer->subject_der() || !leaf->signed_by(*issuer_key))
        return Problem(ProblemKind::malformed, "the certificate is not signed by the issuer that came with it");
    return leaf;
}

}  // namespace

core::Task<Result<Issuance>> obtain_certificate(AcmeClient& client, Http01Responder& responder, std::string name,
                                                const crypto::PrivateKey& key) {
    std::vector<std::string> names(1, name);
    auto order = co_await client.new_order(std::move(names));
    if (!order) co_return order.error();
    for (const auto& url : order->authorizations) {
        const auto proven = co_await prove(client, responder, url);
        if (!proven) co_return proven.error();
    }
    const std::vector<crypto::GeneralName> alt_names(1, crypto::GeneralName(crypto::GeneralNameType::dns, name));
    auto csr = crypto::make_csr(key, crypto::DistinguishedName(), alt_names);
    auto valid = co_await complete(client, std::move(*order), std::move(csr));
    if (!valid) co_return valid.error();
    auto chain = co_await client.certificate(valid->certificate);
    if (!chain) co_return chain.error();
    auto leaf = check_chain(*chain, key, name);
    if (!leaf) co_return leaf.error();
    Issuance issuance;
    issuance.order = std::move(*valid);
    issuance.chain = std::move(*chain);
    issuance.leaf = std::move(*leaf);
    co_return issuance;
}

}  // namespace postern::bench

#include "est/proof.hpp"

#include "core/base/encoding.hpp"
#include "core/crypto/request_attributes.hpp"
#include "est/passwords.hpp"

namespace postern::est {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;
using Use = ra::ChallengePassword;

constexpr std::size_t longest_text = 255;  // RFC 2985 §5.4.1

Problem unbound(std::string detail) { return {ProblemKind::malformed, std::move(detail), "proof.binding"}; }

/// Tools that pipe a value through `base64` leave its line end there.
std::string_view without_line_end(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    return text;
}

bool is(std::string_view given, const core::Bytes& binding) {
    return !binding.empty() && core::equal_constant_time(core::as_bytes(given), core::as_bytes(core::base64(binding)));
}

Result<void> check_text(std::string_view what, std::string_view text) {
    const std::string name(what);
    if (text.empty()) return Problem(ProblemKind::malformed, "the request's " + name + " is empty; leave it out or fill it in", "proof.attributes");
    if (text.size() > longest_text) return Problem(ProblemKind::malformed, "the request's " + name + " is longer than 255 octets", "proof.attributes");
    return {};
}

/// What must be there at all, by the profile.
Result<void> check_required(const Call& call, bool bound) {
    if (!bound) return unbound("this profile wants requests that are bound to their TLS connection: send the attribute that csrattrs lists (RFC 7030 section 3.5)");
    const auto& facts = call.request.peer.tls_facts;
    // Without it whoever knows the session's keys can make a second connection with the same tls-unique (RFC 7627 §1).
    if (facts && !facts->tls_1_3 && !facts->extended_master_secret)
        return unbound("this profile wants a TLS connection with extended master secret (RFC 7627), or TLS 1.3");
    return {};
}

/// Of an account with a user name and a password, whoever else was proven.
Task<Result<void>> check_password(Parts& parts, const Call& call, ra::Account account, std::string given) {
    if (account.method != ra::AccountMethod::basic)
        co_return Problem(ProblemKind::malformed, "the request's challengePassword would be a password, which the account that asks does not have", "proof.password");
    auto digest = ra::password_id(parts.deps.sealer, call.endpoint.id, account.user, given);
    if (!account.public_id.empty() && core::equal_constant_time(core::as_bytes(account.public_id), core::as_bytes(digest))) co_return Result<void>();
    auto attempt = attempt_password(parts, call, account.user, std::move(digest));
    if (attempt.wait()) co_return too_many_tries("passwords for this user", *attempt.wait());
    std::vector<ra::Account> chosen;
    if (!account.secret_sealed.empty()) chosen.push_back(std::move(account));
    core::SecretText password(std::move(given));
    auto judging = judge_chosen(parts, call, std::move(password), std::move(chosen), std::move(attempt));
    const auto found = co_await std::move(judging);
    if (!found) co_return found.error();
    if (!*found) co_return Problem(ProblemKind::malformed, "the request's challengePassword is not the password of the account that asks", "proof.password");
    co_return Result<void>();
}

}  // namespace

Result<void> check_binding(const std::shared_ptr<const http::TlsFacts>& facts, std::string_view given) {
    if (!facts) return unbound("the request is bound to a TLS connection that ended before this server: a proxy stands between");
    const auto value = without_line_end(given);
    // Both are compared, whichever fits.
    const bool unique = is(value, facts->unique), exporter = is(value, facts->exporter);
    if (unique || exporter) return {};
    return unbound("the request's challengePassword or estIdentityLinking is not the channel binding of this TLS connection (RFC 7030 section 3.5; tls-exporter in TLS 1.3)");
}

Task<Result<void>> check_proof(Parts& parts, const Call& call, const ra::Profile& profile, ra::Account account, const crypto::Csr& csr) {
    auto attributes = crypto::read_request_attributes(csr.attributes());
    if (!attributes) co_return attributes.error();
    const auto& linking = attributes->linking;
    bool bound = false;
    if (attributes->challenge_password && profile.challenge_password != Use::ignore) {
        if (auto good = check_text("challengePassword", *attributes->challenge_password); !good) co_return good.error();
    }
    if (linking.otp_challenge)
        co_return Problem(ProblemKind::malformed, "the request has an otpChallenge (RFC 7894 section 3.1), and no one-time secrets are given out here for that", "proof.attributes");
    if (linking.est_identity_linking) {
        if (auto good = check_text("estIdentityLinking", *linking.est_identity_linking); !good) co_return good.error();
        if (auto good = check_binding(call.request.peer.tls_facts, *linking.est_identity_linking); !good) co_return good.error();
        bound = true;
    }
    if (attributes->challenge_password && profile.challenge_password == Use::binding) {
        if (auto good = check_binding(call.request.peer.tls_facts, *attributes->challenge_password); !good) co_return good.error();
        bound = true;
    }
    if (profile.require_binding) {
        if (auto good = check_required(call, bound); !good) co_return good.error();
    }
    if (!attributes->challenge_password || profile.challenge_password != Use::shared_secret) co_return Result<void>();
    auto checking = check_password(parts, call, std::move(account), std::move(*attributes->challenge_password));
    co_return co_await std::move(checking);
}

}  // namespace postern::est

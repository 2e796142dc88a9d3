#include "est/requester.hpp"

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/http/source.hpp"
#include "est/authorization.hpp"
#include "est/passwords.hpp"
#include "est/refusals.hpp"
#include "ra/bodies.hpp"
#include "store/tables/scep_challenge.hpp"

namespace postern::est {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;
using Credential = ra::EstSettings::Credential;

Problem nobody(std::string detail) { return {ProblemKind::unauthenticated, std::move(detail), "credential.known"}; }

Requester requester_of(Parts& parts, ra::Account account, const std::string& user) {
    Requester out;
    out.name = "user " + user;
    out.evidence.push_back(ra::Evidence::of(ra::Evidence::Kind::password, out.name, parts.now()));
    out.account = std::move(account);
    return out;
}

/// Passwords that people chose are asked one by one, of which an endpoint has few.
Task<std::vector<ra::Account>> chosen_accounts(Parts& parts, const Call& call, std::string user) {
    std::vector<ra::Account> out;
    auto of_endpoint = store::values(call.endpoint.id);
    const auto rows = co_await parts.deps.db.read(store::account_judging, std::move(of_endpoint));
    for (const auto& row : rows) {
        auto account = ra::read_account(store::ObjectRow::from(row));
        if (account && !account->secret_sealed.empty() && account->user == user) out.push_back(std::move(*account));
    }
    co_return out;
}

Task<Result<Requester>> by_password(Parts& parts, const Call& call, const Basic& basic) {
    core::SecretText password = basic.password.clone();
    auto drawn = co_await ra::find_account_by_password(parts.deps.db, parts.deps.sealer, call.endpoint.id, basic.user, std::move(password));
    if (drawn) co_return requester_of(parts, std::move(*drawn), basic.user);
    auto attempt = attempt_password(parts, call, basic.user, ra::password_id(parts.deps.sealer, call.endpoint.id, basic.user, basic.password.expose()));
    if (attempt.wait()) co_return too_many_tries("passwords for this user", *attempt.wait());
    auto user = basic.user;
    auto accounts = co_await chosen_accounts(parts, call, std::move(user));
    core::SecretText given = basic.password.clone();
    auto judging = judge_chosen(parts, call, std::move(given), std::move(accounts), std::move(attempt));
    auto account = co_await std::move(judging);
    if (!account) co_return account.error();
    if (!*account) co_return nobody("user name or password is wrong");
    co_return requester_of(parts, std::move(**account), basic.user);
}

/// One-time, of who minted it. A wrong one slows down whoever presents that very one: no other is worth guessing.
Task<Result<Requester>> by_token(Parts& parts, const Call& call, core::SecretText token) {
    std::string text = token.expose();
    core::Bytes no_key;
    auto found = co_await ra::find_one_time_challenge(parts.deps.db, parts.deps.sealer, call.endpoint.id, std::move(text), std::move(no_key), parts.now());
    if (!found) {
        const auto digest = core::hex(crypto::sha256(core::as_bytes(token.expose())));
        auto attempt = parts.token_slow_down.attempt(http::source_of(call.request.peer.address), call.endpoint.name + " " + digest, digest);
        if (attempt.wait()) co_return too_many_tries("tries with this token", *attempt.wait());
        attempt.wrong();
        co_return nobody("the token is not known at this endpoint");
    }
    Requester out;
    out.name = "token " + found->row.token;
    out.evidence.push_back(ra::Evidence::of(ra::Evidence::Kind::challenge, "one-time " + found->row.token, parts.now()));
    out.account = found->account;
    out.token = std::move(*found);
    out.token_text = std::make_shared<const core::SecretText>(std::move(token));
    co_return out;
}

std::optional<crypto::PublicKey> key_of(const crypto::Certificate& certificate) {
    auto key = crypto::PublicKey::from_spki(certificate.spki(), crypto::KeyUse::account);
    return key ? std::optional(std::move(*key)) : std::nullopt;
}

Requester of_record(ra::RenewalRight right) {
    Requester out;
    out.name = "certificate " + right.evidence.subject;
    out.account = right.account;
    out.evidence.push_back(right.evidence);
    out.key = key_of(right.certificate);
    out.renewal = std::move(right);
    return out;
}

Result<Requester> of_manufacturer(Parts& parts, Vouched vouched) {
    Requester out;
    out.key = key_of(vouched.certificate);
    if (!out.key) return Problem(ProblemKind::forbidden, "the client certificate's key is one that nobody should trust", "credential.certificate");
    const auto digest = core::hex(crypto::sha256(vouched.certificate.der()));
    out.name = vouched.serial.empty() ? "certificate " + digest : "device " + vouched.serial;
    out.account = vouched.account;
    out.evidence.push_back(ra::Evidence::manufacturer(digest, vouched.serial, vouched.anchor + " (" + vouched.anchor_sha256 + ")", parts.now()));
    out.vouched = std::move(vouched);
    return out;
}

/// One that this endpoint issued, or that was imported for it; or, for a first certificate, a manufacturer's. Which of the two it is,
/// our records say, never a trust anchor.
Task<Result<Requester>> by_certificate(Parts& parts, const Call& call, Operation operation) {
    auto presented = call.request.peer.client_certificate;
    auto finding = ra::find_renewal_right(parts.deps.db, call.endpoint.id, std::move(presented), parts.now(), call.endpoint.est.renewal_window);
    auto right = co_await std::move(finding);
    const std::string check = right ? std::string() : right.error().check;
    if (check == "renewal.validity" && operation == Operation::simplereenroll) {
        auto ended = call.request.peer.client_certificate;
        auto late = co_await ra::find_late_renewal_right(parts.deps.db, *call.catalog, call.endpoint.id, std::move(ended), parts.now());
        if (late) right = std::move(*late);
    }
    if (check == "renewal.record" && operation == Operation::simpleenroll) {
        auto certificate = crypto::Certificate::parse(call.request.peer.client_certificate);
        if (!certificate) co_return right.error();
        auto asked = *certificate;
        const bool known = co_await ra::on_record(parts.deps.db, std::move(asked));
        if (known) co_return right.error();
        auto vouched = co_await find_vouched(parts, call, std::move(*certificate));
        if (!vouched) co_return vouched.error();
        co_return of_manufacturer(parts, std::move(*vouched));
    }
    if (!right) co_return right.error();
    if (!call.endpoint.est.renewal) co_return Problem(ProblemKind::forbidden, "this endpoint renews no certificates", "renewal.allowed");
    co_return of_record(std::move(*right));
}

/// Where the account wants both, whatever its endpoint wants.
std::optional<Problem> missing_of(const ra::Account& account, bool certificate, bool password) {
    if (account.method != ra::AccountMethod::certificate) return std::nullopt;
    if (!certificate) return Problem(ProblemKind::forbidden, "the account of this password wants the device's certificate, too", "credential.certificate");
    if (account.devices.with_password && !password) return nobody("the account of this certificate wants its password, too");
    return std::nullopt;
}

/// What the endpoint wants beside or instead of what was shown.
std::optional<Problem> missing(Credential wanted, bool certificate, bool password) {
    const bool needs_certificate = wanted == Credential::certificate || wanted == Credential::both;
    const bool needs_password = wanted == Credential::password || wanted == Credential::both;
    if (needs_certificate && !certificate) return Problem(ProblemKind::forbidden, "this endpoint wants a client certificate in the TLS handshake", "credential.certificate");
    if (needs_password && !password) return nobody("this endpoint wants a user name and a password");
    return std::nullopt;
}

Task<Result<Requester>> judge(Parts& parts, const Call& call, Operation operation) {
    const auto wanted = call.endpoint.est.credential;
    const bool certificate = !call.request.peer.client_certificate.empty();
    auto said = read_authorization(call.request);
    if (!said) co_return said.error();
    // Neither makes the other good: whatever is shown must stand (est.md §1.4).
    std::optional<Requester> person, device;
    if (said->scheme != Authorization::Scheme::none) {
        const bool bearer = said->scheme == Authorization::Scheme::bearer;
        auto judging = bearer ? by_token(parts, call, std::move(said->token)) : by_password(parts, call, said->basic);
        auto found = co_await std::move(judging);
        if (!found) co_return found.error();
        person = std::move(*found);
    }
    if (certificate && (wanted != Credential::password || operation == Operation::simplereenroll)) {
        auto found = co_await by_certificate(parts, call, operation);
        if (!found) co_return found.error();
        device = std::move(*found);
    }
    if (operation == Operation::simplereenroll && !device)
        co_return Problem(ProblemKind::forbidden, "a re-enrollment is proven by the certificate that it renews, in the TLS handshake", "renewal.record");
    if (auto lack = missing(wanted, device.has_value(), person.has_value())) co_return std::move(*lack);
    if (person && device && person->account.id != device->account.id)
        co_return Problem(ProblemKind::forbidden, "the certificate and the password belong to different accounts", "credential.one_identity");
    if (device || person) {
        const auto& account = device ? device->account : person->account;
        if (auto lack = missing_of(account, device.has_value(), person.has_value())) co_return std::move(*lack);
    }
    if (person && device)
        for (auto& e : person->evidence) device->evidence.push_back(std::move(e));
    if (device) co_return std::move(*device);
    if (person) co_return std::move(*person);
    auto open = co_await ra::find_open_account(parts.deps.db, call.endpoint.id);
    if (!open) co_return nobody("authenticate with a user name and a password, with a one-time token, or with a client certificate");
    Requester out;
    out.name = "anybody";
    out.account = std::move(*open);
    co_return out;
}

}  // namespace

Task<Result<Requester>> find_requester(Parts& parts, const Call& call, Operation operation) {
    auto found = co_await judge(parts, call, operation);
    if (!found) co_await record_stranger(parts, call, found.error());
    co_return found;
}

}  // namespace postern::est

#include "est/requester.hpp"

#include "core/base/encoding.hpp"
#include "est/basic.hpp"
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
Task<Result<std::optional<ra::Account>>> judge_chosen(Parts& parts, const Call& call, const Basic& basic) {
    auto of_endpoint = store::values(call.endpoint.id);
    const auto rows = co_await parts.deps.db.read(store::account_judging, std::move(of_endpoint));
    for (const auto& row : rows) {
        auto account = ra::read_account(store::ObjectRow::from(row));
        if (!account || account->secret_sealed.empty() || account->user != basic.user) continue;
        auto asked = *account;
        core::SecretText password = basic.password.clone();
        const auto right = co_await parts.chosen_passwords.judge(std::move(asked), std::move(password));
        if (!right) co_return right.error();
        if (*right) co_return std::optional<ra::Account>(std::move(*account));
    }
    co_return std::optional<ra::Account>();
}

Task<Result<Requester>> by_password(Parts& parts, const Call& call, const Basic& basic) {
    const auto pair = call.endpoint.name + " " + call.request.peer.address + " " + basic.user;
    if (const auto wait = parts.slow_down.wait(pair)) {
        Problem slow(ProblemKind::rate_limited, "too many wrong passwords for this user from this address", "credential.tries");
        slow.retry_after = *wait;
        co_return slow;
    }
    core::SecretText password = basic.password.clone();
    auto account = co_await ra::find_account_by_password(parts.deps.db, parts.deps.sealer, call.endpoint.id, basic.user, std::move(password));
    if (!account) {
        auto chosen = co_await judge_chosen(parts, call, basic);
        if (!chosen) co_return chosen.error();
        account = std::move(*chosen);
    }
    if (!account) {
        parts.slow_down.wrong(pair);
        co_return nobody("user name or password is wrong");
    }
    parts.slow_down.right(pair);
    co_return requester_of(parts, std::move(*account), basic.user);
}

/// One that this endpoint issued, or that was imported for it.
Task<Result<Requester>> by_certificate(Parts& parts, const Call& call) {
    auto presented = call.request.peer.client_certificate;
    if (!call.endpoint.est.renewal) co_return Problem(ProblemKind::forbidden, "this endpoint renews no certificates", "renewal.allowed");
    auto finding = ra::find_renewal_right(parts.deps.db, call.endpoint.id, std::move(presented), parts.now(), call.endpoint.est.renewal_window);
    auto right = co_await std::move(finding);
    if (!right) co_return right.error();
    Requester out;
    out.name = "certificate " + right->evidence.subject;
    out.account = right->account;
    out.evidence.push_back(right->evidence);
    out.renewal = std::move(*right);
    co_return out;
}

/// What the endpoint wants beside or instead of what was shown.
std::optional<Problem> missing(Credential wanted, bool certificate, bool password) {
    const bool needs_certificate = wanted == Credential::certificate || wanted == Credential::both;
    const bool needs_password = wanted == Credential::password || wanted == Credential::both;
    if (needs_certificate && !certificate) return Problem(ProblemKind::forbidden, "this endpoint wants a client certificate in the TLS handshake", "credential.certificate");
    if (needs_password && !password) return nobody("this endpoint wants a user name and a password");
    return std::nullopt;
}

}  // namespace

Task<Result<Requester>> find_requester(Parts& parts, const Call& call, Operation operation) {
    const auto header = call.request.header("Authorization");
    const auto wanted = call.endpoint.est.credential;
    const bool certificate = !call.request.peer.client_certificate.empty();
    auto basic = header.empty() ? Result<Basic>(Basic()) : read_basic(header);
    if (!basic) co_return nobody(basic.error().detail);
    // Neither makes the other good: whatever is shown must stand (est.md §1.4).
    std::optional<Requester> person, device;
    if (!header.empty()) {
        auto found = co_await by_password(parts, call, *basic);
        if (!found) co_return found.error();
        person = std::move(*found);
    }
    if (certificate && (wanted != Credential::password || operation == Operation::simplereenroll)) {
        auto found = co_await by_certificate(parts, call);
        if (!found) co_return found.error();
        device = std::move(*found);
    }
    if (operation == Operation::simplereenroll && !device)
        co_return Problem(ProblemKind::forbidden, "a re-enrollment is proven by the certificate that it renews, in the TLS handshake", "renewal.record");
    if (auto lack = missing(wanted, device.has_value(), person.has_value())) co_return std::move(*lack);
    if (person && device) {
        if (person->account.id != device->account.id)
            co_return Problem(ProblemKind::forbidden, "the certificate and the password belong to different accounts", "credential.one_identity");
        for (auto& e : person->evidence) device->evidence.push_back(std::move(e));
    }
    if (device) co_return std::move(*device);
    if (person) co_return std::move(*person);
    auto open = co_await ra::find_open_account(parts.deps.db, call.endpoint.id);
    if (!open) co_return nobody("authenticate with a user name and a password, or with a client certificate");
    Requester out;
    out.name = "anybody";
    out.account = std::move(*open);
    co_return out;
}

}  // namespace postern::est

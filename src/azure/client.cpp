#include "azure/client.hpp"

#include <algorithm>
#include <chrono>

#include "azure/account_test.hpp"
#include "azure/bodies.hpp"
#include "azure/breaker.hpp"
#include "azure/discovery.hpp"
#include "azure/wire.hpp"
#include "core/async/run_on.hpp"

namespace postern::azure {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;

constexpr std::chrono::seconds call_time(8);
constexpr std::string_view validation_version = "2018-02-20", revocation_version = "5019-05-05";  // the second is so spelled
constexpr std::size_t longest_transaction = 255;

/// One call, as it is sent as often as needed.
struct Call {
    Call(AccountRef a, Service s, std::string_view n, std::string_view suffix_, std::string b)
        : account(std::move(a)), service(s), name(n), suffix(suffix_), body(std::move(b)) {}
    AccountRef account;
    Service service;
    std::string_view name;    ///< for logs and metrics
    std::string_view suffix;  ///< behind the service's base
    std::string body;
    std::string transaction;  ///< for logs; empty for revocations
    std::size_t most = std::size_t{64} * 1024;
    std::string activity;     ///< client-request-id of the newest attempt
};

/// A code may stand in logs and checks: letters and digits, as all of Intune's are.
std::string shown_code(const std::string& code) {
    const bool plain = code.size() <= 64 && std::ranges::all_of(code, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
    return plain ? code : "Unknown";
}

class Client final : public Intune {
public:
    explicit Client(ClientDeps deps) : deps_(std::move(deps)), tokens_(deps_), discovery_(deps_, tokens_) {}

    core::Task<Result<void>> validate(AccountRef account, ValidationRequest request, core::Deadline deadline) override {
        Call call(std::move(account), Service::validation, "validate", "ScepActions/validateRequest", validation_body(request, deps_.caller));
        return about_request(std::move(call), std::move(request.transaction_id), deadline);
    }
    core::Task<Result<void>> notify_success(AccountRef account, SuccessNotice notice, core::Deadline deadline) override {
        Call call(std::move(account), Service::validation, "success", "ScepActions/successNotification", success_body(notice, deps_.caller));
        return about_request(std::move(call), std::move(notice.transaction_id), deadline);
    }
    core::Task<Result<void>> notify_failure(AccountRef account, FailureNotice notice, core::Deadline deadline) override {
        Call call(std::move(account), Service::validation, "failure", "ScepActions/failureNotification", failure_body(notice, deps_.caller));
        return about_request(std::move(call), std::move(notice.transaction_id), deadline);
    }
    core::Task<Result<std::vector<RevocationRequest>>> download_revocations(AccountRef account, int most, core::Deadline deadline) override {
        Call call(std::move(account), Service::revocation, "download", "CertificateAuthorityRequests/downloadRevocationRequests", download_body(most));
        call.most = std::size_t{1024} * 1024;
        auto downloading = download(std::move(call), deadline);
        co_return co_await core::run_on(deps_.home, std::move(downloading));
    }
    core::Task<Result<void>> upload_results(AccountRef account, std::vector<RevocationResult> results, core::Deadline deadline) override {
        Call call(std::move(account), Service::revocation, "upload", "CertificateAuthorityRequests/uploadRevocationResults", upload_body(results));
        auto uploading = upload(std::move(call), deadline);
        co_return co_await core::run_on(deps_.home, std::move(uploading));
    }
    core::Task<std::vector<TestStep>> test(AccountRef account, core::Deadline deadline) override {
        auto testing = test_account(deps_, std::move(account), deadline);
        co_return co_await core::run_on(deps_.home, std::move(testing));
    }

private:
    static std::optional<Problem> wrong_transaction(const std::string& id) {
        if (!id.empty() && id.size() <= longest_transaction) return std::nullopt;
        return Problem(ProblemKind::malformed, "a transactionID of 1 to 255 characters is wanted", "intune.request");
    }

    core::Task<Result<void>> about_request(Call call, std::string transaction, core::Deadline deadline) {
        if (auto wrong = wrong_transaction(transaction)) co_return std::move(*wrong);
        call.transaction = std::move(transaction);
        auto deciding = decide(std::move(call), deadline);
        co_return co_await core::run_on(deps_.home, std::move(deciding));
    }

    // ---- all below runs on deps_.home

    /// A value for the code Success, and nothing else.
    core::Task<Result<void>> decide(Call call, core::Deadline deadline) {
        auto response = co_await guarded(call, deadline);
        if (!response) co_return to_problem(response.error());
        const auto code = read_code(response->body);
        if (!code) co_return to_problem(failed(call, code.error()));
        if (*code == "Success") {
            count(call, "success");
            deps_.log.debug("intune_success", {{"account", call.account->label()}, {"call", call.name}, {"transaction", call.transaction}, {"activity", call.activity}});
            co_return Result<void>();
        }
        const auto shown = shown_code(*code);
        count(call, "refused");
        deps_.log.warning("intune_refused", {{"account", call.account->label()}, {"call", call.name}, {"code", shown},
                                             {"transaction", call.transaction}, {"activity", call.activity}});
        co_return Problem(ProblemKind::forbidden, "Intune: " + shown, "intune." + shown);
    }

    core::Task<Result<std::vector<RevocationRequest>>> download(Call call, core::Deadline deadline) {
        auto response = co_await guarded(call, deadline);
        if (!response) co_return to_problem(response.error());
        auto requests = read_revocations(response->body);
        if (!requests) co_return to_problem(failed(call, requests.error()));
        count(call, "success");
        co_return std::move(*requests);
    }

    core::Task<Result<void>> upload(Call call, core::Deadline deadline) {
        auto response = co_await guarded(call, deadline);
        if (!response) co_return to_problem(response.error());
        const auto accepted = read_accepted(response->body);
        if (!accepted) co_return to_problem(failed(call, accepted.error()));
        count(call, "success");
        co_return Result<void>();
    }

    /// The breaker before, and what it learns after.
    core::Task<Attempt<http::Response>> guarded(Call& call, core::Deadline deadline) {
        const auto& account = *call.account;
        if (!account.active) co_return failed(call, Failure(Trouble::disabled, "the azure_account " + account.label() + " is disabled"));
        if (const auto held = breaker_.held(account.id, deps_.clock.now())) {
            Failure waits(Trouble::breaker, "Microsoft's services failed for " + account.label() + " of late; they are asked again in " + std::to_string(held->count()) + " s");
            waits.retry_after = *held;
            co_return failed(call, std::move(waits));
        }
        const auto began = deps_.clock.steady();
        Attempt<http::Response> response = Failure();
        try {
            response = co_await attempts(call, core::earlier(deadline, core::deadline_in(call_time)));
        } catch (...) {
            breaker_.undecided(account.id);  // or nobody would try again
            throw;
        }
        seconds(call).observe(std::chrono::duration<double>(deps_.clock.steady() - began).count());
        if (!response && response.error().passing()) {
            breaker_.failed(account.id, deps_.clock.now(), response.error().retry_after);
        } else if (!response && response.error().trouble == Trouble::credentials) {
            breaker_.undecided(account.id);
        } else {
            breaker_.succeeded(account.id);
        }
        show_breaker(account);
        if (!response) co_return failed(call, response.error());
        co_return std::move(*response);
    }

    /// The table of intune.md §4.2.
    core::Task<Attempt<http::Response>> attempts(Call& call, core::Deadline deadline) {
        bool renewed = false, looked_again = false;
        for (unsigned tries = 1;;) {
            const auto token = co_await tokens_.get(call.account, Audience::intune, deadline);
            if (!token) co_return token.error();
            const auto base = co_await discovery_.find(call.account, call.service, deadline);
            if (!base) co_return base.error();
            auto response = co_await once(call, *token, *base, deadline);
            if (response) co_return std::move(*response);
            auto why = response.error();
            if (why.trouble == Trouble::unauthorized) {
                if (renewed) {
                    why.advice = "Entra gave the token and Intune refuses it: check intune_scope (its two slashes) and environment";
                    tokens_.refuse(*call.account, Audience::intune, why);
                    co_return why;
                }
                renewed = true;
                tokens_.drop(*call.account, Audience::intune, *token);
                continue;
            }
            if (why.trouble == Trouble::gone) {
                if (looked_again || !discovery_.suspect(*call.account)) co_return why;
                looked_again = true;
                continue;
            }
            const auto pause = next_pause(tries, why, deps_.random, deadline);
            if (!pause) co_return why;
            // The service may have moved away without a word; once a call, and not for its own wish to be left alone.
            if (why.trouble == Trouble::unreachable && !why.at_once && !looked_again) looked_again = discovery_.suspect(*call.account);
            ++tries;
            deps_.log.debug("intune_again", {{"account", call.account->label()}, {"call", call.name}, {"why", why.detail}, {"activity", call.activity}});
            co_await deps_.sleep(*pause);
        }
    }

    core::Task<Attempt<http::Response>> once(Call& call, Token token, std::string base, core::Deadline deadline) {
        auto request = request_for(*call.account, deps_.sealer, http::Method::post, base + "/" + std::string(call.suffix));
        if (!request) co_return Failure(Trouble::credentials, request.error().detail);
        call.activity = guid(deps_.random);
        request->body = call.body;
        request->most = call.most;
        request->headers.emplace_back("Content-Type", "application/json");
        request->headers.emplace_back("Accept", "application/json");
        request->headers.emplace_back("Authorization", "Bearer " + token.bearer->expose());
        request->headers.emplace_back("api-version", call.service == Service::validation ? validation_version : revocation_version);
        request->headers.emplace_back("client-request-id", call.activity);
        std::string who = "Intune";
        auto response = co_await send(deps_.outbound, std::move(*request), std::move(who), deps_.clock.now(), deadline);
        if (response || response.error().trouble != Trouble::permission) co_return response;
        auto why = response.error();
        why.advice = "Entra admin center > App registrations > " + call.account->application +
                     " > API permissions: add Intune > Application permissions > scep_challenge_provider, then \"Grant admin consent\"";
        co_return why;
    }

    // ---- what others see of it

    /// Counts and logs, and gives the failure back.
    Failure failed(const Call& call, Failure failure) {
        const auto check = check_of(failure.trouble);
        count(call, check.substr(check.find('.') + 1));
        if (failure.trouble == Trouble::permission || failure.trouble == Trouble::unauthorized || failure.trouble == Trouble::credentials)
            deps_.metrics.counter("postern_alarms_total", "What somebody must look at", {{"alarm", failure.trouble == Trouble::permission ? "intune_permission" : "intune_credentials"}}).add();
        deps_.log.warning("intune_call_failed", {{"account", call.account->label()}, {"call", call.name}, {"check", check}, {"why", failure.detail},
                                                 {"advice", failure.advice}, {"transaction", call.transaction}, {"activity", call.activity}});
        return failure;
    }
    void count(const Call& call, std::string_view result) {
        deps_.metrics.counter("postern_intune_calls_total", "Calls of Intune, by what came of them", {{"call", call.name}, {"result", result}}).add();
    }
    observe::Histogram seconds(const Call& call) {
        return deps_.metrics.histogram("postern_intune_call_seconds", "How long a call of Intune took, all tries together", {{"call", call.name}});
    }
    void show_breaker(const Account& account) {
        deps_.metrics.gauge("postern_intune_breaker_open", "1 while no call of the account is made, because its services failed", {{"account", account.label()}})
            .set(breaker_.open(account.id) ? 1 : 0);
    }

    ClientDeps deps_;
    Tokens tokens_;
    Discovery discovery_;
    Breaker breaker_;
};

}  // namespace

std::unique_ptr<Intune> make_intune_client(ClientDeps deps) { return std::make_unique<Client>(std::move(deps)); }

}  // namespace postern::azure

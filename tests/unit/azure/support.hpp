#pragma once
#include <boost/test/unit_test.hpp>
#include <deque>
#include <functional>
#include <mutex>

#include "azure/client.hpp"
#include "core/async/deadline.hpp"
#include "core/async/shards.hpp"
#include "core/crypto/system_random.hpp"

/// The client over an Outbound that answers as it is told.
namespace postern::test {

using namespace std::chrono_literals;

/// What went out, and what comes back: the next answer of the queue for that host, or the usual one.
class ScriptedOutbound final : public http::Outbound {
public:
    using Answer = core::Result<http::Response>;
    static http::Response json(unsigned status, std::string body) { return {status, "application/json", std::move(body)}; }

    core::Task<Answer> exchange(http::OutboundRequest request, core::Deadline) override {
        const std::string kind = kind_of(request.url);
        Answer answer = usual(kind);
        {
            const std::lock_guard lock(mutex_);
            asked.push_back(std::move(request));
            auto& queue = queues_[kind];
            if (!queue.empty()) {
                answer = std::move(queue.front());
                queue.pop_front();
            }
        }
        if (before) co_await before(kind);
        co_return answer;
    }
    void next(const std::string& kind, Answer answer) { queues_[kind].push_back(std::move(answer)); }
    std::size_t count(const std::string& kind) {
        const std::lock_guard lock(mutex_);
        return static_cast<std::size_t>(std::count_if(asked.begin(), asked.end(), [&](const auto& r) { return kind_of(r.url) == kind; }));
    }
    /// "token", "list" or "call"
    static std::string kind_of(const std::string& url) {
        return url.find("/oauth2/") != std::string::npos ? "token" : url.find("/servicePrincipals/") != std::string::npos ? "list" : "call";
    }
    static Answer usual(const std::string& kind) {
        if (kind == "token") return json(200, R"({"token_type":"Bearer","expires_in":3600,"access_token":"t.o.k"})");
        if (kind == "list")
            return json(200, R"({"value":[{"providerName":"ScepRequestValidationFEService","uri":"https://fef.a.manage.microsoft.com/v"},)"
                             R"({"providerName":"PkiConnectorFEService","uri":"https://fef.a.manage.microsoft.com/r"}]})");
        return json(200, R"({"code":"Success","errorDescription":""})");
    }

    std::vector<http::OutboundRequest> asked;
    std::function<core::Task<void>(std::string kind)> before;

private:
    std::mutex mutex_;
    std::map<std::string, std::deque<Answer>> queues_;
};

struct ClientWorld {
    ClientWorld() {
        shards.start();
        azure::ClientDeps deps{outbound, sealer, pool, tasks, shards.executor(0), random, clock, log, metrics, "Postern/0",
                               [this](std::chrono::milliseconds pause) { return paused(pause); }};
        client = azure::make_intune_client(std::move(deps));
    }
    ~ClientWorld() {
        tasks.cancel();
        shards.stop();
    }
    ClientWorld(const ClientWorld&) = delete;
    ClientWorld& operator=(const ClientWorld&) = delete;

    azure::AccountRef account(std::int64_t version = 1) const {
        azure::Account a;
        a.id = 4;
        a.version = version;
        a.tenant = "default";
        a.name = "corp";
        a.addresses = azure::addresses_of(a.environment);
        a.directory = "contoso.example";
        a.application = "3f0d1e7a-64c4-4d1f-8f55-0e9fd7c1b2aa";
        a.sealed = sealer.seal(azure::credential_label, azure::sealing_context(a.id), core::as_bytes("s3cr&t="));
        return std::make_shared<const azure::Account>(std::move(a));
    }
    core::Result<void> validate(azure::AccountRef of, std::chrono::milliseconds time = 20s) {
        azure::ValidationRequest request("T1", core::Bytes{1, 2, 3});
        return core::run_to_end(client->validate(std::move(of), std::move(request), core::deadline_in(time)));
    }
    core::Result<void> validate() { return validate(account()); }
    core::Task<void> paused(std::chrono::milliseconds pause) {
        pauses.push_back(pause);
        co_return;
    }

    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    crypto::SystemRandom random;
    observe::Log log{observe::Level::error, "", true};
    observe::Metrics metrics;
    crypto::Sealer sealer{core::SecretBytes(core::Bytes(32, 7)), random};
    core::CpuPool pool{1, 16};
    core::TaskGroup tasks{[](std::string_view) {}};
    ScriptedOutbound outbound;
    core::Shards shards{1};
    std::vector<std::chrono::milliseconds> pauses;
    std::unique_ptr<azure::Intune> client;
};

inline std::string check_of(const core::Result<void>& r) { return r ? "yes" : r.error().check; }

}  // namespace postern::test

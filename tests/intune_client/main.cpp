// The real client of Intune, driven by lines of JSON: for tests/intune_client, which puts the stand-in before it.
//
//   intune_client SETTINGS.json     one command a line on standard input, one answer a line on standard output
//
// The pauses between tries are not made but told ("pauses", milliseconds); "advance" moves the client's clock.
#include <fstream>
#include <iostream>
#include <mutex>
#include <sstream>

#include "azure/client.hpp"
#include "core/async/shards.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/key.hpp"
#include "core/crypto/system_random.hpp"
#include "core/http/curl_outbound.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"

using namespace postern;

namespace {

class MovedClock final : public core::Clock {
public:
    [[nodiscard]] core::TimePoint now() const noexcept override { return system_.now() + std::chrono::seconds(moved_.load()); }
    [[nodiscard]] core::SteadyPoint steady() const noexcept override { return system_.steady(); }
    [[nodiscard]] std::chrono::milliseconds since_boot() const noexcept override { return system_.since_boot(); }
    void advance(std::int64_t seconds) { moved_ += seconds; }

private:
    core::SystemClock system_;
    std::atomic<std::int64_t> moved_{0};
};

std::string read_whole(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream out;
    out << in.rdbuf();
    if (!in) throw std::runtime_error(path + " cannot be read");
    return out.str();
}

std::string text(const json::Value& object, std::string_view key) {
    const auto value = object[key].string();
    return value ? std::string(*value) : std::string();
}
core::Bytes octets(const json::Value& object, std::string_view key) { return core::from_base64(text(object, key)).value(); }

class Program {
public:
    explicit Program(const json::Value& settings)
        : sealer_(core::SecretBytes(core::Bytes(32, 7)), random_), shards_(1), pool_(1, 64), tasks_([](std::string_view what) { std::cerr << what << "\n"; }) {
        http::OutboundConfig config;
        config.user_agent = "Postern/test";
        config.ca_file = text(settings, "ca_file");
        outbound_ = http::make_curl_outbound(std::move(config));
        account_ = std::make_shared<const azure::Account>(make_account(settings));
        shards_.start();
        azure::ClientDeps deps{*outbound_, sealer_, pool_, tasks_, shards_.executor(0), random_, clock_, log_, metrics_, "Postern/test",
                               [this](std::chrono::milliseconds pause) { return remember(pause); }};
        client_ = azure::make_intune_client(std::move(deps));
    }
    ~Program() {
        tasks_.cancel();
        shards_.stop();
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    std::string command(const json::Value& asked) {
        const auto call = text(asked, "call");
        json::Writer w;
        w.begin_object();
        if (call == "advance") {
            clock_.advance(asked["seconds"].integer().value());
        } else if (call == "metrics") {
            w.member("metrics", metrics_.scrape());
        } else if (call == "download") {
            const auto got = core::run_to_end(client_->download_revocations(account_, static_cast<int>(asked["most"].integer().value()), deadline(asked)));
            w.key("value").begin_array();
            if (got)
                for (const auto& r : *got)
                    w.begin_object().member("context", r.context).member("serial", r.serial).member("issuer", r.issuer).member("issuer_id", r.issuer_id).end_object();
            w.end_array();
            describe(w, got);
        } else if (call == "test") {
            w.key("steps").begin_array();
            for (const auto& s : core::run_to_end(client_->test(account_, deadline(asked))))
                w.begin_object().member("name", s.name).member("passed", s.passed).member("skipped", s.skipped).member("result", s.result)
                    .member("advice", s.advice).member("check", s.check).end_object();
            w.end_array();
        } else {
            describe(w, core::run_to_end(plain(call, asked)));
        }
        const std::lock_guard lock(mutex_);
        w.key("pauses").begin_array();
        for (const auto pause : pauses_) w.integer(pause.count());
        pauses_.clear();
        w.end_array().end_object();
        return w.take();
    }

    /// The same validation so many times at once.
    std::string at_once(const json::Value& asked) {
        const auto count = static_cast<std::size_t>(asked["times"].integer().value());
        std::vector<std::thread> threads;
        std::atomic<std::size_t> good{0};
        for (std::size_t i = 0; i < count; ++i)
            threads.emplace_back([&] {
                if (core::run_to_end(plain("validate", asked))) ++good;
            });
        for (auto& thread : threads) thread.join();
        json::Writer w;
        w.begin_object().member("good", static_cast<std::int64_t>(good)).end_object();
        return w.take();
    }

private:
    azure::Account make_account(const json::Value& s) {
        azure::Account a;
        a.id = 1;
        a.version = 1;
        a.tenant = "default";
        a.name = "corp";
        a.addresses.login = text(s, "login");
        a.addresses.graph = text(s, "graph");
        a.addresses.graph_scope = text(s, "graph_scope");
        a.addresses.intune_scope = text(s, "intune_scope");
        for (const auto& host : s["services"].items()) a.addresses.services.emplace_back(host.string().value());
        a.directory = text(s, "directory");
        a.application = text(s, "application");
        core::SecretBytes secret(core::to_bytes(core::as_bytes(text(s, "secret"))));
        if (s.contains("certificate")) {
            a.credential = text(s, "algorithm") == "RS256" ? azure::CredentialKind::certificate_rs256 : azure::CredentialKind::certificate;
            a.certificate = crypto::from_pem("CERTIFICATE", text(s, "certificate")).value().at(0);
            secret = crypto::PrivateKey::from_pem(text(s, "key")).value().to_pkcs8();
        }
        a.sealed = sealer_.seal(azure::credential_label, azure::sealing_context(a.id), secret.expose());
        a.proxy = text(s, "proxy");
        a.proxy_user = text(s, "proxy_user");
        if (s.contains("proxy_password"))
            a.sealed_proxy_password = sealer_.seal(azure::proxy_password_label, azure::sealing_context(a.id), core::as_bytes(text(s, "proxy_password")));
        return a;
    }
    static core::Deadline deadline(const json::Value& asked) {
        const auto ms = asked["deadline_ms"].integer();
        return core::deadline_in(std::chrono::milliseconds(ms ? *ms : 20'000));
    }
    core::Task<core::Result<void>> plain(const std::string& call, const json::Value& asked) {
        const auto until = deadline(asked);
        const auto transaction = text(asked, "transaction");
        if (call == "validate") return client_->validate(account_, azure::ValidationRequest(transaction, octets(asked, "csr")), until);
        if (call == "success") {
            const auto certificate = octets(asked, "certificate");
            return client_->notify_success(account_, azure::success_notice(transaction, octets(asked, "csr"), certificate, text(asked, "issuer_id")).value(), until);
        }
        if (call == "failure") {
            const azure::FailureNotice notice(transaction, octets(asked, "csr"), static_cast<std::int32_t>(asked["hresult"].integer().value()), text(asked, "description"));
            return client_->notify_failure(account_, notice, until);
        }
        if (call != "upload") throw std::runtime_error("no call " + call);
        std::vector<azure::RevocationResult> results;
        for (const auto& r : asked["results"].items())
            results.emplace_back(text(r, "context"), static_cast<azure::RevocationCode>(r["code"].integer().value()), text(r, "message"));
        return client_->upload_results(account_, std::move(results), until);
    }
    template <class T>
    static void describe(json::Writer& w, const core::ResultOf<T>& result) {
        w.member("ok", result.has_value());
        if (result) return;
        const auto& problem = result.error();
        w.member("kind", core::to_string(problem.kind)).member("check", problem.check).member("detail", problem.detail);
        if (problem.retry_after) w.member("retry_after", std::int64_t{problem.retry_after->count()});
    }
    core::Task<void> remember(std::chrono::milliseconds pause) {
        const std::lock_guard lock(mutex_);
        pauses_.push_back(pause);
        co_return;
    }

    crypto::SystemRandom random_;
    MovedClock clock_;
    observe::Log log_{observe::Level::debug, "", true};
    observe::Metrics metrics_;
    crypto::Sealer sealer_;
    core::Shards shards_;  // before the pool: its thread may still hold their executor when what it did is delivered
    core::CpuPool pool_;
    core::TaskGroup tasks_;
    std::unique_ptr<http::Outbound> outbound_;
    std::mutex mutex_;
    std::vector<std::chrono::milliseconds> pauses_;
    azure::AccountRef account_;
    std::unique_ptr<azure::Intune> client_;
};

}  // namespace

int main(int count, char** words) {
    if (count != 2) {
        std::cerr << "intune_client SETTINGS.json\n";
        return 2;
    }
    const auto settings = json::Document::parse(read_whole(words[1])).value();
    Program program(settings.root());
    for (std::string line; std::getline(std::cin, line);) {
        json::Limits limits;
        limits.bytes = std::size_t{4} * 1024 * 1024;
        const auto asked = json::Document::parse(line, limits).value();
        const bool many = text(asked.root(), "call") == "at_once";
        std::cout << (many ? program.at_once(asked.root()) : program.command(asked.root())) << std::endl;
    }
    return 0;
}

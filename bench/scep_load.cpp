// Closed-loop SCEP load: RSA-2048 devices that send PKCSReq with a challenge and begin the next enrollment when the last
// one is answered. Messages are made before the measurement and answers opened after it (with a journal at once), so
// that one core's worth of generator faces the server.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "bench/closed_loop.hpp"
#include "bench/process_meter.hpp"
#include "bench/scep_client.hpp"
#include "bench/scep_parts.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/system_random.hpp"

namespace postern::bench {
namespace {
using Steady = std::chrono::steady_clock;

struct Options {
    std::string url, challenge, journal;
    std::size_t enrollments = 1000, warmup = 100, workers = 16, devices = 32, max_failures = 20;
    pid_t pid = 0;
    int cpu = -1;
    unsigned time_limit_s = 600, retry_for_s = 60, step_time_s = 20;
    bool retry = false, retry_faults = false, status_only = false, json = false;
};

class Load {
public:
    explicit Load(const Options& options) : options_(options), context_(1), journal_(options.journal) {
        ScepSettings settings;
        settings.url = options.url;
        settings.step_time = std::chrono::seconds(options.step_time_s);
        if (options.retry) settings.retry_for = std::chrono::seconds(options.retry_for_s);
        settings.retry_faults = options.retry_faults;
        for (std::size_t i = 0; i < options.workers; ++i) clients_.push_back(std::make_unique<ScepClient>(settings));
        for (std::size_t i = 0; i < options.devices; ++i)
            devices_.push_back(self_signed(crypto::PrivateKey::generate(crypto::KeySpec(crypto::KeyType::rsa, 2048)), "device", random_));
    }

    [[nodiscard]] std::uint64_t posts() const { return sum(&ScepClient::posts); }
    [[nodiscard]] std::uint64_t losses() const { return sum(&ScepClient::losses); }
    [[nodiscard]] std::uint64_t faults() const { return sum(&ScepClient::faults); }

    [[nodiscard]] Phase run(std::size_t enrollments) {
        Phase phase(enrollments);
        run_workers(context_, 1, time_limit(), [this, &phase](std::size_t) { return prepare(phase); });
        const auto begin = Steady::now();
        run_workers(context_, clients_.size(), time_limit(), [this, &phase](std::size_t i) { return work(*clients_[i], phase); });
        phase.wall_ms = std::chrono::duration<double, std::milli>(Steady::now() - begin).count();
        for (const auto& [enrollment, reply] : answered_) judge(phase, enrollment, reply);
        answered_.clear();
        return phase;
    }

private:
    using Count = std::uint64_t (ScepClient::*)() const noexcept;
    [[nodiscard]] std::uint64_t sum(Count count) const {
        std::uint64_t out = 0;
        for (const auto& client : clients_) out += (client.get()->*count)();
        return out;
    }
    [[nodiscard]] std::chrono::seconds time_limit() const { return std::chrono::seconds(options_.time_limit_s); }

    core::Task<void> prepare(const Phase& phase) {
        const auto recipient = co_await clients_.front()->recipient();
        if (!recipient) throw std::runtime_error("GetCACert: " + recipient.error().detail);
        for (std::size_t i = 0; i < phase.wanted; ++i) waiting_.push_back(make(*recipient, devices_[i % devices_.size()]));
    }
    Enrollment make(const crypto::CmsParty& recipient, const crypto::CmsIdentity& device) {
        Enrollment out;
        out.transaction_id = core::hex(random_.bytes(20));
        out.device = &device;
        const auto csr = csr_with_challenge(device.key, "bench-" + out.transaction_id.substr(0, 16), options_.challenge);
        const auto envelope = crypto::cms_envelope(csr, recipient, crypto::CmsCipher::aes128_cbc, random_);
        out.message = pkcs_req(envelope, device, random_, out.transaction_id);
        return out;
    }

    core::Task<void> work(ScepClient& client, Phase& phase) {
        while (!waiting_.empty() && phase.failures < options_.max_failures) {
            const Enrollment enrollment = std::move(waiting_.back());
            waiting_.pop_back();
            ++phase.begun;
            const auto begin = Steady::now();
            auto reply = co_await client.send(enrollment);
            const std::chrono::duration<double, std::milli> took = Steady::now() - begin;
            if (!reply) {
                phase.failed(reply.error().detail);
                continue;
            }
            phase.latencies_ms.push_back(took.count());
            if (journal_.kept())
                judge(phase, enrollment, *reply);
            else
                answered_.emplace_back(enrollment, std::move(*reply));
        }
    }
    void judge(Phase& phase, const Enrollment& enrollment, const core::Bytes& reply) {
        if (options_.status_only) {
            if (const auto success = check_success(reply, enrollment); !success) phase.failed(success.error().detail);
            return;
        }
        const auto leaf = open_success(reply, enrollment, random_);
        if (!leaf) return phase.failed(leaf.error().detail);
        journal_.add(enrollment.transaction_id, *leaf);
    }

    const Options& options_;
    boost::asio::io_context context_;
    Journal journal_;
    crypto::SystemRandom random_;
    std::vector<std::unique_ptr<ScepClient>> clients_;
    std::vector<crypto::CmsIdentity> devices_;
    std::vector<Enrollment> waiting_;
    std::vector<std::pair<Enrollment, core::Bytes>> answered_;
};

int run(int argc, char** argv) {
    Options o;
    CLI::App app("Closed-loop SCEP load for an RFC 8894 server on this machine (PKCSReq, RSA-2048)", "scep_load");
    app.add_option("--url", o.url, "the server's SCEP URL, http")->required();
    app.add_option("--challenge", o.challenge, "challengePassword of every request")->required();
    app.add_option("--enrollments", o.enrollments, "measured enrollments")->check(CLI::PositiveNumber);
    app.add_option("--warmup", o.warmup, "enrollments before the measurement");
    app.add_option("--workers", o.workers, "concurrent devices, each with its own connection")->check(CLI::PositiveNumber);
    app.add_option("--devices", o.devices, "RSA keys that they take turns with")->check(CLI::PositiveNumber);
    app.add_option("--pid", o.pid, "server process whose CPU time and memory are measured");
    app.add_option("--cpu", o.cpu, "core to pin this generator to");
    app.add_option("--journal", o.journal, "file that gets one fsynced line per certificate received");
    app.add_option("--max-failures", o.max_failures, "give up after so many failed enrollments");
    app.add_option("--time-limit", o.time_limit_s, "seconds that one phase may take");
    app.add_flag("--retry", o.retry, "send a message again whose connection was lost or that was answered 503 or PENDING");
    app.add_option("--retry-for", o.retry_for_s, "seconds that one message is sent again with --retry");
    app.add_flag("--retry-faults", o.retry_faults, "with --retry, also one that was answered 500");
    app.add_option("--step-time", o.step_time_s, "seconds to wait for one answer");
    app.add_flag("--status-only", o.status_only, "judge an answer by signature and pkiStatus, for servers that encrypt it with DES");
    app.add_flag("--json", o.json, "one JSON object instead of text");
    CLI11_PARSE(app, argc, argv);
    if (o.cpu >= 0) pin_to_core(static_cast<unsigned>(o.cpu));
    Load load(o);
    return measure(load, o.warmup, o.enrollments, o.pid).print(o.json) ? 0 : 1;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
    try {
        return postern::bench::run(argc, argv);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "scep_load: %s\n", e.what());
        return 1;
    }
}

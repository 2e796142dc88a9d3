// Closed-loop EST load: devices with P-256 keys that begin the next enrollment when the last one is answered; either by user
// name and password over kept connections, or each a renewal over a new connection that shows the certificate before it. Keys
// and requests are made before the measurement, so that one core's worth of generator faces the server.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

#include "bench/closed_loop.hpp"
#include "bench/est_client.hpp"
#include "bench/process_meter.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/system_random.hpp"

namespace postern::bench {
namespace {
using Steady = std::chrono::steady_clock;

struct Options {
    EstSettings client;
    std::string journal;
    std::size_t enrollments = 1000, warmup = 100, workers = 16, max_failures = 20;
    pid_t pid = 0;
    int cpu = -1;
    unsigned time_limit_s = 600, retry_for_s = 60, step_time_s = 20;
    bool renew = false, retry = false, json = false;
};

/// One thread each: its client, and the requests that wait for it.
struct Worker {
    explicit Worker(const EstSettings& settings) : client(settings) {}
    EstClient client;
    std::string name;                   ///< of the device that renews
    std::vector<EstRequest> waiting;
    std::vector<double> latencies_ms;
    std::vector<std::string> failures;
};

class Load {
public:
    explicit Load(const Options& options) : options_(options), journal_(options.journal) {
        for (std::size_t i = 0; i < options.workers; ++i) workers_.push_back(std::make_unique<Worker>(options.client));
    }

    [[nodiscard]] std::uint64_t posts() const { return sum(&EstClient::posts); }
    [[nodiscard]] std::uint64_t losses() const { return sum(&EstClient::losses); }
    [[nodiscard]] std::uint64_t faults() const { return sum(&EstClient::faults); }

    /// Before the measurement: certificates to renew.
    void begin() {
        if (!options_.renew) return;
        for (const auto& worker : workers_) {
            worker->name = fresh_name();
            const auto request = make_est_request(worker->name);
            const auto answer = worker->client.enroll(request);
            if (!answer) throw std::runtime_error("the first enrollment: " + answer.error().detail);
            auto certificate = open_est_answer(*answer, request);
            if (!certificate) throw std::runtime_error("the first enrollment: " + certificate.error().detail);
            worker->client.show(std::move(*certificate), request.key);
        }
    }

    [[nodiscard]] Phase run(std::size_t enrollments) {
        Phase phase(enrollments);
        for (std::size_t i = 0; i < enrollments; ++i) {
            auto& worker = *workers_[i % workers_.size()];
            worker.waiting.push_back(make_est_request(options_.renew ? worker.name : fresh_name()));
        }
        late_ = false;
        failed_ = 0;
        const auto begin = Steady::now();
        std::vector<std::thread> threads;
        for (const auto& worker : workers_) threads.emplace_back([this, &worker = *worker, until = begin + std::chrono::seconds(options_.time_limit_s)] { work(worker, until); });
        for (auto& thread : threads) thread.join();
        phase.wall_ms = std::chrono::duration<double, std::milli>(Steady::now() - begin).count();
        if (late_) throw std::runtime_error("not finished after " + std::to_string(options_.time_limit_s) + " s (--time-limit)");
        for (const auto& worker : workers_) {
            phase.latencies_ms.insert(phase.latencies_ms.end(), worker->latencies_ms.begin(), worker->latencies_ms.end());
            for (const auto& why : worker->failures) phase.failed(why);
            worker->latencies_ms.clear();
            worker->failures.clear();
        }
        return phase;
    }

private:
    using Count = std::uint64_t (EstClient::*)() const noexcept;
    [[nodiscard]] std::uint64_t sum(Count count) const {
        std::uint64_t out = 0;
        for (const auto& worker : workers_) out += (worker->client.*count)();
        return out;
    }
    std::string fresh_name() { return "bench-" + core::hex(random_.bytes(12)); }

    void work(Worker& worker, Steady::time_point until) {
        while (!worker.waiting.empty() && failed_ < options_.max_failures) {
            if (Steady::now() >= until) {
                late_ = true;
                return;
            }
            const EstRequest request = std::move(worker.waiting.back());
            worker.waiting.pop_back();
            try {
                if (const auto done = one(worker, request); !done) fail(worker, done.error().detail);
            } catch (const std::exception& fault) {
                fail(worker, fault.what());
            }
        }
    }
    void fail(Worker& worker, std::string why) {
        ++failed_;
        worker.failures.push_back(std::move(why));
    }
    core::Result<void> one(Worker& worker, const EstRequest& request) {
        const auto begin = Steady::now();
        const auto answer = options_.renew ? worker.client.renew(request) : worker.client.enroll(request);
        const std::chrono::duration<double, std::milli> took = Steady::now() - begin;
        if (!answer) return answer.error();
        auto certificate = open_est_answer(*answer, request);
        if (!certificate) return certificate.error();
        worker.latencies_ms.push_back(took.count());
        if (journal_.kept()) journal_.add(request.name, crypto::Certificate::parse(der_of(*certificate)).value());
        if (options_.renew) worker.client.show(std::move(*certificate), request.key);
        return {};
    }

    const Options& options_;
    Journal journal_;
    crypto::SystemRandom random_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::atomic<bool> late_{false};
    std::atomic<std::size_t> failed_{0};
};

int run(int argc, char** argv) {
    Options o;
    CLI::App app("Closed-loop EST load for an RFC 7030 server on this machine (P-256)", "est_load");
    app.add_option("--url", o.client.url, "the endpoint, https://localhost:PORT/.well-known/est/LABEL")->required();
    app.add_option("--ca", o.client.ca_file, "trust for the server's certificate, PEM")->required();
    app.add_option("--user", o.client.user, "user name of HTTP Basic")->required();
    app.add_option("--password", o.client.password, "its password")->required();
    app.add_option("--enrollments", o.enrollments, "measured enrollments")->check(CLI::PositiveNumber);
    app.add_option("--warmup", o.warmup, "enrollments before the measurement");
    app.add_option("--workers", o.workers, "concurrent devices, each with its own connections")->check(CLI::PositiveNumber);
    app.add_flag("--renew", o.renew, "each a simplereenroll with a fresh key over a new connection, which shows the last certificate");
    app.add_option("--pid", o.pid, "server process whose CPU time and memory are measured");
    app.add_option("--cpu", o.cpu, "core to pin this generator to");
    app.add_option("--journal", o.journal, "file that gets one fsynced line per certificate received");
    app.add_option("--max-failures", o.max_failures, "give up after so many failed enrollments");
    app.add_option("--time-limit", o.time_limit_s, "seconds that one phase may take");
    app.add_flag("--retry", o.retry, "send a request again whose connection was lost or that was answered 503 or 202");
    app.add_option("--retry-for", o.retry_for_s, "seconds that one request is sent again with --retry");
    app.add_flag("--retry-faults", o.client.retry_faults, "with --retry, also one that was answered 500");
    app.add_option("--step-time", o.step_time_s, "seconds to wait for one answer");
    app.add_flag("--json", o.json, "one JSON object instead of text");
    CLI11_PARSE(app, argc, argv);
    if (o.cpu >= 0) pin_to_core(static_cast<unsigned>(o.cpu));
    o.client.step_time = std::chrono::seconds(o.step_time_s);
    if (o.retry) o.client.retry_for = std::chrono::seconds(o.retry_for_s);
    Load load(o);
    load.begin();
    return measure(load, o.warmup, o.enrollments, o.pid).print(o.json) ? 0 : 1;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to connections that a killed server left
    try {
        return postern::bench::run(argc, argv);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "est_load: %s\n", e.what());
        return 1;
    }
}

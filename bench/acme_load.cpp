// Closed-loop ACME load: every worker has its own account and kept connection, and begins the next
// issuance when the last one is in hand. One thread, so that one core's worth of generator faces
// the server.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "bench/acme_issuance.hpp"
#include "bench/closed_loop.hpp"
#include "bench/process_meter.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/system_random.hpp"

namespace postern::bench {
namespace {
namespace asio = boost::asio;
using core::Result;
using Steady = std::chrono::steady_clock;

struct Options {
    std::string directory;
    std::string ca_file;
    std::string suffix = "bench.test";
    std::string journal;
    std::size_t orders = 1000;
    std::size_t warmup = 100;
    std::size_t workers = 16;
    std::uint16_t http01_port = 0;
    pid_t pid = 0;
    int cpu = -1;
    std::size_t max_failures = 20;
    unsigned time_limit_s = 600;
    unsigned retry_for_s = 60;
    unsigned step_time_s = 10;
    bool retry = false;
    bool retry_faults = false;
    bool new_connection_per_order = false;
    bool json = false;
};

class Load {
public:
    explicit Load(const Options& options)
        : options_(options), context_(1), responder_(context_, options.http01_port), journal_(options.journal) {
        AcmeSettings settings;
        settings.directory = options.directory;
        if (!options.ca_file.empty()) settings.ca_pem = read_file(options.ca_file);
        if (options.retry) settings.retry_for = std::chrono::seconds(options.retry_for_s);
        settings.retry_faults = options.retry_faults;
        settings.step_time = std::chrono::seconds(options.step_time_s);
        for (std::size_t i = 0; i < options.workers; ++i)
            clients_.push_back(std::make_unique<AcmeClient>(settings, crypto::PrivateKey::generate(crypto::KeySpec())));
        // Every order has a key of its own (policies refuse a key used twice), made beforehand so
        // that making it is no part of the measured time.
        keys_.reserve(options.orders + options.warmup);
        for (std::size_t i = 0; i < options.orders + options.warmup; ++i)
            keys_.push_back(crypto::PrivateKey::generate(crypto::KeySpec()));
    }

    [[nodiscard]] std::uint16_t http01_port() const noexcept { return responder_.port(); }
    [[nodiscard]] std::uint64_t posts() const {
        std::uint64_t sum = 0;
        for (const auto& client : clients_) sum += client->posts();
        return sum;
    }
    [[nodiscard]] std::uint64_t losses() const {
        std::uint64_t sum = 0;
        for (const auto& client : clients_) sum += client->losses();
        return sum;
    }

    [[nodiscard]] std::uint64_t faults() const {
        std::uint64_t sum = 0;
        for (const auto& client : clients_) sum += client->faults();
        return sum;
    }

    /// Throws std::runtime_error when an account cannot be made.
    void set_up() {
        run_workers(context_, clients_.size(), time_limit(), [this](std::size_t i) { return open_account(*clients_[i]); });
    }
    [[nodiscard]] Phase run(std::size_t orders) {
        Phase phase(orders);
        const auto begin = Steady::now();
        run_workers(context_, clients_.size(), time_limit(), [this, &phase](std::size_t i) { return work(*clients_[i], phase); });
        phase.wall_ms = std::chrono::duration<double, std::milli>(Steady::now() - begin).count();
        return phase;
    }

private:
    [[nodiscard]] std::chrono::seconds time_limit() const { return std::chrono::seconds(options_.time_limit_s); }
    static std::string read_file(const std::string& path) {
        std::ifstream in(path);
        if (!in) throw std::runtime_error("cannot read " + path);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }

    static core::Task<void> open_account(AcmeClient& client) {
        auto done = co_await client.open();
        if (done) done = co_await client.register_account();
        if (!done) throw std::runtime_error("cannot make an account: " + done.error().detail);
    }

    core::Task<void> work(AcmeClient& client, Phase& phase) {
        while (phase.begun < phase.wanted && phase.failures < options_.max_failures) {
            ++phase.begun;
            const crypto::PrivateKey key = std::move(keys_.back());
            keys_.pop_back();
            auto name = core::hex(random_.bytes(8)) + "." + options_.suffix;
            const auto begin = Steady::now();
            const auto issuance = co_await obtain_certificate(client, responder_, std::move(name), key);
            const std::chrono::duration<double, std::milli> took = Steady::now() - begin;
            if (issuance) {
                phase.latencies_ms.push_back(took.count());
                journal_.add(issuance->order.url, issuance->leaf);
            } else {
                phase.failed(issuance.error().detail);
            }
            if (options_.new_connection_per_order) client.disconnect();
        }
    }

    const Options& options_;
    asio::io_context context_;
    Http01Responder responder_;
    Journal journal_;
    crypto::SystemRandom random_;
    std::vector<std::unique_ptr<AcmeClient>> clients_;
    std::vector<crypto::PrivateKey> keys_;
};

int run(int argc, char** argv) {
    Options o;
    CLI::App app("Closed-loop ACME load for an RFC 8555 server on this machine (http-01, P-256)", "acme_load");
    app.add_option("--directory", o.directory, "URL of the ACME directory")->required();
    app.add_option("--ca", o.ca_file, "PEM that the server's TLS certificate chains to; not verified without it");
    app.add_option("--orders", o.orders, "measured issuances");
    app.add_option("--warmup", o.warmup, "issuances before the measurement");
    app.add_option("--workers,--accounts", o.workers, "workers, each with its own account and connection");
    app.add_option("--suffix", o.suffix, "names are RANDOM.SUFFIX");
    app.add_option("--http01-port", o.http01_port, "port on 127.0.0.1 that answers the http-01 probes");
    app.add_option("--pid", o.pid, "server process whose CPU time and memory are measured");
    app.add_option("--cpu", o.cpu, "core to pin this generator to");
    app.add_option("--journal", o.journal, "file that gets one fsynced line per certificate received");
    app.add_option("--max-failures", o.max_failures, "give up after so many failed issuances");
    app.add_option("--time-limit", o.time_limit_s, "seconds that one phase may take");
    app.add_flag("--new-connection-per-order", o.new_connection_per_order, "dial anew for every order");
    app.add_flag("--retry", o.retry, "repeat a step whose connection was lost or that was answered 503");
    app.add_option("--retry-for", o.retry_for_s, "seconds that one step is repeated with --retry");
    app.add_flag("--retry-faults", o.retry_faults, "with --retry, also a step that was answered 500");
    app.add_option("--step-time", o.step_time_s, "seconds to wait for one answer");
    app.add_flag("--json", o.json, "one JSON object instead of text");
    CLI11_PARSE(app, argc, argv);
    if (o.workers == 0 || o.orders == 0) throw std::runtime_error("--workers and --orders must be at least 1");
    if (o.cpu >= 0) pin_to_core(static_cast<unsigned>(o.cpu));
    Load load(o);
    load.set_up();
    return measure(load, o.warmup, o.orders, o.pid).print(o.json) ? 0 : 1;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
    try {
        return postern::bench::run(argc, argv);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "acme_load: %s\n", e.what());
        return 1;
    }
}

// Closed-loop ACME load: every worker has its own account and kept connection, and begins the next
// issuance when the last one is in hand. One thread, so that one core's worth of generator faces
// the server.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <system_error>

#include "bench/acme_issuance.hpp"
#include "bench/process_meter.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/system_random.hpp"
#include "core/json/writer.hpp"

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

/// One line per certificate in hand, on disk before the next step: what a kill of the server must
/// not lose. "ORDER-URL SERIAL-HEX SHA256-OF-THE-LEAF".
class Journal {
public:
    explicit Journal(const std::string& path) {
        if (path.empty()) return;
        fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot open the journal " + path);
    }
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;
    ~Journal() {
        if (fd_ >= 0) ::close(fd_);
    }
    void add(const Issuance& issuance) const {
        if (fd_ < 0) return;
        const auto digest = crypto::sha256(issuance.chain.front());
        const auto line = issuance.order.url + " " + core::hex(issuance.leaf.serial()) + " " + core::hex(digest) + "\n";
        if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size()) || ::fsync(fd_) != 0)
            throw std::system_error(errno, std::generic_category(), "cannot write the journal");
    }

private:
    int fd_ = -1;
};

struct Phase {
    Phase() = default;
    std::size_t orders = 0;
    std::size_t begun = 0;
    std::vector<double> latencies_ms;
    std::size_t failures = 0;
    std::vector<std::string> failure_texts;  ///< the first few
    double wall_ms = 0;
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
        run_all([this](std::size_t i) { return open_account(*clients_[i]); });
    }
    [[nodiscard]] Phase run(std::size_t orders) {
        Phase phase;
        phase.orders = orders;
        phase.latencies_ms.reserve(orders);
        const auto begin = Steady::now();
        run_all([this, &phase](std::size_t i) { return work(*clients_[i], phase); });
        phase.wall_ms = std::chrono::duration<double, std::milli>(Steady::now() - begin).count();
        return phase;
    }

private:
    static std::string read_file(const std::string& path) {
        std::ifstream in(path);
        if (!in) throw std::runtime_error("cannot read " + path);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }

    /// One coroutine a worker; returns when the last has ended. The responder stays for the next.
    template <class Make>
    void run_all(Make make) {
        std::size_t running = clients_.size();
        std::exception_ptr fault;
        for (std::size_t i = 0; i < clients_.size(); ++i)
            asio::co_spawn(context_, make(i), [&](std::exception_ptr e) {
                if (e && !fault) fault = e;
                if (--running == 0 || fault) context_.stop();
            });
        asio::steady_timer limit(context_, std::chrono::seconds(options_.time_limit_s));
        bool late = false;
        limit.async_wait([&](boost::system::error_code e) {
            if (e) return;
            late = true;
            context_.stop();
        });
        context_.restart();
        context_.run();
        if (fault) std::rethrow_exception(fault);
        if (late)
            throw std::runtime_error("not finished after " + std::to_string(options_.time_limit_s) +
                                     " s (--time-limit); " + std::to_string(running) + " workers were waiting");
    }

    static core::Task<void> open_account(AcmeClient& client) {
        auto done = co_await client.open();
        if (done) done = co_await client.register_account();
        if (!done) throw std::runtime_error("cannot make an account: " + done.error().detail);
    }

    core::Task<void> work(AcmeClient& client, Phase& phase) {
        while (phase.begun < phase.orders && phase.failures < options_.max_failures) {
            ++phase.begun;
            const crypto::PrivateKey key = std::move(keys_.back());
            keys_.pop_back();
            auto name = core::hex(random_.bytes(8)) + "." + options_.suffix;
            const auto begin = Steady::now();
            const auto issuance = co_await obtain_certificate(client, responder_, std::move(name), key);
            const std::chrono::duration<double, std::milli> took = Steady::now() - begin;
            if (issuance) {
                phase.latencies_ms.push_back(took.count());
                journal_.add(*issuance);
            } else {
                ++phase.failures;
                if (phase.failure_texts.size() < 5) phase.failure_texts.push_back(issuance.error().detail);
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

/// Nearest rank; 0 of nothing.
double percentile(const std::vector<double>& sorted, double p) {
    if (sorted.empty()) return 0;
    const auto rank = static_cast<std::size_t>(p / 100.0 * static_cast<double>(sorted.size() - 1) + 0.5);
    return sorted[rank];
}

struct Report {
    Report() = default;
    std::size_t issued = 0, failures = 0;
    std::uint64_t losses = 0, faults = 0, peak_kib = 0;
    double rate = 0, posts_each = 0, cpu_each_ms = 0, p50 = 0, p95 = 0, p99 = 0;
};

Report measure(const Options& options, Load& load, std::vector<std::string>& failure_texts) {
    load.set_up();
    Report report;
    if (options.warmup > 0) {
        const Phase warm = load.run(options.warmup);
        report.failures += warm.failures;
        failure_texts = warm.failure_texts;
    }
    const auto posts = load.posts();
    const double cpu = options.pid != 0 ? cpu_ms(options.pid) : 0;
    Phase phase = load.run(options.orders);
    const double cpu_used = options.pid != 0 ? cpu_ms(options.pid) - cpu : 0;
    if (options.pid != 0) report.peak_kib = peak_memory_kib(options.pid);
    failure_texts.insert(failure_texts.end(), phase.failure_texts.begin(), phase.failure_texts.end());
    std::sort(phase.latencies_ms.begin(), phase.latencies_ms.end());
    report.issued = phase.latencies_ms.size();
    report.failures += phase.failures;
    report.losses = load.losses();
    report.faults = load.faults();
    const double each = report.issued == 0 ? 1 : static_cast<double>(report.issued);
    report.rate = static_cast<double>(report.issued) * 1000.0 / phase.wall_ms;
    report.posts_each = static_cast<double>(load.posts() - posts) / each;
    report.cpu_each_ms = cpu_used / each;
    report.p50 = percentile(phase.latencies_ms, 50);
    report.p95 = percentile(phase.latencies_ms, 95);
    report.p99 = percentile(phase.latencies_ms, 99);
    return report;
}

void print(const Options& options, const Report& r) {
    if (options.json) {
        json::Writer out;
        out.begin_object().member("issued", static_cast<std::int64_t>(r.issued));
        out.member("failures", static_cast<std::int64_t>(r.failures));
        out.member("lost_exchanges", static_cast<std::int64_t>(r.losses));
        out.member("answered_500", static_cast<std::int64_t>(r.faults));
        out.key("issuances_per_s").number(r.rate).key("posts_each").number(r.posts_each);
        out.key("server_cpu_ms_each").number(r.cpu_each_ms);
        out.key("p50_ms").number(r.p50).key("p95_ms").number(r.p95).key("p99_ms").number(r.p99);
        out.member("peak_rss_kib", static_cast<std::int64_t>(r.peak_kib));
        std::printf("%s\n", out.end_object().take().c_str());
        return;
    }
    std::printf("issued %zu, failures %zu, lost exchanges %llu, answered 500 %llu\n", r.issued, r.failures,
                static_cast<unsigned long long>(r.losses), static_cast<unsigned long long>(r.faults));
    std::printf("%.0f issuances/s, %.2f POSTs each, p50 %.1f / p95 %.1f / p99 %.1f ms\n", r.rate, r.posts_each, r.p50,
                r.p95, r.p99);
    if (options.pid != 0)
        std::printf("server: %.2f CPU ms each, peak %.1f MB\n", r.cpu_each_ms, static_cast<double>(r.peak_kib) / 1024);
}

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
    std::vector<std::string> failure_texts;
    const Report report = measure(o, load, failure_texts);
    print(o, report);
    for (const auto& text : failure_texts) std::fprintf(stderr, "failed: %s\n", text.c_str());
    return report.failures == 0 && report.issued == o.orders ? 0 : 1;
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

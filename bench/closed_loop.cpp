#include "bench/closed_loop.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "bench/process_meter.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/json/writer.hpp"

namespace postern::bench {

Journal::Journal(const std::string& path) {
    if (path.empty()) return;
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot open the journal " + path);
}
Journal::~Journal() {
    if (fd_ >= 0) ::close(fd_);
}
void Journal::add(const std::string& request, const crypto::Certificate& leaf) const {
    if (fd_ < 0) return;
    const auto line = request + " " + core::hex(leaf.serial()) + " " + core::hex(crypto::sha256(leaf.der())) + "\n";
    if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size()) || ::fsync(fd_) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot write the journal");
}

void Phase::failed(const std::string& why) {
    ++failures;
    if (failure_texts.size() < 5) failure_texts.push_back(why);
}

double percentile(const std::vector<double>& sorted, double p) {
    if (sorted.empty()) return 0;
    return sorted[static_cast<std::size_t>(p / 100.0 * static_cast<double>(sorted.size() - 1) + 0.5)];
}

Used::Used(pid_t pid) {
    if (pid == 0) return;
    cpu_ms = bench::cpu_ms(pid);
    peak_kib = peak_memory_kib(pid);
}

Report report_of(Phase warm, Phase measured, double cpu_ms) {
    Report out;
    std::ranges::sort(measured.latencies_ms);
    out.wanted = measured.wanted;
    out.issued = measured.latencies_ms.size();
    out.failures = warm.failures + measured.failures;
    out.failure_texts = std::move(warm.failure_texts);
    out.failure_texts.insert(out.failure_texts.end(), measured.failure_texts.begin(), measured.failure_texts.end());
    const double issued = out.issued == 0 ? 1 : static_cast<double>(out.issued);
    out.rate = static_cast<double>(out.issued) * 1000.0 / measured.wall_ms;
    out.cpu_each_ms = cpu_ms / issued;
    out.p50 = percentile(measured.latencies_ms, 50);
    out.p95 = percentile(measured.latencies_ms, 95);
    out.p99 = percentile(measured.latencies_ms, 99);
    return out;
}

bool Report::print(bool json) const {
    if (json) {
        json::Writer out;
        out.begin_object().member("issued", static_cast<std::int64_t>(issued));
        out.member("failures", static_cast<std::int64_t>(failures));
        out.member("lost_exchanges", static_cast<std::int64_t>(losses));
        out.member("answered_500", static_cast<std::int64_t>(faults));
        out.key("issuances_per_s").number(rate).key("posts_each").number(posts_each);
        out.key("server_cpu_ms_each").number(cpu_each_ms);
        out.key("p50_ms").number(p50).key("p95_ms").number(p95).key("p99_ms").number(p99);
        out.member("peak_rss_kib", static_cast<std::int64_t>(peak_kib));
        std::printf("%s\n", out.end_object().take().c_str());
    } else {
        std::printf("issued %zu, failures %zu, lost exchanges %llu, answered 500 %llu\n", issued, failures, static_cast<unsigned long long>(losses),
                    static_cast<unsigned long long>(faults));
        std::printf("%.0f issuances/s, %.2f POSTs each, p50 %.1f / p95 %.1f / p99 %.1f ms\n", rate, posts_each, p50, p95, p99);
        if (peak_kib != 0) std::printf("server: %.2f CPU ms each, peak %.1f MB\n", cpu_each_ms, static_cast<double>(peak_kib) / 1024);
    }
    for (const auto& text : failure_texts) std::fprintf(stderr, "failed: %s\n", text.c_str());
    return failures == 0 && issued == wanted;
}

}  // namespace postern::bench

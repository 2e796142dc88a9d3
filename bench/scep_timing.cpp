// S13 of the threat model: whether the time of a refused message tells why it was refused. Opens messages whose
// RSA padding, content key or content is wrong, and intact ones that somebody else captured and signed, in random
// order, and compares each two kinds by Welch's t-test. A fifth kind, whose CSR is read and verified before it is
// refused, must be told apart: else the measurement is too coarse to say anything.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <stdexcept>

#include "bench/process_meter.hpp"
#include "bench/scep_parts.hpp"
#include "bench/timing.hpp"
#include "core/crypto/system_random.hpp"

namespace postern::bench {
namespace {

constexpr double limit = 4.5;
constexpr std::size_t variants = 64;  ///< messages of each kind, so that no single number decides

enum class Kind { padding, key, content, captured, own };
constexpr std::size_t kinds = 5;
constexpr std::array<const char*, kinds> names{"padding", "key", "content", "captured", "own CSR"};

/// Where the 256 octets of the encrypted key stand in an envelope made here.
std::size_t key_at(const core::Bytes& envelope) {
    const std::array<std::uint8_t, 4> head{0x04, 0x82, 0x01, 0x00};
    const auto found = std::ranges::search(envelope, head);
    if (found.empty()) throw std::logic_error("the envelope has no key of 256 octets");
    return static_cast<std::size_t>(found.end() - envelope.begin());
}

class Letters {
public:
    explicit Letters(core::Random& random)
        : random_(random),
          ra_(self_signed(crypto::PrivateKey::generate(crypto::KeySpec(crypto::KeyType::rsa, 2048)), "ra", random)),
          device_(self_signed(crypto::PrivateKey::generate(crypto::KeySpec(crypto::KeyType::rsa, 2048)), "device", random)),
          thief_(self_signed(crypto::PrivateKey::generate(crypto::KeySpec(crypto::KeyType::rsa, 2048)), "thief", random)),
          csr_(crypto::make_csr(device_.key, common_name("device"), {})),
          own_csr_(crypto::make_csr(thief_.key, common_name("device"), {})) {
        own_csr_.back() ^= 1U;  // its signature
    }

    [[nodiscard]] const crypto::CmsIdentity& ra() const { return ra_; }
    [[nodiscard]] scep::Request make(Kind kind) const {
        core::Bytes envelope = seal(csr_);
        const auto at = static_cast<std::ptrdiff_t>(key_at(envelope));
        switch (kind) {
            case Kind::padding: {  // a number below the modulus that was never encrypted
                core::Bytes number = random_.bytes(256);
                number[0] &= 0x3fU;
                std::ranges::copy(number, envelope.begin() + at);
                break;
            }
            case Kind::key: {  // another message's key, rightly padded
                const core::Bytes other = seal(csr_);
                std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(key_at(other)), 256, envelope.begin() + at);
                break;
            }
            case Kind::content:  // the right key; the last block, and so the padding, is another
                envelope.back() ^= 0x55U;
                break;
            case Kind::captured: break;
            case Kind::own: envelope = seal(own_csr_); break;
        }
        const auto received = scep::Received::read(pkcs_req(envelope, thief_, random_));
        auto request = scep::Request::verify(received.value(), policy_);
        return std::move(request.value());
    }
    /// Nanoseconds of CPU until it is refused.
    double open(const scep::Request& request) const {
        const auto begin = ThreadCpuClock::now();
        const auto opened = scep::open(request, std::span(&ra_, 1), scep::SignerStanding::stranger, policy_, random_);
        const auto took = ThreadCpuClock::now() - begin;
        if (opened) throw std::logic_error("a wrong message was opened");
        return static_cast<double>(took.count());
    }

private:
    [[nodiscard]] core::Bytes seal(const core::Bytes& csr) const { return crypto::cms_envelope(csr, party_of(ra_), crypto::CmsCipher::aes128_cbc, random_); }

    core::Random& random_;
    scep::MessagePolicy policy_;
    crypto::CmsIdentity ra_, device_, thief_;
    core::Bytes csr_, own_csr_;
};

struct Moments {
    double mean = 0, variance = 0, count = 0;
};
/// Of what is not above `most`: interruptions are not the message's.
Moments moments(const std::vector<double>& values, double most) {
    Moments out;
    double squares = 0;  // Welford's
    for (const double value : values) {
        if (value > most) continue;
        out.count += 1;
        const double delta = value - out.mean;
        out.mean += delta / out.count;
        squares += delta * (value - out.mean);
    }
    out.variance = squares / (out.count - 1);
    return out;
}
double welch_t(const Moments& a, const Moments& b) {
    return std::abs(a.mean - b.mean) / std::sqrt(a.variance / a.count + b.variance / b.count);
}

int run(std::size_t tries, unsigned core) {
    pin_to_core(core);
    crypto::SystemRandom random;
    const Letters letters(random);
    std::array<std::vector<scep::Request>, kinds> requests;
    for (std::size_t kind = 0; kind < kinds; ++kind)
        for (std::size_t i = 0; i < variants; ++i) requests[kind].push_back(letters.make(static_cast<Kind>(kind)));

    std::vector<std::uint8_t> order(kinds * tries);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint8_t>(i % kinds);
    std::mt19937_64 shuffle(std::random_device{}());
    std::ranges::shuffle(order, shuffle);
    for (std::size_t i = 0; i < 500; ++i) letters.open(requests[i % kinds][0]);  // caches, blinding
    std::array<std::vector<double>, kinds> times;
    for (auto& each : times) each.reserve(tries);
    for (const auto kind : order) times[kind].push_back(letters.open(requests[kind][shuffle() % variants]));

    std::vector<double> all;
    for (const auto& each : times) all.insert(all.end(), each.begin(), each.end());
    std::ranges::sort(all);
    const double most = all[all.size() * 99 / 100];
    std::printf("%zu messages of each kind; Welch's t must stay below %.1f\n%-10s %12s %12s\n", tries, limit, "wrong", "mean us", "deviation us");
    for (std::size_t kind = 0; kind < kinds; ++kind) {
        const Moments m = moments(times[kind], most);
        std::printf("%-10s %12.3f %12.3f\n", names[kind], m.mean / 1000, std::sqrt(m.variance) / 1000);
    }
    double largest = 0;
    double control = std::numeric_limits<double>::infinity();
    std::printf("%-22s %12s %24s\n", "pair", "t, all", "t, without slowest 1 %");
    for (std::size_t a = 0; a < kinds; ++a)
        for (std::size_t b = a + 1; b < kinds; ++b) {
            const double raw = welch_t(moments(times[a], all.back()), moments(times[b], all.back()));
            const double cropped = welch_t(moments(times[a], most), moments(times[b], most));
            std::printf("%-22s %12.2f %24.2f\n", (std::string(names[a]) + " / " + names[b]).c_str(), raw, cropped);
            if (static_cast<Kind>(b) == Kind::own)
                control = std::min(control, cropped);
            else
                largest = std::max({largest, raw, cropped});
        }
    if (control < limit) {
        std::printf("the measurement is too coarse: it does not see a signature's verification; take more tries\n");
        return 1;
    }
    const bool told_apart = !(largest < limit);
    std::printf("they %s be told apart: the largest t is %.2f\n", told_apart ? "can" : "cannot", largest);
    return told_apart ? 1 : 0;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
    CLI::App options("Whether the time of a refused SCEP message tells why it was refused");
    std::size_t tries = 100'000;
    unsigned core = 0;
    options.add_option("--tries", tries, "messages of each kind")->check(CLI::Range(100UL, 10'000'000UL));
    options.add_option("--cpu", core, "the core to run on");
    CLI11_PARSE(options, argc, argv);
    try {
        return postern::bench::run(tries, core);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "scep_timing: %s\n", e.what());
        return 2;
    }
}

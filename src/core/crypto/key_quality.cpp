#include "core/crypto/key_quality.hpp"

#include <openssl/bn.h>

#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "core/crypto/handles.hpp"

namespace postern::crypto {
namespace {

using NumberPtr = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using ContextPtr = std::unique_ptr<BN_CTX, Deleter<BN_CTX_free>>;

constexpr unsigned largest_factor = 751;  // CA/Browser Forum, BR 6.1.6
constexpr int fermat_rounds = 100;        // BR 6.1.1.3

constexpr bool is_prime(unsigned n) {
    for (unsigned d = 2; d * d <= n; ++d)
        if (n % d == 0) return false;
    return n > 1;
}
constexpr std::size_t count_odd_primes(unsigned last) {
    std::size_t count = 0;
    for (unsigned n = 3; n <= last; n += 2) count += is_prime(n) ? 1 : 0;
    return count;
}
constexpr auto odd_primes = [] {
    std::array<unsigned, count_odd_primes(largest_factor)> out{};
    std::size_t at = 0;
    for (unsigned n = 3; n <= largest_factor; n += 2)
        if (is_prime(n)) out[at++] = n;
    return out;
}();

void must(bool done, const char* what) {
    if (!done) fail(what);
}

/// Residues by every odd prime of the list, at one long division for as many primes as fit 32 bits:
/// BN_mod_word is twice as fast up to there.
std::array<unsigned, odd_primes.size()> residues(const BIGNUM* n) {
    std::array<unsigned, odd_primes.size()> out{};
    for (std::size_t from = 0; from < odd_primes.size();) {
        std::uint64_t product = 1;
        std::size_t to = from;
        while (to < odd_primes.size() && product * odd_primes[to] < (std::uint64_t{1} << 32)) product *= odd_primes[to++];
        const auto rest = ::BN_mod_word(n, product);
        must(rest != static_cast<BN_ULONG>(-1), "BN_mod_word");
        for (; from < to; ++from) out[from] = static_cast<unsigned>(rest % odd_primes[from]);
    }
    return out;
}

/// Infineon's primes are k·M + 65537^a mod M with M a primorial of 167# or more, so that the modulus
/// is a power of 65537 by every prime up to 167, with one exponent for all.
class RocaFingerprint {
public:
    constexpr RocaFingerprint() {
        for (std::size_t i = 0; i < primes; ++i) {
            const unsigned p = odd_primes[i];
            for (auto& e : exponents_[i]) e = none;
            unsigned power = 1, exponent = 0;
            do {
                exponents_[i][power] = static_cast<std::uint8_t>(exponent++);
                power = power * (65537U % p) % p;
            } while (power != 1);
            orders_[i] = exponent;
        }
    }
    [[nodiscard]] bool matches(const std::array<unsigned, odd_primes.size()>& rest) const {
        // One by one first: half of all good keys are told apart by the first two primes of small order.
        for (std::size_t i = 0; i < primes; ++i)
            if (exponents_[i][rest[i]] == none) return false;
        for (std::size_t i = 0; i < primes; ++i)
            for (std::size_t k = 0; k < i; ++k) {
                const unsigned common = std::gcd(orders_[i], orders_[k]);
                if (exponents_[i][rest[i]] % common != exponents_[k][rest[k]] % common) return false;
            }
        return true;
    }

private:
    static constexpr unsigned largest = 167;
    static constexpr std::size_t primes = count_odd_primes(largest);
    static constexpr std::uint8_t none = 255;  // orders are at most 166
    std::array<std::array<std::uint8_t, largest + 1>, primes> exponents_{};
    std::array<unsigned, primes> orders_{};
};
constexpr RocaFingerprint roca;

/// Of all numbers, 0.24 % are squares by each of these; the others need no root.
constexpr std::array<unsigned, 8> sieve{64, 9, 5, 7, 11, 13, 17, 19};
constexpr auto square_residues = [] {
    std::array<std::array<bool, 64>, sieve.size()> out{};
    for (std::size_t i = 0; i < sieve.size(); ++i)
        for (unsigned n = 0; n < sieve[i]; ++n) out[i][n * n % sieve[i]] = true;
    return out;
}();

class Fermat {
public:
    Fermat() : context_(::BN_CTX_new()) { must(context_ != nullptr, "BN_CTX_new"); }

    /// n = a² - b² for one of the first rounds' a: then a - b divides n.
    bool splits(const BIGNUM* n) {
        NumberPtr a(root(n)), step(::BN_new()), square(::BN_new());
        must(step && square, "BN_new");
        must(::BN_sqr(square.get(), a.get(), context_.get()) == 1, "BN_sqr");
        if (::BN_cmp(square.get(), n) < 0) {
            must(::BN_add_word(a.get(), 1) == 1 && ::BN_sqr(square.get(), a.get(), context_.get()) == 1, "BN_sqr");
        }
        must(::BN_sub(square.get(), square.get(), n) == 1, "BN_sub");
        must(::BN_lshift1(step.get(), a.get()) == 1 && ::BN_add_word(step.get(), 1) == 1, "BN_lshift1");
        for (int round = 0; round < fermat_rounds; ++round) {
            if (is_square(square.get())) return true;
            // (a + 1)² = a² + (2a + 1)
            must(::BN_add(square.get(), square.get(), step.get()) == 1 && ::BN_add_word(step.get(), 2) == 1, "BN_add");
        }
        return false;
    }

private:
    /// The largest r with r² ≤ n, which is not 0, by Newton's method from above, which falls until it is there.
    NumberPtr root(const BIGNUM* n) {
        NumberPtr r(::BN_new()), next(::BN_new()), top(::BN_new());
        must(r && next && top, "BN_new");
        const int bits = ::BN_num_bits(n);
        const int shift = bits > 60 ? (bits - 60 + 1) / 2 * 2 : 0;
        must(::BN_rshift(top.get(), n, shift) == 1, "BN_rshift");
        const auto guess = static_cast<BN_ULONG>(std::sqrt(static_cast<double>(::BN_get_word(top.get())))) + 2;
        must(::BN_set_word(r.get(), guess) == 1 && ::BN_lshift(r.get(), r.get(), shift / 2) == 1, "BN_lshift");
        for (;;) {
            must(::BN_div(next.get(), nullptr, n, r.get(), context_.get()) == 1, "BN_div");
            must(::BN_add(next.get(), next.get(), r.get()) == 1 && ::BN_rshift1(next.get(), next.get()) == 1, "BN_add");
            if (::BN_cmp(next.get(), r.get()) >= 0) return r;
            std::swap(next, r);
        }
    }
    bool is_square(const BIGNUM* n) {
        if (BN_is_zero(n) != 0) return true;
        constexpr auto product = std::accumulate(sieve.begin(), sieve.end(), std::uint64_t{1}, std::multiplies<>());
        static_assert(product < (std::uint64_t{1} << 32));
        const auto rest = ::BN_mod_word(n, product);
        for (std::size_t i = 0; i < sieve.size(); ++i)
            if (!square_residues[i][rest % sieve[i]]) return false;
        const auto r = root(n);
        NumberPtr back(::BN_new());
        must(back && ::BN_sqr(back.get(), r.get(), context_.get()) == 1, "BN_sqr");
        return ::BN_cmp(back.get(), n) == 0;
    }
    ContextPtr context_;
};

}  // namespace

std::optional<KeyWeakness> rsa_weakness(core::BytesView modulus) {
    const NumberPtr n(::BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
    must(n != nullptr, "BN_bin2bn");
    if (BN_is_odd(n.get()) == 0) return KeyWeakness(check_small_factor, "the RSA modulus is even; make a new key");
    const auto rest = residues(n.get());
    for (std::size_t i = 0; i < rest.size(); ++i)
        if (rest[i] == 0)
            return KeyWeakness(check_small_factor, "the RSA modulus has the factor " + std::to_string(odd_primes[i]) +
                                                       ", so the key is broken; make a new one with another generator");
    if (roca.matches(rest))
        return KeyWeakness(check_roca, "the RSA key comes from a generator whose keys can be factored (ROCA, CVE-2017-15361); "
                                       "update the token's or TPM's firmware and make a new key, or make it in software");
    thread_local Fermat fermat;
    if (fermat.splits(n.get()))
        return KeyWeakness(check_fermat, "the RSA key's two primes are so close together that anybody can find them (Fermat's "
                                         "factorization, CVE-2022-26320); make a new key with another generator");
    return std::nullopt;
}

}  // namespace postern::crypto

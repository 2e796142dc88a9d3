#include <openssl/err.h>

#include <algorithm>
#include <stdexcept>

#include "core/crypto/curves.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/fetched.hpp"
#include "core/crypto/handles.hpp"
#include "core/crypto/jwk.hpp"
#include "core/crypto/key.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;

/// X.509 lets any hash go with any curve (RFC 5758 §3.2); JOSE does not, see fits().
bool same_family(SignatureAlgorithm a, KeyType type) {
    switch (a) {
        case SignatureAlgorithm::ecdsa_sha256:
        case SignatureAlgorithm::ecdsa_sha384:
        case SignatureAlgorithm::ecdsa_sha512: return curve_of(type) != nullptr;
        case SignatureAlgorithm::ed25519: return type == KeyType::ed25519;
        case SignatureAlgorithm::rsa_sha256:
        case SignatureAlgorithm::rsa_sha384:
        case SignatureAlgorithm::rsa_sha512: return type == KeyType::rsa;
    }
    return false;
}

/// 0 < value < n; both are big-endian and of the curve's width.
bool in_range(BytesView value, const Curve& curve) {
    return std::ranges::any_of(value, [](std::uint8_t octet) { return octet != 0; }) &&
           std::ranges::lexicographical_compare(value, curve.order);
}

/// Ecdsa-Sig-Value of RFC 3279 §2.2.3, or nothing when a number is out of range (J04,
/// CVE-2022-21449).
std::optional<Bytes> ecdsa_der(BytesView r, BytesView s, const Curve& curve) {
    if (!in_range(r, curve) || !in_range(s, curve)) return std::nullopt;
    der::Writer out;
    out.begin(der::sequence).unsigned_integer(r).unsigned_integer(s).end();
    return out.take();
}

/// How R and S can have lost leading zero octets, at most one each: counts taken from R, then S.
struct Loss {
    std::size_t from_r;
    std::size_t from_s;
};
constexpr std::array<Loss, 1> complete{{{0, 0}}};
constexpr std::array<Loss, 2> one_short{{{1, 0}, {0, 1}}};
constexpr std::array<Loss, 1> two_short{{{1, 1}}};

/// RFC 7518 §3.4 wants both numbers at full width; Apple's ACME client drops leading zeros.
std::span<const Loss> losses(std::size_t deficit) {
    switch (deficit) {
        case 0: return complete;
        case 1: return one_short;
        case 2: return two_short;
        default: return {};
    }
}

Bytes padded(BytesView value, std::size_t width) {
    Bytes out(width - value.size());
    out.insert(out.end(), value.begin(), value.end());
    return out;
}

}  // namespace

bool PublicKey::verify(SignatureAlgorithm a, BytesView data, BytesView signature) const {
    if (!key_ || !same_family(a, type_)) return false;
    const MdCtxPtr context(::EVP_MD_CTX_new());
    if (!context) fail("EVP_MD_CTX_new");
    const bool good =
        ::EVP_DigestVerifyInit(context.get(), nullptr, hash_method(a), nullptr, key_.get()) == 1 &&
        ::EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
    // A wrong signature leaves its reasons behind; the TLS layer must not find them.
    if (!good) ::ERR_clear_error();
    return good;
}

bool PublicKey::verify_jose(SignatureAlgorithm a, BytesView data, BytesView signature) const {
    if (!key_ || !fits(a, *this)) return false;
    const Curve* curve = curve_of(type_);
    if (curve == nullptr) return verify(a, data, signature);
    if (signature.size() > 2 * curve->width) return false;
    for (const Loss& loss : losses(2 * curve->width - signature.size())) {
        const std::size_t r_size = curve->width - loss.from_r;
        const auto encoded = ecdsa_der(padded(signature.first(r_size), curve->width),
                                       padded(signature.subspan(r_size), curve->width), *curve);
        if (encoded && verify(a, data, *encoded)) return true;
    }
    return false;
}

core::Bytes PrivateKey::sign(SignatureAlgorithm a, BytesView data) const {
    if (!key_ || !same_family(a, public_.type())) throw std::invalid_argument("the signature algorithm does not fit the key");
    const MdCtxPtr context(::EVP_MD_CTX_new());
    if (!context || ::EVP_DigestSignInit(context.get(), nullptr, hash_method(a), nullptr, key_.get()) != 1)
        fail("EVP_DigestSignInit");
    Bytes out(static_cast<std::size_t>(::EVP_PKEY_get_size(key_.get())));
    std::size_t size = out.size();
    if (::EVP_DigestSign(context.get(), out.data(), &size, data.data(), data.size()) != 1) fail("EVP_DigestSign");
    out.resize(size);
    return out;
}

core::Bytes PrivateKey::sign_jose(SignatureAlgorithm a, BytesView data) const {
    if (!fits(a, public_)) throw std::invalid_argument("the JOSE algorithm does not fit the key");
    const Bytes signature = sign(a, data);
    const Curve* curve = curve_of(public_.type());
    if (curve == nullptr) return signature;
    der::Reader outer(signature);
    const auto sequence = outer.next(der::sequence);
    der::Reader numbers(sequence.value().content);
    Bytes out;
    for (int i = 0; i < 2; ++i) {
        const auto number = numbers.next(der::integer);
        const Bytes full = padded(der::unsigned_magnitude(number.value()).value(), curve->width);
        out.insert(out.end(), full.begin(), full.end());
    }
    return out;
}

}  // namespace postern::crypto

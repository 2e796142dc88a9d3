#include <openssl/core_names.h>
#include <openssl/err.h>

#include <algorithm>
#include <bit>
#include <map>

#include "core/crypto/curves.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/handles.hpp"
#include "core/crypto/key.hpp"
#include "core/crypto/key_quality.hpp"
#include "core/crypto/rsa_numbers.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;

Problem bad(std::string detail) { return {ProblemKind::bad_public_key, std::move(detail)}; }

constexpr std::string_view oid_ec = "1.2.840.10045.2.1";
constexpr std::string_view oid_rsa = "1.2.840.113549.1.1.1";
constexpr std::string_view oid_rsa_pss = "1.2.840.113549.1.1.10";
constexpr std::string_view oid_ed25519 = "1.3.101.112";
constexpr std::string_view supported = "supported are RSA, EC P-256, P-384 and P-521, and Ed25519";

constexpr std::array<std::uint8_t, 12> ed25519_prefix{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::array<std::uint8_t, 15> rsa_algorithm{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                     0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

/// Looks the key manager up once a thread and algorithm: that look-up is a good part of a load.
EVP_PKEY_CTX* loader(PkeyCtxPtr& context, const char* algorithm) {
    if (!context) context.reset(::EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
    if (!context || ::EVP_PKEY_fromdata_init(context.get()) != 1) fail("EVP_PKEY_fromdata_init");
    return context.get();
}

/// Null, with an empty error queue, when the library refuses the values.
std::shared_ptr<EVP_PKEY> load(EVP_PKEY_CTX* context, OSSL_PARAM* parameters) {
    EVP_PKEY* key = nullptr;
    if (::EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        ::EVP_PKEY_free(key);
        ::ERR_clear_error();
        return nullptr;
    }
    return {key, [](EVP_PKEY* p) { ::EVP_PKEY_free(p); }};
}

/// A key that is a curve and nothing else, made once a thread: to make the curve anew is two thirds of loading a point of it.
EVP_PKEY* group_of(const Curve& curve) {
    thread_local std::map<KeyType, PkeyPtr> made;
    auto& group = made[curve.type];
    if (group) return group.get();
    OSSL_PARAM parameters[] = {::OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(curve.group), 0), ::OSSL_PARAM_construct_end()};
    thread_local PkeyCtxPtr context;
    EVP_PKEY* key = nullptr;
    const bool good = ::EVP_PKEY_fromdata(loader(context, "EC"), &key, EVP_PKEY_KEY_PARAMETERS, parameters) == 1;
    PkeyPtr held(key);
    if (!good) fail("EVP_PKEY_fromdata");
    group = std::move(held);
    return key;
}

/// OSSL_PARAM wants numbers least significant octet first here: the platform's own order.
Bytes native_order(BytesView magnitude) {
    static_assert(std::endian::native == std::endian::little);
    return {magnitude.rbegin(), magnitude.rend()};
}

struct SizeRange {
    unsigned least;
    unsigned most;
};
SizeRange rsa_sizes(KeyUse use) {
    switch (use) {
        case KeyUse::csr: return {2048, 8192};
        case KeyUse::account:
        case KeyUse::authority: return {2048, 4096};
    }
    return {2048, 4096};
}

}  // namespace

core::Result<PublicKey> PublicKey::from_ec_point(KeyType type, BytesView x, BytesView y, KeyUse) {
    const Curve* curve = curve_of(type);
    if (curve == nullptr) return bad("not a curve's key type");
    if (x.size() != curve->width || y.size() != curve->width)
        return bad("the coordinates of a " + std::string(curve->name) + " point are " + std::to_string(curve->width) +
                   " octets each, leading zeros included");
    Bytes spki;
    spki.reserve(curve->spki_prefix.size() + 2 * curve->width);
    spki.insert(spki.end(), curve->spki_prefix.begin(), curve->spki_prefix.end());
    spki.insert(spki.end(), x.begin(), x.end());
    spki.insert(spki.end(), y.begin(), y.end());

    // The prefix ends with the 0x04 of an uncompressed point, so the tail is the point. Infinity has
    // no such form; coordinates beyond the field or off the curve are refused while loading, and all
    // three curves have cofactor 1: what passes is a point of the right order.
    const std::uint8_t* point = spki.data() + curve->spki_prefix.size() - 1;
    std::shared_ptr<EVP_PKEY> native(::EVP_PKEY_dup(group_of(*curve)), [](EVP_PKEY* p) { ::EVP_PKEY_free(p); });
    if (!native) fail("EVP_PKEY_dup");
    if (::EVP_PKEY_set1_encoded_public_key(native.get(), point, 1 + 2 * curve->width) != 1) {
        ::ERR_clear_error();
        return bad("the key's point is not on " + std::string(curve->name));
    }

    PublicKey key;
    key.key_ = std::move(native);
    key.spki_ = std::make_shared<const Bytes>(std::move(spki));
    key.type_ = type;
    key.bits_ = curve->bits;
    return key;
}

core::Result<PublicKey> PublicKey::from_rsa(BytesView n, BytesView e, KeyUse use) {
    while (!n.empty() && n.front() == 0) n = n.subspan(1);
    while (!e.empty() && e.front() == 0) e = e.subspan(1);
    const SizeRange range = rsa_sizes(use);
    const std::string wanted = "use " + std::to_string(range.least) + " to " + std::to_string(range.most) + " bits";
    if (n.size() > range.most / 8) return bad("the RSA key is longer than " + std::to_string(range.most) + " bits; " + wanted);
    const unsigned bits =
        n.empty() ? 0 : static_cast<unsigned>(n.size() * 8) - static_cast<unsigned>(std::countl_zero(n.front()));
    if (bits < range.least) return bad("the RSA key has only " + std::to_string(bits) + " bits; " + wanted);
    if (bits % 8 != 0) return bad("the RSA key has " + std::to_string(bits) + " bits; the size must be divisible by 8");
    if ((n.back() & 1U) == 0) return bad("the RSA modulus is even, so this is no RSA key");
    // NIST SP 800-56B: odd, 2^16 < e < 2^256.
    const bool small = e.size() < 3 || (e.size() == 3 && e[0] == 1 && e[1] == 0 && e[2] == 0);
    if (small || (e.back() & 1U) == 0 || e.size() > 32)
        return bad("the RSA public exponent must be odd, at least 65537 and below 2^256; 65537 is usual");
    if (auto weak = rsa_weakness(n)) return Problem(ProblemKind::bad_public_key, std::move(weak->detail), std::string(weak->check));

    Bytes modulus = native_order(n);
    Bytes exponent = native_order(e);
    OSSL_PARAM parameters[] = {::OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus.data(), modulus.size()),
                               ::OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent.data(), exponent.size()),
                               ::OSSL_PARAM_construct_end()};
    thread_local PkeyCtxPtr context;
    auto native = load(loader(context, "RSA"), parameters);
    if (!native) return bad("the RSA key cannot be used");

    der::Writer numbers;
    numbers.begin(der::sequence).unsigned_integer(n).unsigned_integer(e).end();
    der::Writer spki;
    spki.begin(der::sequence).raw(rsa_algorithm).bits(numbers.bytes()).end();
    PublicKey key;
    key.key_ = std::move(native);
    key.spki_ = std::make_shared<const Bytes>(spki.take());
    key.type_ = KeyType::rsa;
    key.bits_ = bits;
    return key;
}

core::Result<PublicKey> PublicKey::from_ed25519(BytesView x) {
    if (x.size() != 32) return bad("an Ed25519 key is 32 octets, this one has " + std::to_string(x.size()));
    std::shared_ptr<EVP_PKEY> native(::EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, x.data(), x.size()),
                                     [](EVP_PKEY* p) { ::EVP_PKEY_free(p); });
    if (!native) {
        ::ERR_clear_error();
        return bad("the Ed25519 key cannot be used");
    }
    Bytes spki(ed25519_prefix.begin(), ed25519_prefix.end());
    spki.insert(spki.end(), x.begin(), x.end());
    PublicKey key;
    key.key_ = std::move(native);
    key.spki_ = std::make_shared<const Bytes>(std::move(spki));
    key.type_ = KeyType::ed25519;
    key.bits_ = 256;
    return key;
}

std::optional<RsaNumbers> rsa_numbers(BytesView rsa_public_key_der) noexcept {
    der::Reader outer(rsa_public_key_der);
    const auto sequence = outer.next(der::sequence);
    if (!sequence || !outer.empty()) return std::nullopt;
    der::Reader fields(sequence->content);
    const auto n = fields.next(der::integer);
    const auto e = fields.next(der::integer);
    if (!n || !e || !fields.empty()) return std::nullopt;
    const auto modulus = der::unsigned_magnitude(*n);
    const auto exponent = der::unsigned_magnitude(*e);
    if (!modulus || !exponent) return std::nullopt;
    return RsaNumbers{*modulus, *exponent};
}

core::Result<PublicKey> PublicKey::from_spki(BytesView der, KeyUse use) {
    der::Reader outer(der);
    const auto info = outer.next(der::sequence);
    if (!info || !outer.empty()) return bad("the public key is not the DER of one SubjectPublicKeyInfo");
    der::Reader fields(info->content);
    const auto algorithm = fields.next(der::sequence);
    const auto subject_key = fields.next(der::bit_string);
    if (!algorithm || !subject_key || !fields.empty()) return bad("the SubjectPublicKeyInfo is not algorithm and key");
    const auto octets = der::whole_octets(*subject_key);
    if (!octets) return bad("the public key's BIT STRING is not made of whole octets");

    der::Reader identifier(algorithm->content);
    const auto oid = identifier.next(der::oid);
    if (!oid) return bad("the public key's algorithm has no object identifier");
    const std::string name = der::oid_text(oid->content);

    if (name == oid_ec) {
        if (identifier.peek() == der::sequence)
            return bad("the EC key spells its curve's parameters out; use a named curve: P-256, P-384 or P-521");
        const auto curve_oid = identifier.next(der::oid);
        if (!curve_oid || !identifier.empty()) return bad("the EC key does not name its curve");
        const Curve* curve = curve_by_oid(curve_oid->content);
        if (curve == nullptr)
            return bad("the EC key is on the curve " + der::oid_text(curve_oid->content) + "; use P-256, P-384 or P-521");
        if (!octets->empty() && ((*octets)[0] == 2 || (*octets)[0] == 3))
            return bad("the EC key's point is compressed; send it uncompressed (RFC 5480 §2.2)");
        if (octets->size() != 1 + 2 * curve->width || (*octets)[0] != 4)
            return bad("the EC key is no uncompressed point of " + std::string(curve->name));
        return from_ec_point(curve->type, octets->subspan(1, curve->width), octets->subspan(1 + curve->width), use);
    }
    if (name == oid_rsa) {
        // RFC 3279 §2.3.1: the parameters are NULL.
        const auto null = identifier.next(der::null);
        if (!null || !null->content.empty() || !identifier.empty()) return bad("the RSA key's algorithm parameters are not NULL");
        const auto numbers = rsa_numbers(*octets);
        if (!numbers) return bad("the RSA key is not the DER of a modulus and an exponent");
        return from_rsa(numbers->n, numbers->e, use);
    }
    if (name == oid_ed25519) {
        if (!identifier.empty()) return bad("an Ed25519 key's algorithm has no parameters (RFC 8410 §3)");
        return from_ed25519(*octets);
    }
    if (name == oid_rsa_pss)
        return bad("the RSA key is bound to RSASSA-PSS, which is not supported; use a plain RSA key (rsaEncryption)");
    return bad("the public key's algorithm " + name + " is not supported; " + std::string(supported));
}

core::Bytes PublicKey::key_identifier() const {
    der::Reader outer(*spki_);
    const auto info = outer.next(der::sequence);
    der::Reader fields(info->content);
    fields.next();
    const auto octets = der::whole_octets(*fields.next());
    const auto digest = sha1(*octets);
    return {digest.begin(), digest.end()};
}

}  // namespace postern::crypto

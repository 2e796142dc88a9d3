#include <algorithm>
#include <array>

#include "core/crypto/key.hpp"

namespace postern::crypto {
namespace {

constexpr std::array<std::uint8_t, 12> ecdsa_sha256_der{0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
constexpr std::array<std::uint8_t, 12> ecdsa_sha384_der{0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
constexpr std::array<std::uint8_t, 12> ecdsa_sha512_der{0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04};
constexpr std::array<std::uint8_t, 7> ed25519_der{0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
constexpr std::array<std::uint8_t, 15> rsa_sha256_der{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                      0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};
constexpr std::array<std::uint8_t, 15> rsa_sha384_der{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                      0xf7, 0x0d, 0x01, 0x01, 0x0c, 0x05, 0x00};
constexpr std::array<std::uint8_t, 15> rsa_sha512_der{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                      0xf7, 0x0d, 0x01, 0x01, 0x0d, 0x05, 0x00};

constexpr std::array all{SignatureAlgorithm::ecdsa_sha256, SignatureAlgorithm::ecdsa_sha384, SignatureAlgorithm::ecdsa_sha512,
                         SignatureAlgorithm::ed25519,      SignatureAlgorithm::rsa_sha256,   SignatureAlgorithm::rsa_sha384,
                         SignatureAlgorithm::rsa_sha512};

/// RFC 4055 §5: for RSA absent parameters mean NULL and must be accepted. The identifier is 15
/// octets with NULL and 13 without; only the lengths differ before the OID.
bool equals_without_null(core::BytesView der, core::BytesView with_null) {
    return with_null.size() == 15 && der.size() == 13 && der[0] == 0x30 && der[1] == 0x0b &&
           std::equal(der.begin() + 2, der.end(), with_null.begin() + 2);
}

}  // namespace

core::BytesView algorithm_identifier(SignatureAlgorithm a) noexcept {
    switch (a) {
        case SignatureAlgorithm::ecdsa_sha256: return ecdsa_sha256_der;
        case SignatureAlgorithm::ecdsa_sha384: return ecdsa_sha384_der;
        case SignatureAlgorithm::ecdsa_sha512: return ecdsa_sha512_der;
        case SignatureAlgorithm::ed25519: return ed25519_der;
        case SignatureAlgorithm::rsa_sha256: return rsa_sha256_der;
        case SignatureAlgorithm::rsa_sha384: return rsa_sha384_der;
        case SignatureAlgorithm::rsa_sha512: return rsa_sha512_der;
    }
    return {};
}

std::optional<SignatureAlgorithm> signature_algorithm_from(core::BytesView der) noexcept {
    for (const auto a : all) {
        const core::BytesView known = algorithm_identifier(a);
        if (std::ranges::equal(der, known) || equals_without_null(der, known)) return a;
    }
    return std::nullopt;
}

std::string describe(KeyType type, unsigned bits) {
    switch (type) {
        case KeyType::ec_p256: return "EC P-256";
        case KeyType::ec_p384: return "EC P-384";
        case KeyType::ec_p521: return "EC P-521";
        case KeyType::ed25519: return "Ed25519";
        case KeyType::rsa: return "RSA " + std::to_string(bits);
    }
    return "unknown";
}

}  // namespace postern::crypto

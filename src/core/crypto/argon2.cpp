#include "core/crypto/argon2.hpp"

#include <argon2.h>

#include <stdexcept>

#include "core/base/bytes.hpp"

namespace postern::crypto {

namespace {

constexpr std::uint32_t passes = 2, kibibytes = 19 * 1024, lanes = 1;
constexpr std::size_t salt_octets = 16, hash_octets = 32;
constexpr std::string_view form = "$argon2id$v=19$m=19456,t=2,p=1$";

}  // namespace

std::string argon2id(std::string_view secret, core::Random& random) {
    const auto salt = random.bytes(salt_octets);
    std::string out(argon2_encodedlen(passes, kibibytes, lanes, salt_octets, hash_octets, Argon2_id), '\0');
    const int failed = argon2id_hash_encoded(passes, kibibytes, lanes, secret.data(), secret.size(), salt.data(), salt.size(), hash_octets, out.data(), out.size());
    if (failed != ARGON2_OK) throw std::runtime_error(std::string("Argon2: ") + argon2_error_message(failed));
    out.resize(out.find('\0'));
    return out;
}

bool argon2id_matches(std::string_view encoded, std::string_view secret) {
    if (!encoded.starts_with(form)) return false;
    const std::string text(encoded);
    const int answer = argon2id_verify(text.c_str(), secret.data(), secret.size());
    if (answer == ARGON2_MEMORY_ALLOCATION_ERROR) throw std::runtime_error("Argon2: no memory");
    return answer == ARGON2_OK;
}

}  // namespace postern::crypto

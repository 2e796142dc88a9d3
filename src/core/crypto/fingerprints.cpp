#include "core/crypto/fingerprints.hpp"

#include <cctype>

#include "core/base/encoding.hpp"
#include "core/crypto/curves.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/key.hpp"
#include "core/crypto/rsa_numbers.hpp"

namespace postern::crypto {
namespace {

using core::BytesView;

/// The content of the key's BIT STRING.
BytesView subject_key(const PublicKey& key) {
    der::Reader outer(key.spki());
    der::Reader fields(outer.next(der::sequence).value().content);
    fields.next();
    return der::whole_octets(fields.next().value()).value();
}

/// openssl prints hexadecimal digits in capitals, two an octet.
core::Bytes modulus_fingerprint(BytesView modulus) {
    std::string text = core::hex(modulus);
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const auto digest = sha1(core::as_bytes("Modulus=" + text + "\n"));
    return {digest.end() - modulus_fingerprint_size, digest.end()};
}

}  // namespace

Fingerprints fingerprints(const PublicKey& key) {
    Fingerprints out;
    const auto whole = key.spki_sha256();
    out.spki.assign(whole.begin(), whole.end());
    const auto octets = subject_key(key);
    BytesView number = octets;
    if (const auto* curve = curve_of(key.type())) {
        number = octets.subspan(1, curve->width);
    } else if (key.type() == KeyType::rsa) {
        number = rsa_numbers(octets).value().n;
        out.modulus = modulus_fingerprint(number);
    }
    while (!number.empty() && number.front() == 0) number = number.subspan(1);
    const auto digest = sha256(number);
    out.number.assign(digest.begin(), digest.begin() + number_fingerprint_size);
    return out;
}

}  // namespace postern::crypto

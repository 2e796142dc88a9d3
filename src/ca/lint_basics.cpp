#include <algorithm>
#include <cctype>

#include "ca/lint_rules.hpp"

/// Version, serial, algorithm, issuer, validity and key: lints 1–8, 13–17, 19.
namespace postern::ca::lint {
namespace {

namespace der = crypto::der;

/// Apple's platforms refuse longer TLS server certificates, those of private roots included.
constexpr std::chrono::days tls_server_days{825};

/// RFC 5280 §4.1.2.5: UTCTime up to 2049, GeneralizedTime from 2050, whole seconds in Zulu.
bool right_form(const der::Element& e, core::TimePoint t) {
    constexpr core::TimePoint year_2050 = std::chrono::sys_days(std::chrono::year(2050) / 1 / 1);
    const bool generalized = e.tag == der::generalized_time;
    if (generalized != (t >= year_2050)) return false;
    if (!generalized && e.tag != der::utc_time) return false;
    return e.content.size() == (generalized ? 15U : 13U) && e.content.back() == 'Z';
}

}  // namespace

Finding version_and_serial(const Subject& s) {
    if (s.tbs.version.size() != 1 || s.tbs.version[0] != 2)
        return Offence("version", "extensions need version 3 (value 2)");
    const auto serial = s.tbs.serial;
    if ((serial[0] & 0x80U) != 0) return Offence("serial", "the serial number is negative; it must be positive");
    if (serial.size() > 1 && serial[0] == 0 && (serial[1] & 0x80U) == 0)
        return Offence("serial", "the serial number has a needless leading zero octet");
    if (serial.size() > 20)
        return Offence("serial", "the serial number has " + std::to_string(serial.size()) + " octets; 20 are the most");
    // Also refuses zero. 64 bits of output of a generator are what the CA/Browser Forum asks for.
    if (serial.size() < 8) return Offence("serial", "the serial number is shorter than 64 bits, so it can be guessed");
    return std::nullopt;
}

Finding algorithm_and_issuer(const Subject& s) {
    const auto algorithm = crypto::signature_algorithm_from(s.tbs.algorithm);
    if (!algorithm) return Offence("signature_algorithm", "the signature algorithm is unknown or weak; use SHA-256 or better");
    if (s.issuer.algorithm && *algorithm != *s.issuer.algorithm)
        return Offence("signature_algorithm", "the signature algorithm is not the one that the issuing CA signs with (RFC 5280 section 4.1.1.2)");
    if (!std::ranges::equal(s.tbs.issuer, s.issuer.subject_der))
        return Offence("issuer", "the issuer's name is not, byte for byte, the subject of the issuing certificate");
    return std::nullopt;
}

Finding validity(const Subject& s) {
    const auto from = der::read_time(s.tbs.not_before);
    const auto to = der::read_time(s.tbs.not_after);
    if (!from || !to || !right_form(s.tbs.not_before, *from) || !right_form(s.tbs.not_after, *to))
        return Offence("time_form", "dates must be UTCTime before 2050 and GeneralizedTime from 2050, in whole seconds and Zulu");
    if (*from != s.content.not_before || *to != s.content.not_after)
        return Offence("validity", "the dates are not the authorised ones");
    if (*to <= *from)
        return Offence("validity", "notAfter (" + core::rfc3339(*to) + ") is not later than notBefore (" + core::rfc3339(*from) + ")");
    if (*from < s.issuer.not_before)
        return Offence("validity", "notBefore (" + core::rfc3339(*from) + ") is earlier than the issuing CA's (" +
                                       core::rfc3339(s.issuer.not_before) + ")");
    if (*to > s.issuer.not_after)
        return Offence("validity", "notAfter (" + core::rfc3339(*to) + ") is later than the issuing CA's (" +
                                       core::rfc3339(s.issuer.not_after) + ")");
    // Both ends are inclusive (§4.1.2.5).
    if (s.content.tls_server && *to - *from + std::chrono::seconds(1) > tls_server_days)
        return Offence("max_validity", "a TLS server certificate may be valid for at most 825 days: Apple's systems refuse longer ones");
    return std::nullopt;
}

Finding key(const Subject& s) {
    if (!std::ranges::equal(s.tbs.spki, s.content.key.spki()))
        return Offence("key", "the public key is not the authorised one");
    // Loading it anew from the signed bytes checks encoding, curve, size and exponent.
    const auto loaded = crypto::PublicKey::from_spki(s.tbs.spki, crypto::KeyUse::csr);
    if (!loaded) return Offence("key", loaded.error().detail);
    if (loaded->type() == crypto::KeyType::rsa && (loaded->bits() < 2048 || loaded->bits() % 8 != 0))
        return Offence("rsa_size", "an RSA key must have at least 2048 bits and a multiple of 8");
    return std::nullopt;
}

}  // namespace postern::ca::lint

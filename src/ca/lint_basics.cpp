#include <algorithm>
#include <cctype>

#include "ca/lint_rules.hpp"
#include "core/crypto/curves.hpp"
#include "core/crypto/key_quality.hpp"
#include "core/crypto/rsa_numbers.hpp"

/// Version, serial, algorithm, issuer, validity and key: lints 1–3, 5–19.
namespace postern::ca::lint {
namespace {

namespace der = crypto::der;

/// Apple's platforms refuse longer TLS server certificates, those of private roots included.
constexpr std::chrono::days private_tls_server{825};
/// For clients whose clocks are behind (X15).
constexpr std::chrono::hours private_backdate{24}, public_backdate{1};

/// BR 6.3.2, by the day on which the term begins.
std::chrono::days longest_public(core::TimePoint from) {
    using std::chrono::sys_days, std::chrono::year, std::chrono::days;
    if (from >= sys_days(year(2029) / 3 / 15)) return days(47);
    if (from >= sys_days(year(2027) / 3 / 15)) return days(100);
    return days(200);
}

/// RFC 5280 §4.1.2.5: UTCTime up to 2049, GeneralizedTime from 2050, whole seconds in Zulu.
bool right_form(const der::Element& e, core::TimePoint t) {
    constexpr core::TimePoint year_2050 = std::chrono::sys_days(std::chrono::year(2050) / 1 / 1);
    const bool generalized = e.tag == der::generalized_time;
    if (generalized != (t >= year_2050)) return false;
    if (!generalized && e.tag != der::utc_time) return false;
    return e.content.size() == (generalized ? 15U : 13U) && e.content.back() == 'Z';
}

/// What exactly is wrong with a key that cannot be loaded.
std::string_view name_of(core::BytesView spki, const core::Problem& why) {
    if (why.check == crypto::check_fermat) return "rsa_fermat";
    if (why.check == crypto::check_small_factor) return "rsa_small_factor";
    if (why.check == crypto::check_roca) return "rsa_roca";
    der::Reader outer(spki);
    const auto info = outer.next(der::sequence);
    der::Reader fields(info ? info->content : core::BytesView());
    const auto algorithm = fields.next(der::sequence);
    const auto octets = fields.next(der::bit_string);
    der::Reader identifier(algorithm ? algorithm->content : core::BytesView());
    const auto oid = identifier.next(der::oid);
    if (!octets || !oid) return "spki_encoding";
    if (der::oid_text(oid->content) == "1.2.840.10045.2.1") {
        const auto named = identifier.next(der::oid);
        return named && crypto::curve_by_oid(named->content) != nullptr ? "spki_encoding" : "curve";
    }
    const auto whole = der::whole_octets(*octets);
    const auto numbers = whole ? crypto::rsa_numbers(*whole) : std::nullopt;
    if (!numbers) return "spki_encoding";
    const bool sized = numbers->n.size() >= 256 && numbers->n.size() <= 1024 && (numbers->n.front() & 0x80U) != 0;
    return sized ? "rsa_exponent" : "rsa_size";
}

}  // namespace

Finding version_and_serial(const Subject& s) {
    if (s.tbs.version.size() != 1 || s.tbs.version[0] != 2)
        return Offence("version", "extensions need version 3 (value 2)");
    const auto serial = s.tbs.serial;
    if ((serial[0] & 0x80U) != 0 || std::ranges::all_of(serial, [](std::uint8_t o) { return o == 0; }))
        return Offence("serial_positive", "the serial number is negative or zero; it must be positive");
    if (serial.size() > 1 && serial[0] == 0 && (serial[1] & 0x80U) == 0)
        return Offence("serial_length", "the serial number has a needless leading zero octet");
    if (serial.size() > 20)
        return Offence("serial_length", "the serial number has " + std::to_string(serial.size()) + " octets; 20 are the most");
    // 64 bits of output of a generator are what the CA/Browser Forum asks for.
    if (serial.size() < 8) return Offence("serial_length", "the serial number is shorter than 64 bits, so it can be guessed");
    return std::nullopt;
}

Finding algorithm_and_issuer(const Subject& s) {
    const auto algorithm = crypto::signature_algorithm_from(s.tbs.algorithm);
    if (!algorithm) return Offence("weak_hash", "the signature algorithm is unknown or weak; use SHA-256 or better");
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
        return Offence("validity", "notAfter (" + core::rfc3339(*to) + ") is not later than notBefore (" + core::rfc3339(*from) + ")", Fault::request);
    const auto back = s.content.publicly_trusted ? public_backdate : private_backdate;
    if (s.now && *from < core::floor_seconds(*s.now) - back)
        return Offence("backdated", "notBefore (" + core::rfc3339(*from) + ") lies more than " + std::to_string(back.count()) + " hours back",
                       Fault::request);
    if (*from < s.issuer.not_before)
        return Offence("validity", "notBefore (" + core::rfc3339(*from) + ") is earlier than the issuing CA's (" +
                                       core::rfc3339(s.issuer.not_before) + ")", Fault::request);
    if (*to > s.issuer.not_after)
        return Offence("validity", "notAfter (" + core::rfc3339(*to) + ") is later than the issuing CA's (" +
                                       core::rfc3339(s.issuer.not_after) + ")", Fault::request);
    // Both ends are inclusive (§4.1.2.5).
    const auto term = *to - *from + std::chrono::seconds(1);
    if (s.content.tls_server && s.content.publicly_trusted && term > longest_public(*from))
        return Offence("max_validity", "a publicly trusted TLS server certificate that begins then may be valid for at most " +
                                           std::to_string(longest_public(*from).count()) + " days", Fault::request);
    if (s.content.tls_server && term > private_tls_server)
        return Offence("max_validity", "a TLS server certificate may be valid for at most 825 days: Apple's systems refuse longer ones",
                       Fault::request);
    return std::nullopt;
}

Finding key(const Subject& s) {
    // A PublicKey exists only after its encoding, curve, size, exponent and quality were judged: octets that are its own are
    // as good as it is. Others are loaded, so that what is told is what is wrong with them.
    if (!s.content.key.valid() || !std::ranges::equal(s.tbs.spki, s.content.key.spki())) {
        const auto loaded = crypto::PublicKey::from_spki(s.tbs.spki, crypto::KeyUse::csr);
        if (!loaded) return Offence(name_of(s.tbs.spki, loaded.error()), loaded.error().detail, Fault::request);
        return Offence("key", "the public key is not the authorised one");
    }
    if (s.content.key_blocked) return Offence("blocked_key", "the public key is on the blocklist", Fault::request);
    return std::nullopt;
}

}  // namespace postern::ca::lint

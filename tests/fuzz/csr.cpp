// crypto::Csr: what is asked for lies in the bytes that were signed, and reads the same again.
#include "core/crypto/csr.hpp"

#include <algorithm>
#include <set>

#include "core/crypto/der.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

namespace der = crypto::der;

/// RFC 8410 §10.3's example key: signatures with it are the same each time.
const crypto::PrivateKey& key() {
    static const crypto::PrivateKey made = [] {
        constexpr std::uint8_t pkcs8[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
                                          0xd4, 0xee, 0x72, 0xdb, 0xf9, 0x13, 0x58, 0x4a, 0xd5, 0xb6, 0xd8, 0xf1, 0xf7, 0x69, 0xf8, 0xad,
                                          0x3a, 0xfe, 0x7c, 0x28, 0xcb, 0xf1, 0xd4, 0xfb, 0xe0, 0x97, 0xa8, 0x8f, 0x44, 0x75, 0x58, 0x42};
        return crypto::PrivateKey::from_pkcs8(pkcs8).value();
    }();
    return made;
}

/// A request as it is, or, behind any first octet but SEQUENCE's, a subject followed by attributes
/// that are signed here: of mutated requests none has a signature that verifies.
core::Bytes request_of(core::BytesView input) {
    if (input.empty() || input[0] == der::sequence) return core::to_bytes(input);
    const core::BytesView rest = input.subspan(1);
    der::Reader reader(rest);
    const auto subject = reader.next();
    const core::BytesView name = subject ? subject->whole : core::BytesView();
    der::Writer info;
    info.begin(der::sequence).small_integer(0).raw(name).raw(key().public_key().spki());
    if (name.size() < rest.size()) info.begin(der::context_constructed(0)).raw(rest.subspan(name.size())).end();
    info.end();
    const auto algorithm = key().default_algorithm();
    der::Writer out;
    out.begin(der::sequence).raw(info.bytes()).raw(crypto::algorithm_identifier(algorithm)).bits(key().sign(algorithm, info.bytes())).end();
    return out.take();
}

/// The part that the signature is over.
core::BytesView signed_part(core::BytesView request) {
    der::Reader outer(request);
    der::Reader parts(outer.next(der::sequence).value().content);
    return parts.next(der::sequence).value().whole;
}

void check_wishes(const crypto::Csr& csr, core::BytesView info) {
    std::set<std::string> oids(csr.extension_oids().begin(), csr.extension_oids().end());
    require(oids.size() == csr.extension_oids().size() && !oids.contains(""), "no extension is there twice");
    require(csr.alt_names().empty() == !oids.contains("2.5.29.17"), "names are those of subjectAltName");
    require(!csr.must_staple() || oids.contains("1.3.6.1.5.5.7.1.24"), "must-staple is asked for by its extension");
    const core::Bytes names = crypto::general_names_der(csr.alt_names());
    require(csr.alt_names().empty() || lies_in(names, info), "names write back to what was signed");
    for (const auto& name : csr.alt_names())
        require(name.type == crypto::GeneralNameType::upn || std::ranges::all_of(name.value, [](char c) { return c >= 0x20 && c < 0x7f; }),
                "a name is printable ASCII");
    require(csr.challenge_password().find('\0') == std::string::npos, "a challengePassword has no NUL");
}

}  // namespace

Outcome csr(core::BytesView input) {
    const core::Bytes request = request_of(input);
    const auto parsed = crypto::Csr::parse(request);
    if (!parsed) {
        const auto kind = parsed.error().kind;
        require((kind == core::ProblemKind::bad_csr || kind == core::ProblemKind::bad_public_key) && !parsed.error().detail.empty(),
                "a refusal is bad_csr or bad_public_key and says why");
        return Outcome::refused;
    }
    require(parsed->der() == request, "the request is what was read");
    const core::BytesView info = signed_part(parsed->der());
    require(parsed->key().valid() && lies_in(parsed->key().spki(), info), "the key lies in what was signed");
    check_wishes(*parsed, info);
    const auto again = crypto::Csr::parse(parsed->der());
    require(again && again->der() == parsed->der() && again->key().spki() == parsed->key().spki() && again->alt_names() == parsed->alt_names() &&
                again->extension_oids() == parsed->extension_oids() && again->must_staple() == parsed->must_staple() &&
                again->challenge_password() == parsed->challenge_password() && again->subject().to_text() == parsed->subject().to_text(),
            "the same bytes give the same request");

    const auto kept = crypto::Csr::parse_kept(parsed->kept());
    require(kept && kept->key().spki() == parsed->key().spki() && kept->alt_names() == parsed->alt_names() && kept->kept() == parsed->kept(),
            "what is kept says the same");
    const auto remade = crypto::Csr::parse(parsed->remade(key()));
    require(remade && remade->key().spki() == key().public_key().spki() && remade->alt_names() == parsed->alt_names() &&
                remade->extension_oids() == parsed->extension_oids() && remade->subject().to_text() == parsed->subject().to_text() && remade->challenge_password().empty(),
            "the same wishes for another key");

    core::Bytes altered = request;
    altered[static_cast<std::size_t>(info.data() - parsed->der().data()) + info.size() - 1] ^= 1;
    require(!crypto::Csr::parse(altered), "a signature is over one request only");
    return Outcome::accepted;
}

}  // namespace postern::fuzz

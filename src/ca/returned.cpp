#include "ca/returned.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "ca/lint.hpp"
#include "ca/tbs_view.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/chain.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/extensions.hpp"
#include "core/crypto/security_identifier.hpp"

namespace postern::ca {

namespace {

namespace der = crypto::der;
using core::Problem;
using core::Result;
using crypto::Certificate;

constexpr std::size_t longest_chain = 10;
/// Clocks of two houses.
constexpr std::chrono::minutes skew(5);

/// What a foreign CA's leaf may carry without having been asked for: identifiers, places, policies, time stamps of
/// logs, marks of certsrv and of openssl. Never an identity (1.3.6.1.4.1.311.25.2 and its like).
constexpr std::array<std::string_view, 16> extensions_taken{
    "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.31", "2.5.29.32", "2.5.29.35", "2.5.29.37",
    "2.5.29.46", "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.24", "1.3.6.1.4.1.11129.2.4.2",
    "1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.7", "1.3.6.1.4.1.311.21.10", "2.16.840.1.113730.1.13"};

/// Those that may be critical: whoever does not know such a one must refuse the certificate (RFC 5280 §4.2).
constexpr std::array<std::string_view, 5> extensions_understood{"2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.32", "2.5.29.37"};

Problem refused(std::string_view check, std::string detail) {
    std::string name(check);
    return {core::ProblemKind::internal, name + ": " + std::move(detail), name};
}

std::string shown(const std::vector<crypto::GeneralName>& names) {
    std::string out;
    for (const auto& n : names) out += (out.empty() ? "" : ", ") + crypto::to_text(n);
    return out.empty() ? "none" : out.substr(0, 300);
}

std::string shown(const Certificate& certificate) { return "\"" + certificate.subject().to_text().substr(0, 200) + "\""; }

Result<void> same_names(const Certificate& leaf, const Content& content) {
    const auto& has = leaf.alt_names();
    const bool same = std::ranges::is_permutation(has, content.names);
    if (same) return {};
    return refused("issued.names", "the certificate is for " + shown(has) + "; authorised was " + shown(content.names));
}

/// Nothing that was not authorised; a CA may leave attributes out.
Result<void> subject_within(const Certificate& leaf, const Content& content) {
    const auto& subject = leaf.subject();
    if (subject.multi_valued) return refused("issued.subject", "an RDN of the subject has several values");
    for (const auto& e : subject.entries) {
        const bool authorised = std::ranges::any_of(content.subject.entries, [&](const crypto::DnEntry& a) {
            return a.type == e.type && a.oid == e.oid && a.value == e.value;
        });
        if (!authorised) return refused("issued.subject", "the subject \"" + subject.to_text().substr(0, 300) + "\" has more than \"" + content.subject.to_text() + "\"");
    }
    return {};
}

Result<void> dates_within(const Certificate& leaf, const Content& content, const Declared& declared, core::TimePoint now) {
    const auto told = core::rfc3339(leaf.not_before()) + " to " + core::rfc3339(leaf.not_after());
    if (leaf.not_after() <= leaf.not_before() || leaf.not_after() <= now) return refused("issued.validity", "the certificate is over: " + told);
    if (leaf.not_before() > std::max(content.not_before, now + skew)) return refused("issued.validity", "the certificate is not valid yet: " + told);
    if (leaf.not_before() < content.not_before - declared.earlier)
        return refused("issued.validity", "the certificate begins earlier than authorised and declared: " + told);
    if (leaf.not_after() > content.not_after + declared.later)
        return refused("issued.validity", "the certificate lasts longer than authorised and declared (" + core::rfc3339(content.not_after) + "): " + told);
    return {};
}

Result<void> serial_good(const TbsView& tbs, const Declared& declared) {
    const auto serial = tbs.serial;
    if (serial.empty() || (serial[0] & 0x80U) != 0 || std::ranges::all_of(serial, [](std::uint8_t o) { return o == 0; }))
        return refused("issued.serial", "the serial number is not positive");
    const auto octets = serial.size() - (serial[0] == 0 ? 1 : 0);
    if (octets > 20 || octets < declared.serial_octets)
        return refused("issued.serial", "the serial number has " + std::to_string(octets) + " octets; declared are " +
                                            std::to_string(declared.serial_octets) + " to 20");
    return {};
}

/// RFC 5280 §4.2.1.3: bit 0 is the first octet's highest. A CA may leave usages out, but not the extension: a key without
/// it serves every use.
Result<void> key_usage_within(const TbsView& tbs, const Content& content) {
    const auto* usage = tbs.find(crypto::oid_key_usage);
    if (usage == nullptr) return refused("issued.usage", "the key usage is missing: the key would serve every use");
    der::Reader whole(usage->value);
    const auto bits = whole.next(der::bit_string);
    if (!bits || !whole.empty() || bits->content.size() < 2) return refused("issued.usage", "the key usage is ill-formed");
    constexpr unsigned makes_a_ca = 0x06;  // keyCertSign 5, cRLSign 6
    const unsigned has = bits->content[1];
    if ((has & makes_a_ca) != 0) return refused("issued.usage", "the key usage lets it sign certificates or CRLs");
    unsigned authorised = 0;
    for (const auto bit : content.key_usage) authorised |= 0x80U >> static_cast<unsigned>(bit);
    const bool longer = std::ranges::any_of(bits->content.subspan(2), [](std::uint8_t octet) { return octet != 0; });
    if (has == 0 || (has & ~authorised) != 0 || longer)
        return refused("issued.usage", "the key usage has more than was authorised, or nothing (its bits are " + core::hex(bits->content.subspan(1)) + ")");
    return {};
}

/// nullopt: it names none, and serves all. Empty: it is ill-formed.
std::optional<std::set<std::string>> purposes_of(const TbsView& tbs) {
    const auto* purposes = tbs.find(crypto::oid_extended_key_usage);
    if (purposes == nullptr) return std::nullopt;
    std::set<std::string> out;
    der::Reader outer(purposes->value);
    const auto list = outer.next(der::sequence);
    der::Reader items(list ? list->content : core::BytesView());
    while (const auto oid = items.next(der::oid)) out.insert(der::oid_text(oid->content));
    if (!list || !items.empty()) out.clear();
    return out;
}

Result<void> purposes_same(const TbsView& tbs, const Content& content) {
    const auto has = purposes_of(tbs);
    if (!has) return refused("issued.usage", "the extended key usage is missing: it would serve every purpose");
    const std::set<std::string> authorised(content.extended_key_usage.begin(), content.extended_key_usage.end());
    if (has->empty() || *has != authorised) {
        std::string told;
        for (const auto& oid : *has) told += " " + oid;
        return refused("issued.usage", "the extended key usage is not the authorised one:" + told);
    }
    return {};
}

Result<void> extensions_known(const TbsView& tbs, const Content& content) {
    for (const auto& e : tbs.extensions) {
        // Never without leave; which identifier it is, the lints compare.
        const bool mapping = e.oid == crypto::oid_security_identifier && !content.security_identifier.empty();
        if (!mapping && std::ranges::find(extensions_taken, e.oid) == extensions_taken.end())
            return refused("issued.extensions", "extension " + e.oid + " was not authorised");
        if (e.critical && std::ranges::find(extensions_understood, e.oid) == extensions_understood.end())
            return refused("issued.extensions", "extension " + e.oid + " is critical, and what it demands is not known here");
    }
    const auto* feature = tbs.find(crypto::oid_tls_feature);
    if ((feature != nullptr) != content.must_staple) return refused("issued.extensions", "OCSP must-staple is there against what was authorised");
    return {};
}

/// From the leaf's issuer to an anchor, which is left out unless it is the issuer itself or no root.
Result<std::vector<Certificate>> path_of(const Certificate& leaf, const std::vector<Certificate>& sent, const Declared& declared, core::TimePoint now) {
    crypto::PathMaterial material;
    material.leaf = leaf;
    material.sent.assign(sent.begin() + 1, sent.end());
    material.declared = declared.anchors;
    auto path = crypto::verified_path(material, now);
    if (!path) return refused("issued.chain", path.error().detail);
    for (const auto& issuer : *path)
        if (const auto key = crypto::PublicKey::from_spki(issuer.spki(), crypto::KeyUse::authority); !key)
            return refused("issued.chain", shown(issuer) + ": " + key.error().detail);
    if (path->size() > 1 && path->back().subject_der() == path->back().issuer_der()) path->pop_back();
    return path;
}

/// An issuer that names purposes lends no others (as browsers and OpenSSL read RFC 5280 §4.2.1.12).
Result<void> purposes_lent(const std::vector<Certificate>& path, const Content& content) {
    for (const auto& issuer : path) {
        const auto tbs = TbsView::read(issuer.tbs());
        if (!tbs) return refused("issued.chain", shown(issuer) + ": " + tbs.error().detail);
        const auto lent = purposes_of(*tbs);
        if (!lent || lent->contains("2.5.29.37.0")) continue;
        for (const auto& purpose : content.extended_key_usage)
            if (!lent->contains(purpose)) return refused("issued.chain", shown(issuer) + " issues nothing for the extended key usage " + purpose);
    }
    return {};
}

}  // namespace

Result<std::vector<core::Bytes>> read_chain(std::string_view pem) {
    auto chain = crypto::from_pem("CERTIFICATE", pem);
    if (!chain) return refused("issued.encoding", chain.error().detail);
    if (chain->empty() || chain->size() > longest_chain)
        return refused("issued.encoding", "expected 1 to 10 certificates as PEM, found " + std::to_string(chain->size()));
    return chain;
}

Result<Checked> check_returned(const std::vector<core::Bytes>& chain, const Content& content, const Declared& declared, core::TimePoint now) {
    std::vector<Certificate> sent;
    for (const auto& der : chain) {
        auto parsed = Certificate::parse(der);
        if (!parsed) return refused("issued.encoding", "certificate " + std::to_string(sent.size() + 1) + " of the chain: " + parsed.error().detail);
        sent.push_back(std::move(*parsed));
    }
    const auto& leaf = sent.at(0);
    if (leaf.spki() != content.key.spki()) return refused("issued.key", "the certificate carries another public key than the request");
    if (leaf.is_ca()) return refused("issued.ca", "the certificate is one of a CA");
    const auto tbs = TbsView::read(leaf.tbs());
    if (!tbs) return refused("issued.encoding", tbs.error().detail);
    for (const auto& finding : {same_names(leaf, content), subject_within(leaf, content), dates_within(leaf, content, declared, now),
                                serial_good(*tbs, declared), key_usage_within(*tbs, content), purposes_same(*tbs, content), extensions_known(*tbs, content)})
        if (!finding) return finding.error();
    const auto path = path_of(leaf, sent, declared, now);
    if (!path) return path.error();
    if (const auto lent = purposes_lent(*path, content); !lent) return lent.error();
    if (const auto linted = lint_returned(leaf, content, path->front()); !linted) return refused("issued.lint", linted.error().detail);

    Checked out;
    out.certificate = leaf;
    const auto issuer = crypto::sha256(core::BytesView(path->front().spki()));
    out.issuer_key_id = core::hex(issuer);
    for (const auto& certificate : *path) out.chain += crypto::to_pem("CERTIFICATE", certificate.der());
    return out;
}

}  // namespace postern::ca

#include <algorithm>
#include <filesystem>

#include "app/data_folder.hpp"
#include "app/doctor/catalog.hpp"
#include "ca/builtin/ceremony.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/system_random.hpp"
#include "store/tables/authority.hpp"
#include "store/tables/sealed_key.hpp"
#include "store/tables/certificate.hpp"

namespace postern::app::doctor {

namespace {

constexpr std::string_view lost_key = "restore keys/ and the database from the same backup; without this key its CA cannot sign";

std::string days(std::chrono::milliseconds d) { return std::to_string(std::chrono::duration_cast<std::chrono::hours>(d).count() / 24) + " days"; }

std::optional<crypto::Sealer> examine_master(Patient& p, core::Random& random) {
    const auto path = p.config.master_key_file.empty() ? p.path("keys/master") : p.config.master_key_file;
    try {
        require_private(path);
        auto text = read_file(path);
        core::SecretText held(std::move(text));
        if (held.expose().size() != 32) throw std::runtime_error(path + " has " + std::to_string(held.expose().size()) + " octets; a master key has 32");
        p.findings.good("keys.master", path);
        return std::optional<crypto::Sealer>(std::in_place, core::SecretBytes(core::to_bytes(core::as_bytes(held.expose()))), random);
    } catch (const std::runtime_error& e) {
        p.findings.failed("keys.master", e.what(), "restore it from the backup; without it no sealed key opens");
        return std::nullopt;
    }
}

/// The longest term that an active profile gives: a CA that ends before refuses it.
std::chrono::milliseconds longest_term(const Patient& p) {
    const auto catalog = read_catalog(p);
    std::chrono::milliseconds longest{0};
    for (const auto& profile : catalog->profiles)
        if (profile.active && profile.backend == "builtin") longest = std::max(longest, profile.longest);
    return longest;
}

/// Of several issuing CAs the one that took over last; a former one need not last any more, and a successor has its time.
bool issues_today(const Patient& p, const std::string& key_id) {
    std::string today;
    bool succeeded = false;
    for (const auto& row : p.read(store::succession_all)) {
        if (row.text(0) == key_id) succeeded = true;
        if (row.time(1) <= p.clock.now()) today = row.text(0);
    }
    return today.empty() ? !succeeded : today == key_id;
}

/// Of roots it is the one above who issues.
bool of_today(const Patient& p, const store::AuthorityRow& row, const std::vector<store::AuthorityRow>& all) {
    return std::ranges::any_of(all, [&](const store::AuthorityRow& other) {
        return other.kind == "issuing" && (other.key_id == row.key_id || other.issuer_id == row.key_id) && issues_today(p, other.key_id);
    });
}

void examine_life(Patient& p, const store::AuthorityRow& row, const std::vector<store::AuthorityRow>& all, const crypto::Certificate& certificate) {
    if (!of_today(p, row, all)) return p.findings.good("keys." + row.kind + "_life", row.kind + " CA " + row.key_id + " is a former or withdrawn one, or waits for its day");
    const auto left = certificate.not_after() - p.clock.now();
    const auto check = "keys." + row.kind + "_life";
    const auto until = row.kind + " CA " + row.key_id + " ends at " + core::rfc3339(certificate.not_after());
    const auto needed = longest_term(p);
    const std::string advice = row.kind == "issuing" ? "prepare a successor: postern ca rollover" : "prepare a new root, and have every client trust it: postern ca rollover --root";
    if (left <= std::chrono::milliseconds{0})
        p.findings.failed(check, until + ": it is over", advice);
    else if (left < needed)
        p.findings.failed(check, until + ", before a certificate of the longest profile (" + days(needed) + ") would",
                          "shorten longest_lifetime of that profile, or " + advice);
    else
        p.findings.good(check, until + ", in " + days(left));
}

void examine_key(Patient& p, const store::AuthorityRow& row, const std::vector<store::AuthorityRow>& all, const crypto::Sealer& sealer, const crypto::Certificate& certificate) {
    const ca::KeyFiles files(p.path("keys"), sealer);
    const auto check = "keys." + row.kind + "_key", name = row.kind + " CA " + row.key_id;
    std::string wrong;
    try {
        const auto sealed = p.read(store::sealed_key_get, store::values(row.key_id));
        const bool ended = certificate.not_after() <= p.clock.now() && !of_today(p, row, all);
        if (ended && sealed.empty() && !files.has(row.key_id))
            return p.findings.notice(check, "the key of the " + name + " is missing; it ended at " + core::rfc3339(certificate.not_after()) + ", and nothing needs it",
                                     "put the file back, if you have it: its CRL stays as it is without");
        const auto key = sealed.empty() ? files.load(row.key_id) : ca::open_key(sealer, row.key_id, sealed[0].blob(0), "sealed_key " + row.key_id);
        if (key.public_key().spki() != certificate.spki()) wrong = name + ": the key is not the one of its certificate";
    } catch (const std::runtime_error& e) {
        wrong = e.what();
    }
    p.findings.judge(check, wrong, "the key of the " + name + " opens and is the certificate's", std::string(lost_key));
}

void examine_authority(Patient& p, const store::AuthorityRow& row, const std::vector<store::AuthorityRow>& all, const crypto::Sealer& sealer) {
    const auto certificate = crypto::Certificate::parse(row.certificate);
    const auto name = row.kind + " CA " + row.key_id;
    if (!certificate) return p.findings.failed("keys." + row.kind + "_certificate", name + ": " + certificate.error().detail, "restore the database from the backup");
    examine_key(p, row, all, sealer, *certificate);

    std::string chain = name + " is not signed by " + row.issuer_id;
    for (const auto& issuer : all) {
        if (issuer.key_id != row.issuer_id) continue;
        const auto above = crypto::Certificate::parse(issuer.certificate);
        const auto key = above ? crypto::PublicKey::from_spki(above->spki(), crypto::KeyUse::authority) : core::Result<crypto::PublicKey>(above.error());
        if (key && certificate->signed_by(*key)) chain.clear();
    }
    p.findings.judge("keys." + row.kind + "_certificate", chain, "the certificate of the " + name + " is signed by its issuer", "restore the database from the backup");
    examine_life(p, row, all, *certificate);
}

std::optional<crypto::Certificate> first_certificate(const std::string& path) {
    std::error_code none;
    if (!std::filesystem::exists(path, none)) return std::nullopt;
    const auto blocks = crypto::from_pem("CERTIFICATE", read_file(path));
    if (!blocks || blocks->empty()) return std::nullopt;
    auto certificate = crypto::Certificate::parse(blocks->front());
    if (!certificate) return std::nullopt;
    return std::move(*certificate);
}

/// What roots say of one another, once there are several.
void examine_crossed(Patient& p, const std::vector<store::AuthorityRow>& all) {
    if (std::ranges::count(all, "root", &store::AuthorityRow::kind) < 2) return;
    const auto of = [&](const std::string& key_id) -> core::Result<crypto::Certificate> {
        for (const auto& row : all)
            if (row.key_id == key_id) return crypto::Certificate::parse(row.certificate);
        return core::Problem(core::ProblemKind::not_found, "no CA " + key_id);
    };
    for (const auto& raw : p.read(store::cross_certificate_all)) {
        const auto row = store::CrossCertificateRow::from(raw);
        const auto name = "the certificate of root " + row.subject_id + " by root " + row.issuer_id;
        const auto certificate = crypto::Certificate::parse(row.certificate);
        const auto subject = of(row.subject_id), issuer = of(row.issuer_id);
        const auto key = issuer ? crypto::PublicKey::from_spki(issuer->spki(), crypto::KeyUse::authority) : core::Result<crypto::PublicKey>(issuer.error());
        const bool good = certificate && subject && key && certificate->spki() == subject->spki() && certificate->signed_by(*key);
        p.findings.judge("keys.root_crossed", good ? "" : name + " is not what it should be", name + " is signed by it", "restore the database from the backup");
    }
}

void examine_root_file(Patient& p, const std::vector<store::AuthorityRow>& all) {
    const auto held = first_certificate(p.path("root.pem"));
    bool same = false;
    for (const auto& row : all) same = same || (row.kind == "root" && held && held->der() == row.certificate);
    p.findings.judge("keys.root_file", same ? "" : p.path("root.pem") + " is not the root of this CA", "root.pem is the root that clients must trust",
                     "take the file away and restart the server, which writes it anew; clients that were given the other one trust a stranger");
}

/// When it was revoked, if it was.
std::optional<core::TimePoint> revoked_at(const Patient& p, const crypto::Certificate& leaf) {
    for (const auto& raw : p.read(store::certificate_by_serial, store::values(leaf.serial()))) {
        const auto row = store::CertificateRow::from(raw);
        if (row.der == leaf.der() && row.status == "revoked") return row.revoked.value_or(row.created);
    }
    return std::nullopt;
}

/// The operator's: when it is renewed, and by whom it was issued, is theirs.
void examine_configured_tls(Patient& p) {
    const auto& path = p.config.tls_certificate;
    const auto& key_path = p.config.tls_key;
    std::string wrong, until;
    try {
        const auto leaf = first_certificate(path);
        if (!leaf) throw std::runtime_error(path + " holds no certificate");
        until = path + " ends at " + core::rfc3339(leaf->not_after());
        require_private(key_path);
        const core::SecretText text(read_file(key_path));
        const auto key = crypto::PrivateKey::from_pem(text.expose());
        if (!key || key->public_key().spki() != leaf->spki()) wrong = key_path + " is not the key of " + path;
        else if (leaf->not_after() < p.clock.now()) wrong = until + ": it is over";
    } catch (const std::runtime_error& e) {
        wrong = e.what();
    }
    p.findings.judge("keys.tls", wrong, until, "mend what [tls] names, then: postern reload");
}

void examine_tls(Patient& p, const std::vector<store::AuthorityRow>& all) {
    constexpr std::string_view check = "keys.tls";
    const std::string advice = p.closed ? "open the restored installation first (store.restored), then move tls/ away and restart the server: it enrolls a new certificate"
                                        : "move tls/ away and restart the server: it enrolls a new certificate";
    if (!p.config.tls_certificate.empty()) return examine_configured_tls(p);
    const auto leaf = first_certificate(p.path("tls/server.pem"));
    if (!leaf) return p.findings.failed(std::string(check), p.path("tls/server.pem") + " holds no certificate", advice);
    std::string wrong;
    std::error_code none;
    if (!std::filesystem::exists(p.path("tls/server.key"), none)) {
        wrong = p.path("tls/server.key") + " is missing";
    } else {
        const core::SecretText text(read_file(p.path("tls/server.key")));
        const auto key = crypto::PrivateKey::from_pem(text.expose());
        if (!key || key->public_key().spki() != leaf->spki()) wrong = "tls/server.key is not the key of tls/server.pem";
    }
    const auto life = leaf->not_after() - leaf->not_before();
    const auto left = leaf->not_after() - p.clock.now();
    const auto until = "the server's own certificate ends at " + core::rfc3339(leaf->not_after());
    if (wrong.empty() && left <= std::chrono::milliseconds{0}) wrong = until + ": it is over";
    // Renewed at two thirds by a server that runs.
    if (wrong.empty() && p.server && left < life / 4) wrong = until + " and was not renewed";
    if (const auto at = revoked_at(p, *leaf); wrong.empty() && at)
        return p.findings.failed(std::string(check), "the server's own certificate was revoked at " + core::rfc3339(*at),
                                 p.closed   ? "open the restored installation (store.restored): then the server enrolls another"
                                 : p.server ? "the server replaces it within a minute; if it does not, its log says why (own_tls_refused)"
                                            : "start the server: it enrolls another");
    bool ours = false;
    for (const auto& row : all) {
        const auto issuer = crypto::Certificate::parse(row.certificate);
        const auto key = issuer ? crypto::PublicKey::from_spki(issuer->spki(), crypto::KeyUse::authority) : core::Result<crypto::PublicKey>(issuer.error());
        ours = ours || (key && leaf->signed_by(*key));
    }
    if (wrong.empty() && !ours) wrong = "tls/server.pem was not issued by this CA";
    p.findings.judge(std::string(check), wrong, until, advice);
}

}  // namespace

void examine_keys(Patient& p) {
    crypto::SystemRandom random;
    const auto sealer = examine_master(p, random);
    if (!p.database) return;
    std::vector<store::AuthorityRow> all;
    for (const auto& raw : p.read(store::authority_all)) all.push_back(store::AuthorityRow::from(raw));
    if (all.empty()) return p.findings.failed("keys.authorities", "the database knows no CA", "start the server once, or restore the backup");
    if (sealer)
        for (const auto& row : all) examine_authority(p, row, all, *sealer);
    examine_crossed(p, all);
    examine_root_file(p, all);
    examine_tls(p, all);
}

}  // namespace postern::app::doctor

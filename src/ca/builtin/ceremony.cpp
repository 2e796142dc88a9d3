#include "ca/builtin/ceremony.hpp"

#include <algorithm>
#include <map>

#include "core/base/encoding.hpp"
#include "core/crypto/certificate_template.hpp"
#include "store/tables/authority.hpp"
#include "store/tables/setting.hpp"

namespace postern::ca {
namespace {

using crypto::KeyUsageBit;

/// CAs begin a day ago: a leaf may be backdated for clients whose clocks are behind, and a Windows
/// machine at its first start can be hours off.
constexpr std::chrono::hours backdated{24};

crypto::DistinguishedName named(const BuiltinConfig& config, std::string_view role) {
    crypto::DistinguishedName out;
    out.entries.emplace_back(crypto::DnAttribute::organization, config.name);
    out.entries.emplace_back(crypto::DnAttribute::common_name, config.name + std::string(role));
    return out;
}

crypto::CertificateShape shape_of_ca(const crypto::PrivateKey& signer) {
    crypto::CertificateShape out;
    out.algorithm = signer.default_algorithm();
    out.authority_key_id = signer.public_key().key_identifier();
    out.ca = true;
    out.key_usage = {KeyUsageBit::key_cert_sign, KeyUsageBit::crl_sign};
    return out;
}

/// Of a CA that a root of ours issues for.
crypto::CertificateShape shape_below(const BuiltinConfig& config, const Authority& root) {
    auto out = shape_of_ca(root.key);
    out.issuer_der = root.certificate.subject_der();
    out.ca_issuers_url = ca_issuers_url(config.public_http, root.key_id);
    out.crl_url = crl_url(config.public_http, root.key_id);
    return out;
}

crypto::CertificateShape shape_of_issuing(const BuiltinConfig& config, const Authority& root) {
    auto out = shape_below(config, root);
    out.path_length = 0;
    return out;
}

/// What of a CA certificate is not its signer's.
struct Certified {
    Certified(core::Bytes name, core::TimePoint begin, core::TimePoint end) : subject(std::move(name)), from(begin), to(end) {}
    core::Bytes subject;
    core::TimePoint from, to;
};

crypto::Certificate sign_certificate(const crypto::PublicKey& key, const crypto::PrivateKey& signer, crypto::CertificateShape shape, core::Random& random,
                                     const Certified& what) {
    crypto::CertificateFields fields;
    fields.serial = random_serial(random);
    fields.not_before = what.from;
    fields.not_after = what.to;
    fields.subject_der = what.subject;
    fields.spki = key.spki();
    fields.subject_key_id = key.key_identifier();
    const crypto::CertificateTemplate form(std::move(shape));
    const auto tbs = form.to_be_signed(fields);
    const auto algorithm = form.shape().algorithm;
    auto parsed = crypto::Certificate::parse(crypto::assemble_signed(tbs, algorithm, signer.sign(algorithm, tbs)));
    if (!parsed) throw std::logic_error("the CA certificate just made cannot be read: " + parsed.error().detail);
    return std::move(*parsed);
}

Authority authority_of(crypto::PrivateKey key, crypto::Certificate certificate, const std::string& issuer_id) {
    Authority out;
    out.key_id = core::hex(certificate.subject_key_id());
    out.root = issuer_id.empty();
    out.issuer_id = out.root ? out.key_id : issuer_id;
    out.certificate = std::move(certificate);
    out.key = std::move(key);
    return out;
}

Authority make_root(const BuiltinConfig& config, std::string_view role, core::Random& random, core::TimePoint from, core::TimePoint to) {
    auto key = crypto::PrivateKey::generate(config.root_key);
    const Certified what(named(config, role).to_der(), from, to);
    auto shape = shape_of_ca(key);
    shape.issuer_der = what.subject;
    auto certificate = sign_certificate(key.public_key(), key, std::move(shape), random, what);
    return authority_of(std::move(key), std::move(certificate), {});
}

Authority make_issuing(const BuiltinConfig& config, const Authority& root, std::string_view role, core::Random& random, core::TimePoint from, core::TimePoint to) {
    auto key = crypto::PrivateKey::generate(config.issuing_key);
    const Certified what(named(config, role).to_der(), std::max<core::TimePoint>(from, root.certificate.not_before()),
                         std::min<core::TimePoint>(to, root.certificate.not_after()));
    auto certificate = sign_certificate(key.public_key(), root.key, shape_of_issuing(config, root), random, what);
    return authority_of(std::move(key), std::move(certificate), root.key_id);
}

/// No path length: it would end with the next root but one.
std::shared_ptr<const CrossCertificate> make_crossed(const BuiltinConfig& config, const Authority& subject, const Authority& issuer, core::Random& random,
                                                     core::TimePoint from, core::TimePoint to) {
    const Certified what(subject.certificate.subject_der(), from, to);
    auto out = std::make_shared<CrossCertificate>();
    out->subject_id = subject.key_id;
    out->issuer_id = issuer.key_id;
    out->certificate = sign_certificate(subject.key.public_key(), issuer.key, shape_below(config, issuer), random, what);
    return out;
}

/// Of the last second of a lifetime that begins at `from`.
core::TimePoint end_of(core::TimePoint from, std::chrono::hours lifetime) { return core::floor_seconds(from) + lifetime - std::chrono::seconds(1); }

store::Values row_of(const Authority& authority, core::TimePoint now) {
    store::AuthorityRow row;
    row.key_id = authority.key_id;
    row.kind = authority.root ? "root" : "issuing";
    row.issuer_id = authority.issuer_id;
    row.certificate = authority.certificate.der();
    row.created = now;
    return row.insert_values();
}

std::string record_of(const std::string& key_id) { return "the database's record of CA " + key_id; }

/// Without its key.
Authority read_authority(const store::AuthorityRow& row) {
    const auto where = record_of(row.key_id);
    auto certificate = crypto::Certificate::parse(row.certificate);
    if (!certificate)
        throw std::runtime_error(where + " holds no certificate (" + certificate.error().detail + "); restore the database from the backup");
    Authority out;
    out.key_id = row.key_id;
    out.issuer_id = row.issuer_id;
    out.root = row.kind == "root";
    out.certificate = std::move(*certificate);
    return out;
}

/// A lost key of one that has ended stops nothing: who trusts it trusts none of its certificates any more.
core::Task<void> open_key_of(Authority& authority, KeyRows& keys, bool needed) {
    bool there = needed;
    if (!there) there = co_await keys.holds(authority.key_id);
    if (!there) co_return;
    authority.key = co_await keys.find(authority.key_id);
    if (authority.certificate.spki() != authority.key.public_key().spki() || core::hex(authority.certificate.subject_key_id()) != authority.key_id)
        throw std::runtime_error("CA key " + keys.where(authority.key_id) + " does not belong to the certificate in " + record_of(authority.key_id) +
                                 ": one of them was exchanged; restore database and keys folder from the same backup");
    if (!authority.certificate.is_ca())
        throw std::runtime_error(record_of(authority.key_id) + " holds a certificate that is no CA's; restore the database from the backup");
}

void check_signed(const crypto::Certificate& certificate, const std::string& key_id, const Authority& issuer) {
    const auto key = crypto::PublicKey::from_spki(issuer.certificate.spki(), crypto::KeyUse::authority);
    if (key && certificate.issuer_der() == issuer.certificate.subject_der() && certificate.authority_key_id() == issuer.certificate.subject_key_id() &&
        certificate.signed_by(*key))
        return;
    throw std::runtime_error("the certificate of CA " + key_id + " was not signed by CA " + issuer.key_id +
                             " that the database names as its issuer: it was exchanged; restore the database from the backup");
}

/// Every member's issuer is a root of the same hierarchy, and signed it.
void check_chains(const Hierarchy& all) {
    for (const auto* list : {&all.roots, &all.issuing})
        for (const auto& member : *list) {
            const auto root = all.root_of(*member);
            if (!root || !root->root || (member->root && root != member)) throw std::runtime_error("the database names a wrong issuer for a CA; restore it from the backup");
            check_signed(member->certificate, member->key_id, *root);
        }
}

/// What roots say of one another. Read after the authorities: what another node has just written may name one that is not known here yet.
core::Task<void> load_crossed(Hierarchy& out, store::Database& db) {
    const store::Rows rows = co_await db.read(store::cross_certificate_all, store::Values());
    for (const auto& row : rows) {
        const auto record = store::CrossCertificateRow::from(row);
        const auto subject = out.find(record.subject_id), issuer = out.find(record.issuer_id);
        if (!subject || !issuer) continue;
        auto certificate = crypto::Certificate::parse(record.certificate);
        if (!certificate || certificate->spki() != subject->certificate.spki() || certificate->subject_der() != subject->certificate.subject_der())
            throw std::runtime_error("what the database holds as the certificate of CA " + subject->key_id + " by CA " + issuer->key_id +
                                     " is another one; restore the database from the backup");
        check_signed(*certificate, subject->key_id, *issuer);
        auto crossed = std::make_shared<CrossCertificate>();
        crossed->subject_id = record.subject_id;
        crossed->issuer_id = record.issuer_id;
        crossed->certificate = std::move(*certificate);
        out.crossed.push_back(std::move(crossed));
    }
    const auto old_with_new = [&](const auto& c) { return out.find(c->subject_id)->takes_over < out.find(c->issuer_id)->takes_over; };
    std::ranges::stable_partition(out.crossed, [&](const auto& c) { return !old_with_new(c); });
}

/// Of who issues at that time, or the root above.
bool of_today(const Hierarchy& all, const Authority& authority, core::TimePoint now) {
    const auto& today = *all.today(now);
    return authority.key_id == today.key_id || authority.key_id == today.issuer_id;
}

/// A root takes over with the first issuing CA under it, and is withdrawn with it.
void date_roots(std::vector<std::shared_ptr<Authority>>& roots, const Hierarchy& all) {
    for (auto& root : roots) {
        root->takes_over = store::never_takes_over;
        for (const auto& issuing : all.issuing)
            if (issuing->issuer_id == root->key_id) root->takes_over = std::min(root->takes_over, issuing->takes_over);
        root->withdrawn = root->takes_over >= store::never_takes_over;
    }
    std::ranges::stable_sort(roots, {}, [](const auto& root) { return root->takes_over; });
}

}  // namespace

core::Bytes random_serial(core::Random& random) {
    for (;;) {
        auto serial = random.bytes(16);
        serial[0] &= 0x7fU;
        // Drawn again rather than patched: every value that is left stays equally likely (X14).
        if (serial[0] != 0) return serial;
    }
}

Hierarchy make_hierarchy(const BuiltinConfig& config, core::Random& random, core::TimePoint now) {
    if (config.issuing_lifetime > config.root_lifetime)
        throw std::runtime_error("the issuing CA would outlive the root; make the root's lifetime the longer one");
    const auto from = core::floor_seconds(now) - backdated;
    Hierarchy out;
    out.roots.push_back(std::make_shared<const Authority>(make_root(config, " Root CA", random, from, end_of(now, config.root_lifetime))));
    out.issuing.push_back(std::make_shared<const Authority>(make_issuing(config, *out.roots.front(), " Issuing CA", random, from, end_of(now, config.issuing_lifetime))));
    return out;
}

core::TimePoint end_of_next_root(const BuiltinConfig& config, core::TimePoint takes_over) { return end_of(takes_over, config.root_lifetime); }

Succession make_succession(const BuiltinConfig& config, const Hierarchy& hierarchy, core::Random& random, core::TimePoint now, core::TimePoint takes_over, NewRoot new_root) {
    const auto today = hierarchy.root(now);
    const auto from = core::floor_seconds(now) - backdated;
    const auto until = end_of(takes_over, config.issuing_lifetime);
    // Names of their own: two CAs of one name would be told apart by their keys alone, which not every client looks at.
    const auto name = " Issuing CA " + std::to_string(hierarchy.issuing.size() + 1);
    Succession out;
    if (new_root == NewRoot::yes) {
        const auto& old = today->certificate;
        const auto begin = std::max<core::TimePoint>(from, old.not_before());
        out.root = make_root(config, " Root CA " + std::to_string(hierarchy.roots.size() + 1), random, begin, end_of_next_root(config, takes_over));
        if (old.not_after() > now) {
            // RFC 4210 §4.4: both end with the old key.
            out.crossed.push_back(make_crossed(config, *out.root, *today, random, begin, old.not_after()));
            out.crossed.push_back(make_crossed(config, *today, *out.root, random, old.not_before(), old.not_after()));
        }
        out.root->takes_over = takes_over;
    }
    out.issuing = make_issuing(config, out.root ? *out.root : *today, name, random, from, until);
    out.issuing.takes_over = takes_over;
    return out;
}

void record_succession(store::Batch& batch, const Succession& made, KeyStore& keys, core::TimePoint now) {
    if (made.root) {
        keys.keep(batch, made.root->key_id, made.root->key, now);
        batch.add(store::authority_insert, row_of(*made.root, now));
    }
    keys.keep(batch, made.issuing.key_id, made.issuing.key, now);
    batch.add(store::authority_insert, row_of(made.issuing, now));
    for (const auto& each : made.crossed) {
        store::CrossCertificateRow row;
        row.subject_id = each->subject_id;
        row.issuer_id = each->issuer_id;
        row.serial = each->certificate.serial();
        row.certificate = each->certificate.der();
        row.created = now;
        batch.add(store::cross_certificate_insert, row.insert_values());
    }
    batch.add(store::succession_insert, store::values(made.issuing.key_id, made.issuing.takes_over, now));
}

core::Task<bool> record_hierarchy(std::shared_ptr<const Hierarchy> made, KeyStore& keys, store::Database& db, core::TimePoint now) {
    store::Batch batch;
    const auto& root = made->roots.front();
    // Whoever writes this first makes the CA; two CAs have no other row in common.
    batch.add(store::setting_insert, store::values("ca.root", root->key_id));
    const auto& issuing = made->issuing.front();
    for (const auto& authority : {root, issuing}) keys.keep(batch, authority->key_id, authority->key, now);
    batch.add(store::authority_insert, row_of(*root, now));
    batch.add(store::authority_insert, row_of(*issuing, now));
    const auto written = co_await db.write(std::move(batch));
    co_return written.has_value();
}

core::Task<std::optional<Hierarchy>> load_hierarchy(KeyRows& keys, store::Database& db, core::TimePoint now) {
    const store::Rows rows = co_await db.read(store::authority_all, store::Values());
    if (rows.empty()) co_return std::nullopt;
    std::map<std::string, core::TimePoint> takes_over;
    const store::Rows successions = co_await db.read(store::succession_all, store::Values());
    for (const auto& row : successions) takes_over[row.text(0)] = row.time(1);
    Hierarchy out;
    std::vector<std::shared_ptr<Authority>> roots, all;
    int without = 0;
    for (const auto& row : rows) {
        const auto record = store::AuthorityRow::from(row);
        const auto when = takes_over.find(record.key_id);
        if (record.kind == "issuing" && when == takes_over.end() && ++without > 1)
            throw std::runtime_error("the database knows several issuing CAs and not when each takes over; restore it from the backup");
        auto authority = std::make_shared<Authority>(read_authority(record));
        all.push_back(authority);
        if (authority->root) {
            roots.push_back(std::move(authority));
            continue;
        }
        if (when != takes_over.end()) authority->takes_over = when->second;
        authority->withdrawn = authority->takes_over >= store::never_takes_over;
        out.issuing.push_back(std::move(authority));
    }
    if (roots.empty() || out.issuing.empty())
        throw std::runtime_error("the database knows only one of root and issuing CA; restore it from the backup");
    std::ranges::stable_sort(out.issuing, {}, [](const auto& authority) { return authority->takes_over; });
    date_roots(roots, out);
    out.roots.assign(roots.begin(), roots.end());
    for (const auto& each : all) {
        const bool needed = each->certificate.not_after() > now || of_today(out, *each, now);
        co_await open_key_of(*each, keys, needed);
    }
    check_chains(out);
    co_await load_crossed(out, db);
    co_return out;
}

}  // namespace postern::ca

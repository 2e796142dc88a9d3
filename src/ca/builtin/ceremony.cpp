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

crypto::CertificateShape shape_of_issuing(const BuiltinConfig& config, const Authority& root) {
    auto out = shape_of_ca(root.key);
    out.issuer_der = root.certificate.subject_der();
    out.path_length = 0;
    out.ca_issuers_url = ca_issuers_url(config.public_http, root.key_id);
    out.crl_url = crl_url(config.public_http, root.key_id);
    return out;
}

Authority certify(crypto::PrivateKey key, const crypto::PrivateKey& signer, crypto::CertificateShape shape,
                  const core::Bytes& subject, core::Bytes serial, core::TimePoint from, core::TimePoint to) {
    crypto::CertificateFields fields;
    fields.serial = std::move(serial);
    fields.not_before = from;
    fields.not_after = to;
    fields.subject_der = subject;
    fields.spki = key.public_key().spki();
    fields.subject_key_id = key.public_key().key_identifier();
    const crypto::CertificateTemplate form(std::move(shape));
    const auto tbs = form.to_be_signed(fields);
    const auto algorithm = form.shape().algorithm;
    auto parsed = crypto::Certificate::parse(crypto::assemble_signed(tbs, algorithm, signer.sign(algorithm, tbs)));
    if (!parsed) throw std::logic_error("the CA certificate just made cannot be read: " + parsed.error().detail);
    Authority out;
    out.key_id = core::hex(parsed->subject_key_id());
    out.certificate = std::move(*parsed);
    out.key = std::move(key);
    return out;
}

store::Values row_of(const Authority& authority, const Authority& issuer, core::TimePoint now) {
    store::AuthorityRow row;
    row.key_id = authority.key_id;
    row.kind = authority.root ? "root" : "issuing";
    row.issuer_id = issuer.key_id;
    row.certificate = authority.certificate.der();
    row.created = now;
    return row.insert_values();
}

core::Task<Authority> open_authority(store::AuthorityRow row, KeyStore& keys) {
    const std::string where = "the database's record of CA " + row.key_id;
    auto certificate = crypto::Certificate::parse(row.certificate);
    if (!certificate)
        throw std::runtime_error(where + " holds no certificate (" + certificate.error().detail + "); restore the database from the backup");
    Authority out;
    out.key_id = row.key_id;
    out.root = row.kind == "root";
    out.key = co_await keys.find(row.key_id);
    if (certificate->spki() != out.key.public_key().spki() || core::hex(certificate->subject_key_id()) != row.key_id)
        throw std::runtime_error("CA key " + keys.where(row.key_id) + " does not belong to the certificate in " + where +
                                 ": one of them was exchanged; restore database and keys folder from the same backup");
    if (!certificate->is_ca())
        throw std::runtime_error(where + " holds a certificate that is no CA's; restore the database from the backup");
    out.certificate = std::move(*certificate);
    co_return out;
}

void check_chain(const Authority& issued, const Authority& issuer) {
    if (issued.certificate.issuer_der() == issuer.certificate.subject_der() &&
        issued.certificate.authority_key_id() == issuer.certificate.subject_key_id() &&
        issued.certificate.signed_by(issuer.key.public_key()))
        return;
    throw std::runtime_error("the certificate of CA " + issued.key_id + " was not signed by CA " + issuer.key_id +
                             " that the database names as its issuer: it was exchanged; restore the database from the backup");
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
    const auto until = [&](std::chrono::hours lifetime) { return core::floor_seconds(now) + lifetime - std::chrono::seconds(1); };

    auto root_key = crypto::PrivateKey::generate(config.root_key);
    const auto root_name = named(config, " Root CA").to_der();
    auto root_shape = shape_of_ca(root_key);
    root_shape.issuer_der = root_name;
    Authority root = certify(root_key, root_key, std::move(root_shape), root_name, random_serial(random), from,
                             until(config.root_lifetime));
    root.root = true;

    auto shape = shape_of_issuing(config, root);
    Hierarchy out;
    out.issuing.push_back(std::make_shared<const Authority>(certify(crypto::PrivateKey::generate(config.issuing_key), root.key, std::move(shape),
                                                                    named(config, " Issuing CA").to_der(), random_serial(random), from,
                                                                    until(config.issuing_lifetime))));
    out.root = std::make_shared<const Authority>(std::move(root));
    return out;
}

Authority make_successor(const BuiltinConfig& config, const Hierarchy& hierarchy, core::Random& random, core::TimePoint now, core::TimePoint takes_over) {
    const Authority& root = *hierarchy.root;
    // A name of its own: two CAs of one name would be told apart by their keys alone, which not every client looks at.
    const auto name = named(config, " Issuing CA " + std::to_string(hierarchy.issuing.size() + 1)).to_der();
    const auto from = std::max<core::TimePoint>(core::floor_seconds(now) - backdated, root.certificate.not_before());
    const auto until = std::min<core::TimePoint>(core::floor_seconds(takes_over) + config.issuing_lifetime - std::chrono::seconds(1), root.certificate.not_after());
    Authority out = certify(crypto::PrivateKey::generate(config.issuing_key), root.key, shape_of_issuing(config, root), name, random_serial(random), from, until);
    out.takes_over = takes_over;
    return out;
}

void record_successor(store::Batch& batch, const Authority& made, const Authority& root, KeyStore& keys, core::TimePoint now) {
    keys.keep(batch, made.key_id, made.key, now);
    batch.add(store::authority_insert, row_of(made, root, now));
    batch.add(store::succession_insert, store::values(made.key_id, made.takes_over, now));
}

core::Task<bool> record_hierarchy(std::shared_ptr<const Hierarchy> made, KeyStore& keys, store::Database& db, core::TimePoint now) {
    store::Batch batch;
    // Whoever writes this first makes the CA; two CAs have no other row in common.
    batch.add(store::setting_insert, store::values("ca.root", made->root->key_id));
    const auto& issuing = made->issuing.front();
    for (const auto& authority : {made->root, issuing}) keys.keep(batch, authority->key_id, authority->key, now);
    batch.add(store::authority_insert, row_of(*made->root, *made->root, now));
    batch.add(store::authority_insert, row_of(*issuing, *made->root, now));
    const auto written = co_await db.write(std::move(batch));
    co_return written.has_value();
}

core::Task<std::optional<Hierarchy>> load_hierarchy(KeyStore& keys, store::Database& db) {
    const store::Rows rows = co_await db.read(store::authority_all, store::Values());
    if (rows.empty()) co_return std::nullopt;
    std::map<std::string, core::TimePoint> takes_over;
    std::map<std::string, std::string> issuer_ids;
    const store::Rows successions = co_await db.read(store::succession_all, store::Values());
    for (const auto& row : successions) takes_over[row.text(0)] = row.time(1);
    Hierarchy out;
    int without = 0;
    for (const auto& row : rows) {
        const auto record = store::AuthorityRow::from(row);
        const bool root = record.kind == "root";
        const auto when = takes_over.find(record.key_id);
        if (root ? out.root != nullptr : when == takes_over.end() && ++without > 1)
            throw std::runtime_error("the database knows several " + record.kind + " CAs and not when each takes over; restore it from the backup");
        auto authority = co_await open_authority(record, keys);
        if (when != takes_over.end()) authority.takes_over = when->second;
        authority.withdrawn = authority.takes_over >= store::never_takes_over;
        auto opened = std::make_shared<const Authority>(std::move(authority));
        issuer_ids[opened->key_id] = record.issuer_id;
        if (root) out.root = std::move(opened);
        else out.issuing.push_back(std::move(opened));
    }
    if (!out.root || out.issuing.empty())
        throw std::runtime_error("the database knows only one of root and issuing CA; restore it from the backup");
    for (const auto& [key_id, issuer] : issuer_ids)
        if (issuer != out.root->key_id) throw std::runtime_error("the database names a wrong issuer for a CA; restore it from the backup");
    check_chain(*out.root, *out.root);
    for (const auto& issuing : out.issuing) check_chain(*issuing, *out.root);
    std::ranges::stable_sort(out.issuing, {}, [](const auto& authority) { return authority->takes_over; });
    co_return out;
}

}  // namespace postern::ca

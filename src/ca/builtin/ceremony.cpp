#include "ca/builtin/ceremony.hpp"

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

core::Task<std::shared_ptr<const Authority>> open_authority(store::AuthorityRow row, KeyStore& keys) {
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
    co_return std::make_shared<const Authority>(std::move(out));
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

    auto shape = shape_of_ca(root.key);
    shape.issuer_der = root_name;
    shape.path_length = 0;
    shape.ca_issuers_url = ca_issuers_url(config.public_http, root.key_id);
    shape.crl_url = crl_url(config.public_http, root.key_id);
    Authority issuing = certify(crypto::PrivateKey::generate(config.issuing_key), root.key, std::move(shape),
                                named(config, " Issuing CA").to_der(), random_serial(random), from,
                                until(config.issuing_lifetime));
    Hierarchy out;
    out.root = std::make_shared<const Authority>(std::move(root));
    out.issuing = std::make_shared<const Authority>(std::move(issuing));
    return out;
}

core::Task<bool> record_hierarchy(std::shared_ptr<const Hierarchy> made, KeyStore& keys, store::Database& db, core::TimePoint now) {
    store::Batch batch;
    // Whoever writes this first makes the CA; two CAs have no other row in common.
    batch.add(store::setting_insert, store::values("ca.root", made->root->key_id));
    for (const auto& authority : {made->root, made->issuing}) keys.keep(batch, authority->key_id, authority->key, now);
    batch.add(store::authority_insert, row_of(*made->root, *made->root, now));
    batch.add(store::authority_insert, row_of(*made->issuing, *made->root, now));
    const auto written = co_await db.write(std::move(batch));
    co_return written.has_value();
}

core::Task<std::optional<Hierarchy>> load_hierarchy(KeyStore& keys, store::Database& db) {
    const store::Rows rows = co_await db.read(store::authority_all, store::Values());
    if (rows.empty()) co_return std::nullopt;
    Hierarchy out;
    std::string issuing_issuer, root_issuer;
    for (const auto& row : rows) {
        const auto record = store::AuthorityRow::from(row);
        const bool root = record.kind == "root";
        auto& place = root ? out.root : out.issuing;
        if (place) throw std::runtime_error("the database knows several " + record.kind + " CAs; this version serves one of each");
        place = co_await open_authority(record, keys);
        (root ? root_issuer : issuing_issuer) = record.issuer_id;
    }
    if (!out.root || !out.issuing)
        throw std::runtime_error("the database knows only one of root and issuing CA; restore it from the backup");
    if (root_issuer != out.root->key_id || issuing_issuer != out.root->key_id)
        throw std::runtime_error("the database names a wrong issuer for a CA; restore it from the backup");
    check_chain(*out.root, *out.root);
    check_chain(*out.issuing, *out.root);
    co_return out;
}

}  // namespace postern::ca

#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/json/writer.hpp"
#include "ra/audit.hpp"
#include "scep/ra_credentials.hpp"

/// RA certificates of CAs that issue them by hand.
namespace postern::scep {

namespace {

using core::Problem;
using core::ProblemKind;

Problem malformed(std::string detail) { return {ProblemKind::malformed, std::move(detail)}; }

/// What was given, read and found to belong together.
struct Given {
    Given() = default;
    crypto::Certificate leaf;
    crypto::PrivateKey key;
    CaChain chain;
    std::string issuers_pem;
};

core::Result<Given> read(const RaCredentials::Import& import, core::TimePoint now) {
    Given out;
    auto key = crypto::PrivateKey::from_pem(import.key.expose());
    if (!key) return malformed("key: " + key.error().detail);
    const auto blocks = crypto::from_pem("CERTIFICATE", import.certificates);
    if (!blocks || blocks->empty()) return malformed("certificates: expected PEM, the RA's certificate first");
    if (blocks->size() < 2) return malformed("certificates: the RA's own must be followed by who issued it, up to the root: clients are shown all of them");
    auto leaf = crypto::Certificate::parse(blocks->front());
    if (!leaf) return malformed("certificates: " + leaf.error().detail);
    if (leaf->spki() != key->public_key().spki()) return malformed("the key does not belong to the first certificate");
    if (leaf->not_after() <= now) return malformed("the certificate ended at " + core::rfc3339(leaf->not_after()));
    if (leaf->not_before() > now) return malformed("the certificate begins at " + core::rfc3339(leaf->not_before()));
    for (std::size_t i = 0; i < blocks->size(); ++i) {
        auto certificate = crypto::CmsCertificate::parse((*blocks)[i]);
        if (!certificate) return malformed("certificates: " + certificate.error().detail);
        if (i == 0) {
            out.chain.ra = std::move(*certificate);
            continue;
        }
        out.issuers_pem += crypto::to_pem("CERTIFICATE", (*blocks)[i]);
        out.chain.issuers.push_back(std::move(*certificate));
    }
    // What no client could use is not taken; the form leaves open whether the root is among them.
    if (auto problem = check_chain(out.chain, ChainForm::chain)) return *problem;
    out.leaf = std::move(*leaf);
    out.key = std::move(*key);
    return out;
}

}  // namespace

core::Task<core::Result<RaCredentials::Imported>> RaCredentials::import(Import given, ra::Principal by, core::RequestId request) {
    const auto catalog = deps_.catalog.current();
    const auto* endpoint = catalog->endpoint(ra::Protocol::scep, given.endpoint);
    if (endpoint == nullptr || (by.tenant && *by.tenant != endpoint->tenant)) co_return Problem(ProblemKind::not_found, "there is no SCEP endpoint named " + given.endpoint);
    const auto source = ra_source(*catalog, *endpoint);
    if (!source.imported())
        co_return Problem(ProblemKind::conflict, "the document of endpoint " + endpoint->name + " does not say ra = \"imported\": its RA's certificate comes from elsewhere");
    auto read_one = read(given, deps_.clock.now());
    if (!read_one) co_return read_one.error();
    const auto& chain = read_one->chain;

    store::RaCertificateRow row;
    row.id = co_await deps_.numbers.next(store::Series::certificate);
    row.source = source.key;
    row.key_id = core::hex(read_one->key.public_key().key_identifier());
    row.certificate = read_one->leaf.der();
    row.issuer_key_id = core::hex(read_one->leaf.authority_key_id());
    row.not_after = read_one->leaf.not_after();
    row.created = deps_.clock.now();
    row.chain = read_one->issuers_pem;
    Imported out;
    out.serial = core::hex(read_one->leaf.serial());
    out.until = core::rfc3339(row.not_after);

    ra::AuditRecord record;
    record.at = row.created;
    record.tenant = endpoint->tenant;
    record.request = std::move(request);
    record.actor = by.actor;
    record.action = "scep.ra_imported";
    record.object_kind = "endpoint";
    record.object_id = endpoint->name;
    json::Writer detail;
    detail.begin_object().member("serial", out.serial).member("until", out.until).member("key", row.key_id).end_object();
    record.detail = detail.take();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    batch.add(store::ra_certificate_none_of, store::values(row.key_id));
    deps_.keys.keep(batch, row.key_id, read_one->key, row.created);
    batch.add(store::ra_certificate_insert, row.insert_values());
    ra::add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "that key is here already: a new certificate of the RA has a new key");
    deps_.log.info("scep_ra_imported", {{"endpoint", endpoint->name}, {"serial", out.serial}, {"until", out.until}, {"by", by.name}});

    // The other nodes, and this one's list, follow within a minute; here it is read at once.
    co_await load_issuers(source);
    RaCredential credential;
    credential.identity.certificate = *chain.ra;
    credential.issuers = chain.issuers;
    const auto shown = chain_of(source, credential);
    if (const auto wrong = check_chain(shown, ChainForm::chain_and_root)) out.warning = wrong->detail;
    co_await load(source);
    tell_well(source.key);
    co_return out;
}

}  // namespace postern::scep

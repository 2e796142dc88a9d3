#include "core/base/encoding.hpp"
#include "core/base/unavailable.hpp"
#include "ra/own_request.hpp"
#include "scep/ra_credentials.hpp"
#include "store/tables/submission.hpp"

/// How the RA gets its certificates: asked for under a key and an attempt that are kept until the CA has decided, so that a
/// crash, another node or days of waiting end in the one certificate.
namespace postern::scep {

namespace {

constexpr std::string_view own_profile = "scep-ra";
constexpr std::string_view common_name = "Postern SCEP RA";
/// The smallest that every client takes; only RSA keys can be encrypted to by all of them.
const crypto::KeySpec key_spec(crypto::KeyType::rsa, 2048);

}  // namespace

struct RaCredentials::Begun {
    Begun() = default;
    store::RaRequestRow row;
    crypto::PrivateKey key;
};

/// What is under way, or a new key. Nothing: another node has taken the lease meanwhile.
core::Task<std::optional<RaCredentials::Begun>> RaCredentials::begin(std::string name) {
    Begun out;
    auto by_name = store::values(name);
    const auto found = co_await store::read_one(deps_.db, store::ra_request_get, std::move(by_name));
    if (found) {
        out.row = store::RaRequestRow::from(*found);
        auto key = co_await find_key(out.row.key_id);
        if (key) {
            out.key = std::move(*key);
            co_return out;
        }
    }
    const auto generate = [] { return crypto::PrivateKey::generate(key_spec); };
    auto made = co_await deps_.pool.run(generate);
    if (!made) throw core::Unavailable(made.error().detail);
    out.key = std::move(*made);
    store::Batch batch;
    lease_.guard(batch);
    if (found) batch.add(store::ra_request_remove, store::values(out.row.name, out.row.attempt));
    out.row.name = std::move(name);
    out.row.key_id = core::hex(out.key.public_key().key_identifier());
    out.row.attempt = deps_.random.request_id().get();
    out.row.created = deps_.clock.now();
    deps_.keys.keep(batch, out.row.key_id, out.key, out.row.created);
    batch.add(store::ra_request_insert, out.row.insert_values());
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return std::nullopt;
    co_return out;
}

core::Task<void> RaCredentials::enroll(RaSource source, std::string issuer) {
    const auto catalog = deps_.catalog.current();
    const auto* endpoint = catalog->endpoint(ra::Protocol::system, "system");
    const auto* profile = source.profile ? catalog->profile(source.profile->id) : endpoint ? catalog->profile(endpoint->tenant, own_profile) : nullptr;
    if (profile == nullptr) throw std::runtime_error("the profile that the RA is enrolled by is missing from the store");
    const auto* backend = deps_.backends.find(profile->backend);
    if (backend == nullptr) throw std::runtime_error("the RA's certificate comes from backend " + profile->backend + ", which is not there or disabled");
    auto name = source.key;
    if (!issuer.empty()) name += " " + issuer;
    auto beginning = begin(std::move(name));
    auto begun = co_await std::move(beginning);
    if (!begun) co_return;

    crypto::DistinguishedName subject;
    subject.entries.emplace_back(crypto::DnAttribute::common_name, std::string(common_name));
    const std::vector<crypto::GeneralName> no_names;
    auto csr = crypto::make_csr(begun->key, subject, no_names);
    auto parsed = crypto::Csr::parse(csr).value();
    auto asking = ra::own_request(deps_.db, catalog, deps_.random.request_id(), "SCEP RA", profile->name, std::move(parsed), deps_.clock.now());
    auto request = co_await std::move(asking);
    if (source.profile) request.ra_profile = profile->id;
    const bool of_today = issuer == backend->issuer();
    if (!of_today) request.issuer_key_id = issuer;
    // Near its end the CA gives what it has left.
    const auto latest = backend->latest_not_after();
    if (of_today && latest < deps_.clock.now() + profile->lifetime) request.not_after = latest;
    request.attempt = begun->row.attempt;
    request.deadline = core::deadline_in(std::chrono::seconds(30));
    const auto outcome = co_await deps_.enrollment.submit(std::move(request));
    if (!outcome && outcome.error().kind == core::ProblemKind::unavailable) throw core::Unavailable("the RA's certificate cannot be issued now: " + outcome.error().detail);
    if (!outcome) throw std::runtime_error("the RA's certificate was refused: " + outcome.error().detail);
    if (const auto* pending = std::get_if<ra::PendingEnrollment>(&*outcome))
        throw core::Unavailable("the RA's certificate is pending at backend " + profile->backend + " (enrollment " + std::to_string(pending->enrollment.get()) + "): " + pending->reason);
    auto issued = std::get<ra::IssuedCertificate>(*outcome);
    auto keeping = keep(std::move(source), std::move(*begun), std::move(issued));
    co_await std::move(keeping);
}

core::Task<void> RaCredentials::keep(RaSource source, Begun begun, ra::IssuedCertificate issued) {
    const auto certificate = crypto::Certificate::parse(issued.der).value();
    store::RaCertificateRow row;
    row.id = issued.certificate.get();
    row.source = source.key;
    row.key_id = begun.row.key_id;
    row.certificate = issued.der;
    row.issuer_key_id = issued.issuer_key_id;
    row.not_after = certificate.not_after();
    row.created = deps_.clock.now();
    if (deps_.backends.chain(row.issuer_key_id).empty()) {
        auto of_issuer = store::values(source.backend, row.issuer_key_id);
        const auto chain = co_await store::read_one(deps_.db, store::issuer_chain_of, std::move(of_issuer));
        if (!chain) throw std::runtime_error("the chain of the RA's certificate from backend " + source.backend + " is not on record");
        row.chain = chain->text(0);
    }
    store::Batch batch;
    lease_.guard(batch);
    batch.add(store::ra_request_remove, store::values(begun.row.name, begun.row.attempt));
    batch.add(store::ra_certificate_insert, row.insert_values());
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return;  // another node took the lease: it goes on with the same key
    deps_.log.info("scep_ra_certificate", {{"source", row.source}, {"backend", source.backend}, {"issuer", row.issuer_key_id},
                                           {"serial", core::hex(certificate.serial())}, {"until", core::rfc3339(row.not_after)}});
    tell_well(source.key);
    co_await load(source);
}

}  // namespace postern::scep

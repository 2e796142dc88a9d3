#include "scep/ra_credentials.hpp"

#include <set>

#include "core/base/encoding.hpp"
#include "core/base/unavailable.hpp"
#include "ra/own_request.hpp"
#include "store/tables/ra_certificate.hpp"

namespace postern::scep {

namespace {

constexpr std::string_view profile_name = "scep-ra";
/// The smallest that every client takes; only RSA keys can be encrypted to by all of them.
const crypto::KeySpec key_spec(crypto::KeyType::rsa, 2048);

}  // namespace

RaCredentials::RaCredentials(Deps deps) : deps_(std::move(deps)), lease_(deps_.db, deps_.clock, "scep-ra", deps_.node) {}

std::shared_ptr<const RaCredentialList> RaCredentials::of(const std::string& backend) const {
    static const auto none = std::make_shared<const RaCredentialList>();
    const std::lock_guard lock(mutex_);
    const auto found = lists_.find(backend);
    return found == lists_.end() ? none : found->second;
}

std::vector<std::string> RaCredentials::backends_in_use() const {
    const auto catalog = deps_.catalog.current();
    std::set<std::string> out;
    for (const auto& endpoint : catalog->endpoints) {
        if (endpoint.protocol != ra::Protocol::scep || !endpoint.active) continue;
        for (const auto& name : endpoint.profiles)
            if (const auto* profile = catalog->profile(endpoint.tenant, name)) out.insert(profile->backend);
    }
    return {out.begin(), out.end()};
}

bool RaCredentials::due(const std::string& backend) const {
    const auto list = of(backend);
    if (list->empty()) return true;
    const auto& newest = list->front();
    return deps_.clock.now() > newest.not_after - (newest.not_after - newest.not_before) / 3;
}

CaChain chain_of(const RaCredential& credential) {
    CaChain out;
    out.ra = credential.identity.certificate;
    out.issuers = credential.issuers;
    return out;
}

core::Task<void> RaCredentials::refresh() {
    for (const auto& backend : backends_in_use()) {
        try {
            co_await load(backend);
            if (!due(backend)) continue;
            const bool mine = co_await lease_.hold();
            if (mine) co_await enroll(backend);
        } catch (const core::Unavailable& fault) {
            deps_.log.warning("scep_ra_certificate_waits", {{"backend", backend}, {"why", fault.what()}});
        } catch (const std::runtime_error& fault) {
            deps_.log.error("scep_ra_certificate_failed", {{"backend", backend}, {"why", fault.what()}});
        }
    }
}

/// One that is lost is replaced like one that is due.
core::Task<std::optional<crypto::PrivateKey>> RaCredentials::find_key(std::string key_id) {
    try {
        co_return co_await deps_.keys.find(key_id);
    } catch (const core::Unavailable&) {
        throw;  // the store is away: nothing is lost
    } catch (const std::runtime_error& fault) {
        deps_.log.error("scep_ra_key_lost", {{"key", key_id}, {"why", fault.what()}});
    }
    co_return std::nullopt;
}

core::Task<void> RaCredentials::load(std::string backend) {
    auto valid = store::values(backend, deps_.clock.now());
    const auto rows = co_await deps_.db.read(store::ra_certificate_of, std::move(valid));
    auto list = std::make_shared<RaCredentialList>();
    const auto known = of(backend);
    for (const auto& raw : rows) {
        const auto row = store::RaCertificateRow::from(raw);
        const auto same = std::find_if(known->begin(), known->end(), [&](const RaCredential& c) { return c.identity.certificate.der() == row.certificate; });
        if (same != known->end()) {
            list->push_back(*same);
            continue;
        }
        RaCredential credential;
        const auto certificate = crypto::Certificate::parse(row.certificate).value();
        credential.not_before = certificate.not_before();
        credential.not_after = certificate.not_after();
        auto key = co_await find_key(row.key_id);
        if (!key) continue;
        credential.identity = crypto::CmsIdentity(crypto::CmsCertificate::parse(row.certificate).value(), std::move(*key));
        auto chain = deps_.backends.chain(row.issuer_key_id);
        if (chain.empty() || chain.back() != deps_.root) chain.push_back(deps_.root);
        for (const auto& der : chain) credential.issuers.push_back(crypto::CmsCertificate::parse(der).value());
        // Said here once, for devices that cannot use it say nothing.
        if (const auto wrong = check_chain(chain_of(credential), ChainForm::chain_and_root))
            deps_.log.error("scep_chain_unusable", {{"backend", backend}, {"why", wrong->detail}});
        list->push_back(std::move(credential));
    }
    const std::lock_guard lock(mutex_);
    lists_[backend] = std::move(list);
}

core::Task<void> RaCredentials::enroll(std::string backend) {
    const auto catalog = deps_.catalog.current();
    const auto* endpoint = catalog->endpoint(ra::Protocol::system, "system");
    const auto* profile = endpoint ? catalog->profile(endpoint->tenant, profile_name) : nullptr;
    if (profile == nullptr) throw std::runtime_error("the server's own profile scep-ra is missing from the store");
    if (profile->backend != backend)
        throw std::runtime_error("this version has RA certificates of the built-in CA only; a SCEP endpoint's profile names backend " + backend);

    const auto generate = [] { return crypto::PrivateKey::generate(key_spec); };
    auto made = co_await deps_.pool.run(generate);
    if (!made) throw core::Unavailable(made.error().detail);
    const crypto::PrivateKey key = std::move(*made);
    crypto::DistinguishedName subject;
    subject.entries.emplace_back(crypto::DnAttribute::common_name, "Postern SCEP RA");
    const std::vector<crypto::GeneralName> no_names;
    auto csr = crypto::make_csr(key, subject, no_names);

    auto parsed = crypto::Csr::parse(csr).value();
    auto asking = ra::own_request(deps_.db, catalog, deps_.random.request_id(), "SCEP RA", std::string(profile_name), std::move(parsed), deps_.clock.now());
    auto request = co_await std::move(asking);
    // Near its end the CA gives what it has left.
    const auto latest = deps_.backends.find(backend)->latest_not_after();
    if (latest < deps_.clock.now() + profile->lifetime) request.not_after = latest;
    request.attempt = request.id.get();
    request.deadline = core::deadline_in(std::chrono::seconds(30));
    const auto outcome = co_await deps_.enrollment.submit(std::move(request));
    if (!outcome) throw std::runtime_error("the RA's certificate was refused: " + outcome.error().detail);
    const auto* issued = std::get_if<ra::IssuedCertificate>(&*outcome);
    if (issued == nullptr) throw std::runtime_error("the RA's certificate is pending");

    const auto certificate = crypto::Certificate::parse(issued->der).value();
    store::RaCertificateRow row;
    row.id = issued->certificate.get();
    row.backend = backend;
    row.key_id = core::hex(key.public_key().key_identifier());
    row.certificate = issued->der;
    row.issuer_key_id = issued->issuer_key_id;
    row.not_after = certificate.not_after();
    row.created = deps_.clock.now();
    store::Batch batch;
    lease_.guard(batch);
    deps_.keys.keep(batch, row.key_id, key, row.created);
    batch.add(store::ra_certificate_insert, row.insert_values());
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return;  // another node took the lease: its certificate is the one
    deps_.log.info("scep_ra_certificate", {{"backend", backend}, {"serial", core::hex(certificate.serial())}, {"until", core::rfc3339(row.not_after)}});
    co_await load(backend);
}

}  // namespace postern::scep

#include "scep/ra_credentials.hpp"

#include <algorithm>
#include <set>

#include "core/base/encoding.hpp"
#include "core/base/unavailable.hpp"
#include "store/tables/submission.hpp"

namespace postern::scep {

namespace {

constexpr std::string_view of_endpoint = "endpoint ";

/// Every SCEP endpoint that is active, a source once.
std::vector<RaSource> sources(const ra::Catalog& catalog, std::map<std::string, std::string>& undescribed) {
    std::vector<RaSource> out;
    std::set<std::string> seen;
    for (const auto& endpoint : catalog.endpoints) {
        if (endpoint.protocol != ra::Protocol::scep || !endpoint.active) continue;
        auto source = ra_source(catalog, endpoint);
        if (source.key.empty()) undescribed[std::string(of_endpoint) + endpoint.name] = "SCEP endpoint " + endpoint.name + ": " + source.why;
        else if (seen.insert(source.key + " for " + source.issuing).second) out.push_back(std::move(source));
    }
    return out;
}

/// For people, before what is wrong.
std::string whose(const RaSource& source) {
    if (source.profile) return "ra_profile " + source.profile->name + ": ";
    return source.same_ca() ? std::string() : "RA for devices of backend " + source.issuing + ": ";
}

CertificateList read_chain(const std::string& pem) {
    CertificateList out;
    const auto blocks = crypto::from_pem("CERTIFICATE", pem);
    if (!blocks) return out;
    for (const auto& der : *blocks)
        if (auto certificate = crypto::CmsCertificate::parse(der)) out.push_back(std::move(*certificate));
    return out;
}

/// Of what an operator declared, while no certificate has shown the way: issuers before roots.
CertificateList declared_chain(const ra::Catalog& catalog, const std::string& backend) {
    CertificateList out;
    for (const auto& description : catalog.backends)
        if (description.name == backend) out = read_chain(description.trust_anchors);
    std::ranges::stable_partition(out, [](const crypto::CmsCertificate& c) { return !c.self_issued(); });
    return out;
}

/// What is on record of a chain ends below the root, which is among what was declared.
void add_root(CertificateList& chain, const ra::Catalog& catalog, const std::string& backend) {
    if (chain.empty() || chain.back().self_issued()) return;
    for (auto& anchor : declared_chain(catalog, backend)) {
        if (!anchor.self_issued() || anchor.subject_der() != chain.back().issuer_der()) continue;
        chain.push_back(std::move(anchor));
        return;
    }
}

std::chrono::milliseconds third_of_life(const RaCredential& c) { return (c.not_after - c.not_before) / 3; }

constexpr int longest_wait = 60;  // times the first

}  // namespace

RaCredentials::RaCredentials(Deps deps) : deps_(std::move(deps)), lease_(deps_.db, deps_.clock, "scep-ra", deps_.node) {}

std::shared_ptr<const RaCredentialList> RaCredentials::of(const RaSource& source) const {
    static const auto none = std::make_shared<const RaCredentialList>();
    const std::lock_guard lock(mutex_);
    // An endpoint that was just applied: a chain without who issues to its devices would be another one a moment later.
    if (!source.same_ca() && !issuers_.contains(source.issuing)) return none;
    const auto found = lists_.find(source.key);
    return found == lists_.end() ? none : found->second;
}

std::string RaCredentials::why_none(const RaSource& source) const {
    if (source.key.empty()) return source.why;
    const std::lock_guard lock(mutex_);
    const auto found = told_.find(source.key);
    return found == told_.end() ? "it is being enrolled" : found->second;
}

CaChain RaCredentials::chain_of(const RaSource& source, const RaCredential& credential) const {
    CaChain out;
    out.ra = credential.identity.certificate;
    out.issuers = credential.issuers;
    if (source.same_ca()) return out;
    const std::lock_guard lock(mutex_);
    const auto found = issuers_.find(source.issuing);
    if (found == issuers_.end() || found->second.empty()) return out;
    if (!credential.issuers.empty() && found->second.front().der() == credential.issuers.front().der()) return out;
    out.ra_issuers = std::move(out.issuers);
    out.issuers = found->second;
    return out;
}

bool RaCredentials::due(const RaSource& source, const std::string& issuer) const {
    const auto list = of(source);
    const auto newest = std::ranges::find_if(*list, [&](const RaCredential& c) { return issuer.empty() || c.issuer_key_id == issuer; });
    return newest == list->end() || deps_.clock.now() > newest->not_after - third_of_life(*newest);
}

std::vector<std::string> RaCredentials::issuers_of(const RaSource& source) const {
    const auto* backend = deps_.backends.find(source.backend);
    if (backend == nullptr) return {std::string()};
    std::vector<std::string> out{backend->issuer()};
    if (const auto successor = backend->successor()) out.push_back(successor->key_id);
    return out;
}

/// Said once, and again when it is another thing: it is tried each minute.
void RaCredentials::tell(const std::string& key, std::string why, bool fault) {
    {
        const std::lock_guard lock(mutex_);
        auto& told = told_[key];
        if (told == why) return;
        told = why;
    }
    if (fault) deps_.log.error("scep_ra_certificate_failed", {{"source", key}, {"why", why}});
    else deps_.log.warning("scep_ra_certificate_waits", {{"source", key}, {"why", why}});
}

void RaCredentials::tell_well(const std::string& key) {
    const std::lock_guard lock(mutex_);
    told_.erase(key);
}

/// What a document says by now may be missing again one day.
void RaCredentials::forget_described(const std::map<std::string, std::string>& undescribed) {
    const std::lock_guard lock(mutex_);
    std::erase_if(told_, [&](const auto& told) { return told.first.starts_with(of_endpoint) && !undescribed.contains(told.first); });
}

bool RaCredentials::may_try(const std::string& name) {
    const auto found = waits_.find(name);
    return found == waits_.end() || deps_.clock.steady() >= found->second.next;
}

/// A CA that refuses is not asked each minute for ever.
void RaCredentials::put_off(const std::string& name) {
    auto& wait = waits_[name];
    wait.pause = wait.pause.count() == 0 ? deps_.first_retry : std::min(wait.pause * 2, deps_.first_retry * longest_wait);
    wait.next = deps_.clock.steady() + wait.pause;
}

core::Task<void> RaCredentials::refresh() {
    const auto catalog = deps_.catalog.current();  // it keeps what the sources point to
    std::map<std::string, std::string> undescribed;
    const auto all = sources(*catalog, undescribed);
    for (const auto& [key, why] : undescribed) tell(key, why, true);
    forget_described(undescribed);
    for (const auto& source : all) {
        try {
            co_await refresh_source(source);
        } catch (const core::Unavailable& fault) {
            tell(source.key, whose(source) + fault.what(), false);
        } catch (const std::runtime_error& fault) {
            tell(source.key, whose(source) + fault.what(), true);
        }
    }
}

core::Task<void> RaCredentials::refresh_source(RaSource source) {
    if (!source.same_ca()) co_await load_issuers(source);
    co_await load(source);
    if (source.imported()) {
        const auto list = of(source);
        if (list->empty()) throw std::runtime_error("no RA certificate is here: import one with `postern scep ra import`");
        const auto& newest = list->front();
        if (deps_.clock.now() <= newest.not_after - third_of_life(newest)) co_return tell_well(source.key);
        throw std::runtime_error("the RA's certificate ends at " + core::rfc3339(newest.not_after) + ": import its successor with `postern scep ra import`");
    }
    const auto issuers = issuers_of(source);
    bool well = true;
    for (const auto& issuer : issuers) {
        const auto name = issuer.empty() ? source.key : source.key + " " + issuer;
        if (!due(source, issuer)) continue;
        well = false;
        if (!may_try(name)) continue;
        const bool mine = co_await lease_.hold();
        if (!mine) continue;
        try {
            co_await enroll(source, issuer);
        } catch (const core::Unavailable&) {
            throw;  // nobody has decided anything
        } catch (const std::runtime_error&) {
            put_off(name);
            throw;
        }
        waits_.erase(name);
    }
    if (well) tell_well(source.key);
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

core::Task<std::optional<RaCredential>> RaCredentials::open(store::RaCertificateRow row) {
    RaCredential out;
    const auto certificate = crypto::Certificate::parse(row.certificate).value();
    out.issuer_key_id = row.issuer_key_id;
    out.not_before = certificate.not_before();
    out.not_after = certificate.not_after();
    auto key = co_await find_key(row.key_id);
    if (!key) co_return std::nullopt;
    out.identity = crypto::CmsIdentity(crypto::CmsCertificate::parse(row.certificate).value(), std::move(*key));
    out.issuers = read_chain(row.chain);
    if (!row.chain.empty()) co_return out;
    for (const auto& der : deps_.backends.path(row.issuer_key_id)) out.issuers.push_back(crypto::CmsCertificate::parse(der).value());
    co_return out;
}

core::Task<void> RaCredentials::load(RaSource source) {
    auto valid = store::values(source.key, deps_.clock.now());
    const auto rows = co_await deps_.db.read(store::ra_certificate_of, std::move(valid));
    auto list = std::make_shared<RaCredentialList>();
    const auto catalog = deps_.catalog.current();
    const auto known = of(source);
    for (const auto& raw : rows) {
        auto row = store::RaCertificateRow::from(raw);
        const auto same = std::ranges::find_if(*known, [&](const RaCredential& c) { return c.identity.certificate.der() == row.certificate; });
        if (same != known->end()) {
            list->push_back(*same);
            continue;
        }
        auto credential = co_await open(std::move(row));
        if (!credential) continue;
        add_root(credential->issuers, *catalog, source.backend);
        list->push_back(std::move(*credential));
    }
    // Clients are shown the RA of who issues today; a successor's is for those that ask for it.
    const auto today = issuers_of(source).front();
    std::ranges::stable_partition(*list, [&](const RaCredential& c) { return today.empty() || c.issuer_key_id == today; });
    if (!list->empty()) {
        // Said here, for devices that cannot use it say nothing.
        const auto chain = chain_of(source, list->front());
        const auto judge = [&chain] {
            auto wrong = check_chain(chain, ChainForm::chain_and_root);
            return wrong ? std::move(wrong->detail) : std::string();
        };
        const auto judged = co_await deps_.pool.run(judge);
        const auto wrong = judged ? *judged : std::string();
        auto& told = told_chains_[source.key + " for " + source.issuing];
        if (!wrong.empty() && told != wrong) deps_.log.error("scep_chain_unusable", {{"source", source.key}, {"backend", source.issuing}, {"why", wrong}});
        told = wrong;
    }
    const std::lock_guard lock(mutex_);
    lists_[source.key] = std::move(list);
}

/// Of the CA that issues to devices, where another one issued to the RA: as its newest certificate showed, or as declared.
core::Task<void> RaCredentials::load_issuers(RaSource source) {
    CertificateList chain;
    if (const auto* backend = deps_.backends.find(source.issuing); backend != nullptr && !backend->issuer().empty()) {
        for (const auto& der : backend->path(backend->issuer())) chain.push_back(crypto::CmsCertificate::parse(der).value());
    } else {
        auto of_backend = store::values(source.issuing);
        const auto row = co_await store::read_one(deps_.db, store::issuer_chain_newest, std::move(of_backend));
        const auto catalog = deps_.catalog.current();
        if (row) chain = read_chain(row->text(0));
        else chain = declared_chain(*catalog, source.issuing);
        add_root(chain, *catalog, source.issuing);
    }
    const std::lock_guard lock(mutex_);
    issuers_[source.issuing] = std::move(chain);
}

}  // namespace postern::scep

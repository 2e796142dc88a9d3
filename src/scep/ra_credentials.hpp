#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ca/backend.hpp"
#include "ca/key_store.hpp"
#include "core/async/cpu_pool.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/crypto/cms_certificate.hpp"
#include "core/observe/log.hpp"
#include "ra/catalog.hpp"
#include "ra/enrollment.hpp"
#include "scep/ca_certificates.hpp"
#include "scep/ra_source.hpp"
#include "store/lease.hpp"
#include "store/numbers.hpp"
#include "store/tables/ra_certificate.hpp"

namespace postern::scep {

/// One certificate of the RA with its key.
struct RaCredential {
    RaCredential() = default;
    crypto::CmsIdentity identity;
    std::string issuer_key_id;
    core::TimePoint not_before{}, not_after{};
    std::vector<crypto::CmsCertificate> issuers;  ///< who issued it first, the root last
};
/// Of one source that are valid: those of today's issuing CA first, of each CA the newest first. Clients are shown the first, and
/// messages for any are read.
using RaCredentialList = std::vector<RaCredential>;
using CertificateList = std::vector<crypto::CmsCertificate>;

/// What SCEP clients encrypt to: RSA certificates of the RA, so that no CA key ever decrypts anything (RFC 8894 §7.2). They come
/// from the CA of the endpoint or the built-in one, enrolled through the waist at the system endpoint by the one node that holds the lease,
/// at once or after days; or an operator imports them. Renewed when a third of the life is left; the old one is read until it ends.
class RaCredentials {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        ra::CatalogSource& catalog;
        ra::Enrollment& enrollment;
        const ca::Backends& backends;
        ca::KeyStore& keys;
        core::CpuPool& pool;
        core::Random& random;
        const core::Clock& clock;
        observe::Log& log;
        std::string node;
        /// After a refusal, doubling up to sixty times that.
        std::chrono::milliseconds first_retry{std::chrono::minutes(1)};
    };
    explicit RaCredentials(Deps deps);

    /// Loads what is there and enrolls what is missing or due. Before the listeners start, then each minute, and when documents
    /// were applied. What fails is said once in the log and tried again. Throws only when it is cancelled.
    core::Task<void> refresh();

    /// Never null; empty where there is none yet. Thread safe.
    [[nodiscard]] std::shared_ptr<const RaCredentialList> of(const RaSource& source) const;
    /// Why there is none; for people. Thread safe.
    [[nodiscard]] std::string why_none(const RaSource& source) const;
    /// As GetCACert shows it. Thread safe.
    [[nodiscard]] CaChain chain_of(const RaSource& source, const RaCredential& credential) const;

    /// What an operator got from a CA that issues RA certificates by hand.
    struct Import {
        Import() = default;
        std::string endpoint;
        core::SecretText key;      ///< PEM
        std::string certificates;  ///< PEM: the RA's first, then its issuers up to the root
    };
    struct Imported {
        Imported() = default;
        std::string serial, until;
        std::string warning;  ///< which clients will not take it; empty: all that are known
    };
    /// Errors: not_found (no such SCEP endpoint that the principal may see), conflict (its document says otherwise), malformed,
    /// bad_content (what clients could not use).
    core::Task<core::Result<Imported>> import(Import given, ra::Principal by, core::RequestId request);

private:
    core::Task<void> refresh_source(RaSource source);
    core::Task<void> load(RaSource source);
    core::Task<void> load_issuers(RaSource source);
    core::Task<std::optional<RaCredential>> open(store::RaCertificateRow row);
    core::Task<std::optional<crypto::PrivateKey>> find_key(std::string key_id);
    core::Task<void> enroll(RaSource source, std::string issuer);
    struct Begun;
    core::Task<std::optional<Begun>> begin(std::string name);
    core::Task<void> keep(RaSource source, Begun begun, ra::IssuedCertificate issued);
    [[nodiscard]] bool due(const RaSource& source, const std::string& issuer) const;
    /// Which CAs of the source's backend the RA needs a certificate of: today's, and the one that takes over.
    [[nodiscard]] std::vector<std::string> issuers_of(const RaSource& source) const;
    void tell(const std::string& key, std::string why, bool fault);
    void tell_well(const std::string& key);
    void forget_described(const std::map<std::string, std::string>& undescribed);
    bool may_try(const std::string& name);
    void put_off(const std::string& name);

    Deps deps_;
    store::Lease lease_;
    struct Wait {
        core::SteadyPoint next{};
        std::chrono::milliseconds pause{};
    };
    std::map<std::string, Wait> waits_;  ///< refresh()'s own, like told_chains_
    std::map<std::string, std::string> told_chains_;
    mutable std::mutex mutex_;  ///< guards what follows; never held across a suspension
    std::map<std::string, std::shared_ptr<const RaCredentialList>> lists_;
    std::map<std::string, CertificateList> issuers_;  ///< by backend, of those that are not the RA's own CA
    std::map<std::string, std::string> told_;         ///< why there is none, by source
};

}  // namespace postern::scep

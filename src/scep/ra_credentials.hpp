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
#include "store/lease.hpp"
#include "store/numbers.hpp"

namespace postern::scep {

/// One certificate of the RA with its key.
struct RaCredential {
    RaCredential() = default;
    crypto::CmsIdentity identity;
    core::TimePoint not_before{}, not_after{};
    std::vector<crypto::CmsCertificate> issuers;  ///< who issued it first, the root last
};
/// As GetCACert shows it.
CaChain chain_of(const RaCredential& credential);
/// Those of one backend that are valid, the newest first: clients are shown the first, and messages for any are read.
using RaCredentialList = std::vector<RaCredential>;

/// What SCEP clients encrypt to: an RSA certificate of the RA for each backend that a SCEP endpoint's profiles name,
/// so that no CA key ever decrypts anything (RFC 8894 §7.2). Enrolled through the waist at the system
/// endpoint by the one node that holds the lease, renewed when a third of its life is left; the old one is read until it ends.
class RaCredentials {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        ra::CatalogSource& catalog;
        ra::Enrollment& enrollment;
        const ca::Backends& backends;
        ca::KeyStore& keys;
        core::Bytes root;  ///< DER of the built-in CA's, which chains leave out
        core::CpuPool& pool;
        core::Random& random;
        const core::Clock& clock;
        observe::Log& log;
        std::string node;
    };
    explicit RaCredentials(Deps deps);

    /// Loads what is there and enrolls what is missing or due. Before the listeners start, and then each minute.
    /// What fails is logged and tried again. Throws only when it is cancelled.
    core::Task<void> refresh();
    /// Never null; empty where there is none yet. Thread safe.
    [[nodiscard]] std::shared_ptr<const RaCredentialList> of(const std::string& backend) const;

private:
    core::Task<void> load(std::string backend);
    core::Task<std::optional<crypto::PrivateKey>> find_key(std::string key_id);
    core::Task<void> enroll(std::string backend);
    [[nodiscard]] bool due(const std::string& backend) const;
    /// That a SCEP endpoint's profiles name.
    [[nodiscard]] std::vector<std::string> backends_in_use() const;

    Deps deps_;
    store::Lease lease_;
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<const RaCredentialList>> lists_;
};

}  // namespace postern::scep

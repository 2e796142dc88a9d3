#pragma once
#include <memory>

#include "ca/backend.hpp"
#include "core/async/cpu_pool.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/crypto/sealer.hpp"
#include "core/http/outbound.hpp"
#include "core/http/router.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "ra/catalog.hpp"
#include "ra/clock_agreement.hpp"
#include "ra/enrollment.hpp"
#include "ra/intune_enrollment.hpp"
#include "ra/predecessor_status.hpp"
#include "ra/refusals.hpp"
#include "scep/ra_credentials.hpp"
#include "store/database.hpp"

/// The SCEP front end (RFC 8894): wire to waist and back.
namespace postern::scep {

struct Deps {
    store::Database& db;
    ra::CatalogSource& catalog;
    ra::Enrollment& enrollment;
    ra::IntuneEnrollment* intune;  ///< null: no endpoint has such an account
    const ca::Backends& backends;
    const RaCredentials& ra_credentials;
    const crypto::Sealer& sealer;
    core::CpuPool& pool;  ///< every RSA and CMS call runs there
    core::Random& random;
    const core::Clock& clock;
    const ra::ClockAgreement& clock_agreement;
    observe::Log& log;
    observe::Metrics& metrics;
    ra::PredecessorStatus& predecessor_status;
    ra::Refusals& refusals;
    http::Outbound* outbound = nullptr;  ///< for webhooks
};

struct Parts;

/// Everything in `Deps` must outlive the routers that the routes were added to.
class Scep {
public:
    explicit Scep(Deps deps);
    ~Scep();
    Scep(const Scep&) = delete;
    Scep& operator=(const Scep&) = delete;

    /// Adds /scep/…, with the paths that NDES and Cisco made customary, and its error page.
    void add_routes(http::Router& router);

private:
    std::shared_ptr<Parts> parts_;
};

}  // namespace postern::scep

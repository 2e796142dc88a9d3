#pragma once
#include <memory>

#include "ca/backend.hpp"
#include "core/async/cpu_pool.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/crypto/sealer.hpp"
#include "core/http/router.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "ra/catalog.hpp"
#include "ra/clock_agreement.hpp"
#include "ra/enrollment.hpp"
#include "ra/predecessor_status.hpp"
#include "est/proxies.hpp"
#include "ra/refusals.hpp"
#include "ra/revocation.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"

/// The EST front end (RFC 7030 as RFC 8951 clarified it): wire to waist and back.
namespace postern::est {

struct Deps {
    store::Database& db;
    store::Numbers& numbers;
    ra::CatalogSource& catalog;
    ra::Enrollment& enrollment;
    const ca::Backends& backends;
    const crypto::Sealer& sealer;
    core::CpuPool& pool;
    core::Random& random;
    const core::Clock& clock;
    const ra::ClockAgreement& clock_agreement;
    observe::Log& log;
    observe::Metrics& metrics;
    ra::PredecessorStatus& predecessor_status;
    ra::Revocation& revocation;
    const Proxies& proxies;
    ra::Refusals& refusals;
};

struct Parts;

/// Everything in `Deps` must outlive the router that the routes were added to.
class Est {
public:
    explicit Est(Deps deps);
    ~Est();
    Est(const Est&) = delete;
    Est& operator=(const Est&) = delete;

    /// Adds /.well-known/est/…, with and without a label, and its error page. Only for a listener that asks for client
    /// certificates.
    void add_routes(http::Router& router);

private:
    std::shared_ptr<Parts> parts_;
};

}  // namespace postern::est

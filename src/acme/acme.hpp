#pragma once
#include <memory>
#include <string>

#include "acme/nonces.hpp"
#include "ca/backend.hpp"
#include "core/async/task_group.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/crypto/sealer.hpp"
#include "core/http/router.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "ra/catalog.hpp"
#include "ra/clock_agreement.hpp"
#include "ra/enrollment.hpp"
#include "ra/revocation.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"
#include "validation/validator.hpp"

/// The ACME front end (RFC 8555): wire to waist and back.
namespace postern::acme {

struct Deps {
    store::Database& db;
    store::Numbers& numbers;
    ra::CatalogSource& catalog;
    ra::Enrollment& enrollment;
    ra::Revocation& revocation;
    const ca::Backends& backends;
    validation::Validator& http_01;
    const crypto::Sealer& sealer;
    Nonces& nonces;
    core::TaskGroup& tasks;  ///< validations go on here when a client leaves
    core::Random& random;
    const core::Clock& clock;
    const ra::ClockAgreement& clock_agreement;
    observe::Log& log;
    observe::Metrics& metrics;
    std::string https_base;  ///< "https://acme.example.com:8443": what URLs begin with, no final slash
};

struct Parts;

/// Everything in `Deps` must outlive the routers that the routes were added to and the tasks.
class Acme {
public:
    explicit Acme(Deps deps);
    ~Acme();
    Acme(const Acme&) = delete;
    Acme& operator=(const Acme&) = delete;

    /// Adds /acme/… and its error page.
    void add_routes(http::Router& router);
    /// Starts the validations again that a process which ended left `processing`, and that were begun before
    /// `before`; returns how many. One that is under way elsewhere would be asked for twice, to no effect.
    core::Task<std::size_t> resume_validations(core::TimePoint before = core::TimePoint::max());

private:
    std::shared_ptr<Parts> parts_;
};

}  // namespace postern::acme

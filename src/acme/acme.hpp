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
#include "validation/caa.hpp"
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
    validation::Validator& validator;
    validation::Caa& caa;
    const crypto::Sealer& sealer;
    Nonces& nonces;
    core::TaskGroup& tasks;  ///< validations go on here when a client leaves
    core::Random& random;
    const core::Clock& clock;
    const ra::ClockAgreement& clock_agreement;
    observe::Log& log;
    observe::Metrics& metrics;
    std::string https_base;  ///< "https://acme.example.com:8443": what URLs begin with, no final slash
    /// How long after a failed attempt at a challenge the next one comes, each after the one before (RFC 8555 §8.2).
    std::vector<std::chrono::milliseconds> retries = {};
    /// Other nodes use the store too: who makes an attempt is settled there.
    bool several_nodes = false;
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
    /// Starts the attempts that are due: the next ones of challenges that failed for a reason that may pass, and those that a
    /// process which ended left behind. So many as may run at once of a node and of an account; the others stay due for later
    /// calls. Returns how many. To be called every second or so, on every node.
    core::Task<std::size_t> attempt_due();

private:
    std::shared_ptr<Parts> parts_;
};

}  // namespace postern::acme

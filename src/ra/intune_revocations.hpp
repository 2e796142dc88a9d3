#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "azure/intune.hpp"
#include "ca/backend.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "ra/catalog.hpp"
#include "ra/revocation.hpp"
#include "store/lease.hpp"
#include "store/numbers.hpp"
#include "store/tables/intune.hpp"

namespace postern::ra {

/// What Intune wants revoked: a profile was withdrawn, a device is lost. Asked for every quarter of an hour by one node for
/// each Azure account; revoked as by an officer; and Intune hears the result, which is written with the revocation.
class IntuneRevocations {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const CatalogSource& catalog;
        const ca::Backends& backends;
        Revocation& revocation;
        azure::Intune& intune;
        core::Random& random;
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
        std::string node;  ///< names this node over its restarts
    };
    explicit IntuneRevocations(Deps deps);
    ~IntuneRevocations();

    /// Until it is cancelled.
    core::Task<void> run();
    /// One look at whose turn it is: polls for each account that is due and that this node has. What fails for one stops
    /// no other.
    core::Task<void> round();

    struct Report {
        Report() = default;
        std::int64_t asked = 0;    ///< requests that Intune gave out
        std::int64_t revoked = 0;
        std::int64_t refused = 0;  ///< unknown here, or revoked before
        std::int64_t foreign = 0;  ///< another issuer's: not ours to answer
        std::int64_t told = 0;     ///< results that Intune took
    };
    /// Asks now, whoever's turn it is: what two nodes do at once, counts once. Errors: the port's; not_found when no account
    /// of an endpoint uses this Azure account.
    core::Task<core::Result<Report>> poll(azure::AccountRef account, core::RequestId request);

private:
    struct Turn;
    struct Item;
    core::Task<void> take_turn(azure::AccountRef account);
    core::Task<void> settle(const azure::Account& account, azure::RevocationRequest item, core::RequestId request, Report& report);
    core::Task<void> record(Item item, azure::RevocationCode code, std::string message);
    /// The certificate that Intune means, of a device that this Azure account vouched for.
    core::Task<std::optional<store::CertificateRow>> find(const azure::Account& account, const azure::RevocationRequest& item, core::Bytes serial);
    /// Whether the issuer that the request names is a CA of this installation.
    core::Task<bool> ours(const azure::RevocationRequest& item);
    core::Task<core::Result<std::int64_t>> upload(azure::AccountRef account);
    core::Task<core::Result<void>> upload_page(azure::AccountRef account, std::vector<store::IntuneRevocationRow> rows);
    core::Task<void> prune();

    Deps deps_;
    std::map<std::int64_t, std::unique_ptr<Turn>> turns_;  ///< by Azure account
    observe::Counter asked_, revoked_, failed_;
};

}  // namespace postern::ra

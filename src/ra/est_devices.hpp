#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/crypto/name.hpp"
#include "ra/audit.hpp"
#include "ra/catalog.hpp"
#include "ra/principals.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"
#include "store/tables/est_device.hpp"

namespace postern::ra {

/// Lists of devices that accounts of EST endpoints know (est.md §2, IDevID).
class EstDevices {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const CatalogSource& catalog;
        const core::Clock& clock;
    };
    explicit EstDevices(Deps deps) : deps_(deps) {}

    /// Which account's list.
    struct Place {
        Place() = default;
        std::string endpoint;  ///< name
        std::string account;   ///< name; empty: the endpoint's only one that may have devices
    };
    struct Listed {
        Listed() = default;
        std::string serial, manufacturer;  ///< manufacturer may be empty: any of the account's
        /// What its certificate is to be called, exactly; nullopt: as the account says.
        std::optional<std::vector<crypto::DnEntry>> subject;
        std::optional<std::vector<crypto::GeneralName>> names;
    };
    struct Report {
        Report() = default;
        std::int64_t added = 0, known = 0;  ///< or, of a removal, removed and unknown
        std::vector<std::pair<std::size_t, std::string>> refused;  ///< index, and why
    };
    static constexpr std::size_t most_of_a_part = 1000;

    /// At most `most_of_a_part`. What is wrong with one is said of that one; those that are listed stay as they are. Errors: not_found
    /// (no such EST endpoint or account, another tenant's too), malformed (the endpoint has several accounts: name one).
    core::Task<core::Result<Report>> add(Place place, std::vector<Listed> devices, Principal by, core::RequestId request);
    /// What is said beside serial and manufacturer is not looked at. Errors as add.
    core::Task<core::Result<Report>> remove(Place place, std::vector<Listed> devices, Principal by, core::RequestId request);
    /// Another key may come as that device. Errors: as add; conflict, where none came yet.
    core::Task<core::Result<void>> release(Place place, std::string serial, std::string manufacturer, Principal by, core::RequestId request);
    /// Rising, up to `limit` with id > after; with `serial` those alone.
    core::Task<core::Result<std::vector<store::EstDeviceRow>>> page(Place place, std::string serial, std::int64_t after, std::int64_t limit, Principal by);

private:
    core::Task<core::Result<Account>> account_of(Place place, Principal by);
    AuditRecord record_of(const Account& account, const Place& place, const Principal& by, core::RequestId request, std::string action) const;
    Deps deps_;
};

}  // namespace postern::ra

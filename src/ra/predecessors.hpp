#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/crypto/certificate.hpp"
#include "ra/catalog.hpp"
#include "ra/principals.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"
#include "store/tables/predecessor.hpp"

/// CAs that a tenant moved away from. Their certificates are trusted for one thing: that a device which holds one of theirs, and
/// is on record here (imported_certificates.hpp), gets its successor. They never issue and no client is told to trust them.
namespace postern::ra {

struct Predecessor {
    Predecessor() = default;
    store::PredecessorRow row;
    std::vector<crypto::Certificate> certificates;
    /// Whose key signed it; null: none of them. Cost: a public-key operation for each of that name.
    [[nodiscard]] const crypto::Certificate* issuer_of(const crypto::Certificate& leaf) const;
};
core::Task<std::optional<Predecessor>> find_predecessor(store::Database& db, store::PredecessorId id);
core::Task<std::optional<Predecessor>> find_predecessor(store::Database& db, core::TenantId tenant, std::string name);

/// What a certificate is, where that keeps it from ever renewing: a CA's, an OCSP responder's, a registration authority's; empty for one
/// of a device.
std::string authority_role(const crypto::Certificate& certificate);

class Predecessors {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const CatalogSource& catalog;
        const core::Clock& clock;
    };
    explicit Predecessors(Deps deps) : deps_(deps) {}

    /// A new one, or more of one that is known: certificates are added; what is not said stays.
    struct Order {
        Order() = default;
        std::string tenant;  ///< its name; empty: the principal's, else "default"
        std::string name;
        std::vector<core::Bytes> certificates;         ///< DER, of CAs
        std::optional<std::string> crl_url, ocsp_url;  ///< http or https
        std::optional<core::Bytes> crl;                ///< DER, instead of a URL
    };
    /// Errors: not_found (tenant), malformed and bad_content with what is wrong.
    core::Task<core::Result<Predecessor>> put(Order order, Principal by, core::RequestId request);

    struct Listed {
        Listed() = default;
        Predecessor predecessor;
        std::string tenant;
        std::int64_t imported = 0, left = 0;  ///< certificates: all, and those that nobody renewed yet
    };
    /// Those the principal may see; empty `name`: all.
    core::Task<std::vector<Listed>> list(Principal by, std::string name);

    /// With what was imported of it, where that is said; `conflict` otherwise while there is any. `not_found` also for another
    /// tenant's. How many certificates left with it.
    core::Task<core::Result<std::int64_t>> remove(std::string tenant, std::string name, bool with_certificates, Principal by, core::RequestId request);

private:
    core::Result<const Tenant*> tenant_of(const Catalog& catalog, const std::string& name, const Principal& by) const;
    Deps deps_;
};

}  // namespace postern::ra

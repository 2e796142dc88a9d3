#pragma once
#include <string>

#include "ra/catalog.hpp"

namespace postern::scep {

/// Whence an endpoint's RA has its certificate, and who issues to the devices.
struct RaSource {
    RaSource() = default;
    std::string key;  ///< "builtin", "profile 12", "imported 7": what certificates and requests are kept under; empty: nothing says
    const ra::Profile* profile = nullptr;  ///< that it is enrolled by; null: none is, or the server's own
    std::string backend;                   ///< who issues it; empty: imported
    std::string issuing;                   ///< of the endpoint's first profile; empty: that is missing
    std::string why;                       ///< without a key: what the endpoint's document lacks

    [[nodiscard]] bool imported() const { return !key.empty() && backend.empty(); }
    /// One CA issues both, so that the RA's chain is the devices'.
    [[nodiscard]] bool same_ca() const { return backend == issuing; }
};

/// `catalog` keeps what it points to.
RaSource ra_source(const ra::Catalog& catalog, const ra::Endpoint& endpoint);

}  // namespace postern::scep

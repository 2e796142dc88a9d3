#pragma once
#include "core/crypto/csr.hpp"
#include "est/parts.hpp"
#include "ra/renewal.hpp"

/// Who asks, and what shows it (RFC 7030 §3.2.3, §3.3.2).
namespace postern::est {

struct Requester {
    Requester() = default;
    ra::Account account;                        ///< under which is enrolled
    std::vector<ra::Evidence> evidence;
    std::string name;                           ///< for records: "user factory", "certificate 1f…"
    std::optional<ra::RenewalRight> renewal;    ///< the client's certificate is of this endpoint
};

/// Errors: unauthenticated (nobody, or a wrong password), forbidden (a certificate that gives no right here, which no
/// password makes good; or one where the endpoint wants another credential), rate_limited, unavailable.
core::Task<core::Result<Requester>> find_requester(Parts& parts, const Call& call, Operation operation);

}  // namespace postern::est

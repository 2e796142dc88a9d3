#pragma once
#include <string>
#include <vector>

#include "acme/call.hpp"
#include "core/crypto/name.hpp"
#include "store/tables/acme_authorization.hpp"

namespace postern::acme {

/// What an account has proven already (RFC 8555 §7.1.4): an order for the same name and profile rests on it, as long as it is
/// good for another day and the profile still takes the method that proved it. A proof of the bare name is none of its
/// wildcard, and the other way round.
class Proofs {
public:
    Proofs() = default;
    explicit Proofs(std::vector<store::AcmeAuthorizationRow> rows) : rows_(std::move(rows)) {}
    /// The one that ends last; null where the name is to be proven.
    [[nodiscard]] const store::AcmeAuthorizationRow* of(const crypto::GeneralName& name) const noexcept;

private:
    std::vector<store::AcmeAuthorizationRow> rows_;
};
core::Task<Proofs> find_proofs(Parts& parts, const Call& call, std::vector<crypto::GeneralName> names, std::string profile);

}  // namespace postern::acme

#pragma once
#include <optional>
#include <string>

#include "acme/call.hpp"
#include "core/crypto/name.hpp"
#include "store/batch.hpp"
#include "store/tables/acme_order.hpp"

namespace postern::acme {

/// Leave for a new order to replace a certificate (RFC 9773 §5).
struct Replacement {
    Replacement() = default;
    std::string id;  ///< as it was sent
    core::CertificateId certificate;
    std::optional<store::AcmeOrderId> instead_of;  ///< an order that replaced it, and became invalid

    /// Of two orders that come at once one has it.
    void claim(store::Batch& batch, store::AcmeOrderId order) const;
};
/// `id` names a certificate of the account that shares a name with the order, and that no living order replaces. Errors:
/// malformed, unauthorized, alreadyReplaced.
core::Task<Result<Replacement>> find_replacement(Parts& parts, const Call& call, std::string id, std::vector<crypto::GeneralName> names);
/// The refusal of who comes second.
Error already_replaced();

}  // namespace postern::acme

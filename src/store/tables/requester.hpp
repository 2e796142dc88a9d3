#pragma once
#include <stdexcept>
#include <string>

#include "store/statement.hpp"
#include "store/tables/acme_account.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/est_device.hpp"
#include "store/tables/imported_certificate.hpp"

namespace postern::store {

/// A kind of requester that has a row of its own besides the endpoint account: the waist asks whether
/// it still stands without knowing what it is. Both statements: $1 id; a row while it stands.
struct Requester {
    std::string_view kind;
    const Statement* find;
    const Statement* guard;  ///< the same in a batch
    /// What it keeps of the certificate that was issued on it: $1 id, $2 the certificate's; null: nothing.
    const Statement* succeeded = nullptr;
};
inline constexpr Requester acme_requester{"acme_account", &acme_account_stands, &acme_account_guard};
/// A certificate that enrolls its successor.
inline constexpr Requester certificate_requester{"certificate", &certificate_stands, &certificate_guard};
/// The same, of a predecessor's.
inline constexpr Requester imported_requester{"imported_certificate", &imported_certificate_stands, &imported_certificate_guard, &imported_certificate_replaced};
/// A device that its account lists, or that is remembered by its first key.
inline constexpr Requester device_requester{"est_device", &est_device_stands, &est_device_guard, &est_device_enrolled};

/// The kind as stored with an enrollment's evidence.
inline const Requester& requester(std::string_view kind) {
    for (const auto* known : {&acme_requester, &certificate_requester, &imported_requester, &device_requester})
        if (kind == known->kind) return *known;
    throw std::logic_error("stored evidence names an unknown kind of requester: " + std::string(kind));
}

}  // namespace postern::store

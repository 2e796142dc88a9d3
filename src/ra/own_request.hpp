#pragma once
#include "ra/enrollment.hpp"

namespace postern::ra {

/// What the server asks of its own registration authority (its TLS certificate, SCEP's RA certificates): at the system
/// endpoint, under the server's account. `what` is the evidence's word for it; empty `profile`: the endpoint's first.
/// Throws std::runtime_error where the server's own documents are not in the store.
core::Task<EnrollmentRequest> own_request(store::Database& db, std::shared_ptr<const Catalog> catalog, core::RequestId id, std::string what,
                                          std::string profile, crypto::Csr csr, core::TimePoint now);

}  // namespace postern::ra

#pragma once
#include "ca/backend.hpp"
#include "core/base/result.hpp"
#include "ra/catalog.hpp"
#include "ra/enrollment.hpp"
#include "ra/trace.hpp"

namespace postern::ra {

/// Whatever policy can say before anything is proven and before there is a CSR: tenant, endpoint,
/// account, organization, profile, term and names. A front end asks early, so that nobody validates a
/// name in vain; the waist asks all again. `request` has its agreed names; its CSR and evidence are
/// not looked at. One subproblem a bad name.
core::Result<void> decide_early(const EnrollmentRequest& request, const Catalog& catalog, const ca::Backends& backends,
                                const Account* account, core::TimePoint now, Trace& trace);

}  // namespace postern::ra

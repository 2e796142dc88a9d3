#pragma once
#include <optional>

#include "acme/call.hpp"
#include "ra/enrollment.hpp"

namespace postern::acme {

/// Submits to the waist as a task of its own, and waits for what becomes of it until `until`. nullopt:
/// it is still being worked on, and goes on without the caller. A fault comes back as it was thrown.
core::Task<std::optional<core::Result<ra::EnrollmentOutcome>>> submit_until(Parts& parts, ra::EnrollmentRequest request,
                                                                            core::Deadline until);

}  // namespace postern::acme

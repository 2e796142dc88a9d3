#pragma once
#include <optional>

#include "core/async/task_group.hpp"
#include "ra/enrollment.hpp"

namespace postern::ra {

/// Submits to the waist as a task of the group, and waits for what becomes of it until `until`. nullopt:
/// it is still being worked on, and goes on without the caller. A fault comes back as it was thrown.
core::Task<std::optional<core::Result<EnrollmentOutcome>>> submit_until(Enrollment& enrollment, core::TaskGroup& tasks, EnrollmentRequest request,
                                                                        core::Deadline until);

}  // namespace postern::ra

#pragma once
#include "app/doctor/doctor.hpp"
#include "ra/catalog.hpp"

namespace postern::app::doctor {

/// As the store has it now; what is unreadable in it is left out.
std::shared_ptr<const ra::Catalog> read_catalog(const Patient& p);

/// Profiles that want what a proxy in front keeps them from getting.
void examine_binding(Patient& p);

}  // namespace postern::app::doctor

#pragma once
#include <vector>

#include "ra/catalog.hpp"

namespace postern::acme {

/// The endpoint's profiles that can be asked for, its default first; with an account, only those
/// that the account may use.
std::vector<const ra::Profile*> offered_profiles(const ra::Catalog& catalog, const ra::Endpoint& endpoint,
                                                 const ra::Account* account);

}  // namespace postern::acme

#pragma once
#include <string>
#include <string_view>

#include "ra/catalog.hpp"

/// DNS names that an account of ACME has without a challenge of its own (`challenges` of its document).
namespace postern::ra {

/// What grants the name ("domain corp.example, proven by dns"), asked when an order is made and again when it is issued; empty:
/// it is to be proven. Whether the name is within the account's scope is another check. `publicly_trusted`: of the CA, whose
/// names are the world's and not the account's to have.
std::string granted_by(const Catalog& catalog, const Account& account, std::string_view name, bool publicly_trusted, core::TimePoint now);

}  // namespace postern::ra

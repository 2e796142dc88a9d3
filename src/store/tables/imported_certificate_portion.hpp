#pragma once
#include "store/statement.hpp"

namespace postern::store {

/// Of a predecessor's certificates that are taken away, a portion at a time, so that others wait for no more: $1 predecessor, $2 how many
inline constexpr Statement imported_certificates_remove_some{
    "imported_certificates_remove_some", "DELETE FROM imported_certificate WHERE id IN (SELECT id FROM imported_certificate WHERE predecessor_id = $1 LIMIT $2)"};

}  // namespace postern::store

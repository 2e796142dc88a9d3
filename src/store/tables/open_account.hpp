#pragma once
#include "store/statement.hpp"

namespace postern::store {

/// tenant, endpoint, account and protocol of SCEP and EST endpoints where anybody enrolls: for whoever should be told.
inline constexpr Statement account_open_devices{
    "account_open_devices", "SELECT t.name, e.name, a.name, e.protocol FROM account a JOIN endpoint e ON e.id = a.endpoint_id JOIN tenant t ON t.id = e.tenant_id "
                         "WHERE a.method = 'open' AND a.status = 'active' AND e.protocol IN ('scep', 'est') AND e.status = 'active' ORDER BY a.id LIMIT 50"};

}  // namespace postern::store

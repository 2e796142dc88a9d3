#pragma once
#include <chrono>
#include <string>

#include "core/base/clock.hpp"
#include "store/postgres/open.hpp"

namespace postern::store {

/// What a server says of itself and of this role, for a person who wonders.
struct PostgresState {
    PostgresState() = default;
    std::string place;               ///< "postgresql://user@host/database"
    int version = 0;                 ///< 150018
    std::string version_text;        ///< "15.18"
    bool tls = false, near = false;  ///< how this connection came; near: it does not leave this machine
    bool superuser = false;          ///< of the role
    bool fsync = false, full_page_writes = false;
    std::string synchronous_commit;  ///< "on", "remote_apply", "local", "off"
    int max_connections = 0, reserved = 0, used = 0;  ///< of the whole server
    int role_limit = -1;             ///< of this role; -1: none
    std::chrono::milliseconds ahead{0};       ///< the server's clock before this machine's, give or take half of
    std::chrono::milliseconds round_trip{0};  ///< the time that asking took
    std::int64_t oldest_transaction_s = 0;   ///< of any session on this database: it keeps vacuum from its work
    std::int64_t transactions_to_wraparound = 0;
};

/// Asks a server over one connection. Changes nothing. Throws as open_postgres does.
PostgresState examine_postgres(const PostgresSettings& settings, const core::Clock& clock);

}  // namespace postern::store

#pragma once
#include <string_view>

namespace postern::store {

/// A named SQL text that both engines agree on, parameters as $1…$9. The name is a metric label.
/// Statements are constants with static lifetime; adapters cache prepared forms by address.
struct Statement {
    std::string_view name;
    std::string_view sql;
    /// PostgreSQL's own text where the engines differ (FOR UPDATE SKIP LOCKED); empty: the same.
    std::string_view postgres = {};
};

}  // namespace postern::store

#include "store/sqlite/placeholders.hpp"

namespace postern::store::sqlite {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Length of the quoted text or comment that `rest` begins with, 0 for neither. A doubled quote
/// inside quotes reads as two quoted texts side by side, which comes to the same.
std::size_t opaque_length(std::string_view rest) noexcept {
    const auto until = [rest](std::string_view end, std::size_t from) {
        const auto at = rest.find(end, from);
        return at == std::string_view::npos ? rest.size() : at + end.size();
    };
    if (rest.front() == '\'') return until("'", 1);
    if (rest.front() == '"') return until("\"", 1);
    if (rest.starts_with("--")) return until("\n", 2);
    if (rest.starts_with("/*")) return until("*/", 2);
    return 0;
}

}  // namespace

std::string numbered_placeholders(std::string_view sql) {
    std::string out;
    out.reserve(sql.size());
    while (!sql.empty()) {
        if (const auto opaque = opaque_length(sql); opaque != 0) {
            out.append(sql.substr(0, opaque));
            sql.remove_prefix(opaque);
            continue;
        }
        const bool placeholder = sql.size() > 1 && sql[0] == '$' && is_digit(sql[1]);
        out.push_back(placeholder ? '?' : sql.front());
        sql.remove_prefix(1);
    }
    return out;
}

}  // namespace postern::store::sqlite

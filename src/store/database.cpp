#include "store/database.hpp"

namespace postern::store {

void throw_exception_from_error(const Conflict& conflict, const boost::source_location& where) {
    throw std::logic_error("store: a batch that cannot conflict did: " + to_string(conflict) + " (" +
                           where.file_name() + ":" + std::to_string(where.line()) + ")");
}

core::Task<std::optional<Row>> read_one(Database& db, const Statement& statement, Values parameters) {
    Rows rows = co_await db.read(statement, std::move(parameters));
    if (rows.size() > 1) {
        throw std::logic_error("store: " + std::string(statement.name) + " gave " +
                               std::to_string(rows.size()) + " rows where one at most was expected");
    }
    if (rows.empty()) co_return std::nullopt;
    co_return std::move(rows.front());
}

}  // namespace postern::store

#include "store/postgres/session.hpp"

#include <stdexcept>

#include "store/database.hpp"
#include "store/postgres/connector.hpp"
#include "store/postgres/target.hpp"

namespace postern::store::postgres {

Session::Session(const PostgresSettings& settings) {
    const Target target(settings.url);
    place_ = target.text();
    std::size_t first = 0;
    handle_ = connect_any(target, first, settings.connect_deadline, {});
    PQsetNoticeProcessor(handle(), [](void*, const char*) {}, nullptr);
    // Whole tables take as long as they take.
    run("SET application_name = 'postern verb'; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET client_min_messages = warning");
}

std::vector<std::vector<std::string>> Session::run(const std::string& sql) {
    const Result result(PQexec(handle(), sql.c_str()));
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) refuse(result.get(), "it was asked: " + sql.substr(0, 60));
    std::vector<std::vector<std::string>> out;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
        auto& columns = out.emplace_back();
        for (int i = 0; i < PQnfields(result.get()); ++i) columns.emplace_back(PQgetvalue(result.get(), row, i));
    }
    return out;
}

void Session::refuse(const PGresult* result, const std::string& what) const {
    const auto said = one_line(result == nullptr ? PQerrorMessage(handle()) : PQresultErrorMessage(result));
    if (PQstatus(handle()) == CONNECTION_BAD) throw StoreUnavailable("store: the connection to " + place_ + " was lost: " + said);
    throw std::runtime_error(place_ + ": " + said + " (" + what + ")");
}

}  // namespace postern::store::postgres

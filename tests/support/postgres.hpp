#pragma once
#include <postgresql/libpq-fe.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace postern::test {

/// A superuser's URL of the cluster that scripts/run-tests started. There is no way around it: a run without one
/// would pass by looking at one engine only.
inline std::string postgres_cluster() {
    const char* url = std::getenv("POSTERN_TEST_POSTGRES");
    if (url == nullptr || *url == '\0') {
        throw std::runtime_error("POSTERN_TEST_POSTGRES names no PostgreSQL cluster; scripts/run-tests starts one");
    }
    return url;
}

/// `url` with further options of libpq's, already escaped: "application_name=x&sslmode=disable".
inline std::string with_options(const std::string& url, const std::string& options) {
    return url + (url.find('?') == std::string::npos ? "?" : "&") + options;
}

/// A session beside the adapter: an administrator, or somebody who holds a lock.
class Session {
public:
    using Table = std::vector<std::vector<std::string>>;

    explicit Session(const std::string& url = postgres_cluster()) : connection_(PQconnectdb(url.c_str())) {
        if (PQstatus(connection_.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection_.get()));
        PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
    }
    /// Rows of the last statement; throws for an error.
    Table run(const std::string& sql) {
        start(sql);
        return *finish();
    }
    std::string value(const std::string& sql) { return run(sql).at(0).at(0); }
    /// Sends without waiting.
    void start(const std::string& sql) {
        if (PQsendQuery(connection_.get(), sql.c_str()) == 0) throw std::runtime_error(PQerrorMessage(connection_.get()));
    }
    /// What start() brings; its SQLSTATE instead where `sqlstate` is given.
    std::optional<Table> finish(std::string* sqlstate = nullptr) {
        std::optional<Table> out;
        std::string error;
        while (PGresult* result = PQgetResult(connection_.get())) {
            if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
                error = PQresultErrorMessage(result);
                if (sqlstate != nullptr) *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
            }
            out.emplace();
            for (int r = 0; r < PQntuples(result); ++r) {
                auto& row = out->emplace_back();
                for (int c = 0; c < PQnfields(result); ++c) row.emplace_back(PQgetvalue(result, r, c));
            }
            PQclear(result);
        }
        if (!error.empty() && sqlstate == nullptr) throw std::runtime_error(error);
        if (!error.empty()) return std::nullopt;
        return out;
    }
    int pid() { return PQbackendPID(connection_.get()); }

private:
    struct Finish {
        void operator()(PGconn* c) const noexcept { PQfinish(c); }
    };
    std::unique_ptr<PGconn, Finish> connection_;
};

/// A schema of its own, which is where the adapter's tables go, dropped at the end. Sessions that use url() have its
/// name as application_name, the adapter's behind "postern: ".
class Schema {
public:
    Schema() : name_("test_" + std::to_string(::getpid()) + "_" + std::to_string(++made())) { admin_.run("CREATE SCHEMA " + name_); }
    Schema(const Schema&) = delete;
    Schema& operator=(const Schema&) = delete;
    ~Schema() {
        try {
            terminate();
            admin_.run("DROP SCHEMA " + name_ + " CASCADE");
        } catch (const std::exception&) {
            // The cluster ends with the run.
        }
    }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::string url() const {
        return with_options(postgres_cluster(), "application_name=" + name_ + "&options=-csearch_path%3D" + name_);
    }
    Session& admin() noexcept { return admin_; }
    /// Ends all sessions of url() and waits until they are gone.
    void terminate() {
        const std::string mine = " FROM pg_stat_activity WHERE application_name IN ('" + name_ + "', 'postern: " + name_ + "') AND pid <> pg_backend_pid()";
        admin_.run("SELECT pg_terminate_backend(pid, 10000)" + mine);
    }

private:
    static std::atomic<int>& made() {
        static std::atomic<int> count{0};
        return count;
    }
    Session admin_;
    std::string name_;
};

}  // namespace postern::test

#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "core/async/task.hpp"
#include "core/base/laboratory_clock.hpp"
#include "store/sqlite/examine.hpp"

/// `postern doctor`: looks at an installation, changes nothing, and says for everything that is not as it
/// should be what to do.
namespace postern::app::doctor {

/// good: as it should be; notice: worth knowing; failed: to be mended.
enum class Verdict { good, notice, failed };
std::string_view to_string(Verdict v) noexcept;

struct Finding {
    Finding(std::string c, Verdict v, std::string w, std::string a)
        : check(std::move(c)), verdict(v), what(std::move(w)), advice(std::move(a)) {}
    std::string check;   ///< "folder.modes"
    Verdict verdict;
    std::string what;
    std::string advice;  ///< what to do; empty when good
};

class Findings {
public:
    void good(std::string check, std::string what) { list_.emplace_back(std::move(check), Verdict::good, std::move(what), std::string()); }
    void notice(std::string check, std::string what, std::string advice) {
        list_.emplace_back(std::move(check), Verdict::notice, std::move(what), std::move(advice));
    }
    void failed(std::string check, std::string what, std::string advice) {
        list_.emplace_back(std::move(check), Verdict::failed, std::move(what), std::move(advice));
    }
    /// good when `wrong` is empty.
    void judge(const std::string& check, const std::string& wrong, std::string right, std::string advice) {
        if (wrong.empty())
            good(check, std::move(right));
        else
            failed(check, wrong, std::move(advice));
    }
    [[nodiscard]] const std::vector<Finding>& list() const noexcept { return list_; }
    [[nodiscard]] std::size_t count(Verdict v) const noexcept;

private:
    std::vector<Finding> list_;
};

/// What a running server says of itself.
struct Running {
    Running() = default;
    Address https, est, http, management;
    std::string config_file;  ///< absolute, or empty
    std::string store;        ///< URL; empty: of PostgreSQL with a password, which is in the file
    bool lab = false;
};

/// Over DATA/control.sock; nullopt when nobody answers there, or an older version that does not know.
std::optional<Running> ask_running(const std::string& data);

struct Options {
    Options() = default;
    Config config;                 ///< as `serve` would settle it
    std::optional<Running> running;  ///< taken over into `config` already
    std::string config_file;       ///< or empty
    std::string config_problem;    ///< why it could not be read; `config` then has the defaults
    std::string name;              ///< DNS name to ask the resolver for; empty: the public host's, or example.com
    std::uint64_t least_free = std::uint64_t{512} * 1024 * 1024;
    bool quick = false;            ///< leave the indexes of a large database out
};

/// What the parts of an examination share.
struct Patient {
    Patient(const Options& o, Findings& f) : options(o), config(o.config), findings(f) {}
    const Options& options;
    Config config;                 ///< ports that were chosen at the first start filled in
    Findings& findings;
    core::SystemClock machine_clock;
    core::LaboratoryClock clock{machine_clock};  ///< as the store says
    std::optional<int> server;     ///< its process id, 0 when it cannot be read; nullopt: none runs
    observe::Metrics metrics;                        ///< nobody scrapes them
    std::unique_ptr<store::SqliteExamination> file;  ///< of an embedded store
    std::unique_ptr<store::Database> remote;         ///< of a PostgreSQL one
    store::Database* database = nullptr;             ///< whichever it is; null when it cannot be read

    bool closed = false;           ///< restored, and not opened yet

    [[nodiscard]] std::string path(std::string_view name) const { return config.data + "/" + std::string(name); }
    [[nodiscard]] store::Database& db() const { return *database; }
    store::Rows read(const store::Statement& statement, store::Values values = {}) const;
    /// A fact fixed at the first start, or empty.
    [[nodiscard]] std::string setting(std::string_view name) const;
};

/// All parts, in order. The data folder exists.
Findings examine(const Options& options);

void examine_postgres_server(Patient& p);  ///< postgres.cpp: version, role, durability, connections, TLS, clock, upkeep

// The parts, a file each.
// running.cpp: what the running server says of itself
void examine_configuration(Patient& p);  ///< configuration.cpp: the file, public URLs
void examine_folder(Patient& p);         ///< folder.cpp: who holds it, modes, leftovers, space
void examine_store(Patient& p);          ///< store.cpp: opens it; integrity, schema, log, intents, clock
void examine_keys(Patient& p);           ///< keys.cpp: master key, CA keys and certificates, TLS
void examine_crls(Patient& p);           ///< crl.cpp: age of each, served as certificates name it
void examine_network(Patient& p);        ///< network.cpp: DNS, listeners, ways out

}  // namespace postern::app::doctor

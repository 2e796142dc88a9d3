#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <map>

#include "acme/acme.hpp"
#include "tests/unit/acme/acme_test_client.hpp"
#include "ca/builtin/builtin_ca.hpp"
#include "core/async/cpu_pool.hpp"
#include "core/crypto/csr.hpp"
#include "core/crypto/system_random.hpp"
#include "core/json/reader.hpp"

namespace postern::test {

/// Answers as it is told, and counts.
class FakeValidator final : public validation::Validator {
public:
    core::Task<validation::Finding> validate(validation::Question question, core::Deadline deadline) override;
    std::map<std::string, core::Problem> failures;  ///< by name
    bool passing = false;                           ///< failures are for reasons that may pass
    std::vector<validation::Question> asked;
    std::vector<std::string> steps;  ///< told instead of the one
    bool held = false;  ///< true: validations wait until it is false again
};

/// Lets everybody issue but for the names that it was told.
class FakeCaa final : public validation::Caa {
public:
    core::Task<validation::Finding> check(validation::CaaQuestion question, core::Deadline deadline) override;
    std::map<std::string, core::Problem> failures;  ///< by name, wildcards with "*."
    std::vector<validation::CaaQuestion> asked;
};

class TestFolder {
public:
    TestFolder();
    ~TestFolder();
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    std::filesystem::path path;
};

inline constexpr std::string_view base = "https://acme.test:8443";

/// A whole gateway without a socket: SQLite, catalog, RA, built-in CA and the ACME routes; only names
/// are not really validated. Endpoints: `open` (no binding needed, every name), `bound` (binding
/// needed, account `web` for .corp.example), `terms` (open, with terms of service).
class World {
public:
    World();
    ~World();
    template <class T>
    T run(core::Task<T> task) {
        std::optional<T> value;
        std::exception_ptr failure;
        bool done = false;
        boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T v) {
            failure = e;
            if (!e) value.emplace(std::move(v));
            done = true;
        });
        while (!done) io.run_one();
        if (failure) std::rethrow_exception(failure);
        return std::move(*value);
    }
    void run(core::Task<void> task);

    http::Response send(http::Request request) { return run(router.handle(std::move(request))); }
    http::Response get(std::string_view target, http::Method method = http::Method::get);
    /// POST to https_base + target.
    [[nodiscard]] http::Request post_request(std::string_view target, std::string body) const;
    std::string nonce();
    store::Rows read(const store::Statement& statement, store::Values values = {}) { return run(db->read(statement, std::move(values))); }
    std::int64_t count(const store::Statement& statement) { return read(statement).at(0).integer(0); }
    void write(const store::Statement& statement, store::Values values);
    /// The ACME routes as a node has them that makes these pauses between attempts.
    void serve(std::vector<std::chrono::milliseconds> retries, bool several_nodes = false);
    /// Replaces the body of profile `server` (JSON).
    void set_profile(std::string_view body);
    void disable_account(std::string_view name);

    TestFolder folder;
    boost::asio::io_context io;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    crypto::SystemRandom random;
    observe::Metrics metrics;
    observe::Log log;
    std::vector<std::string> faults;
    std::unique_ptr<store::Database> db;
    store::Numbers numbers;
    store::OnlyNode lives{random};
    crypto::Sealer sealer;
    core::CpuPool pool{1, 16};
    core::TaskGroup tasks;
    ra::CatalogSource catalog;
    std::unique_ptr<ca::BuiltinCa> builtin;
    ca::Backends backends;
    ra::IssuingGate gate;
    std::optional<ra::ClockAgreement> clock_agreement;
    ra::Outbox outbox;
    std::optional<ra::Refusals> stranger_refusals;
    std::optional<ra::Enrollment> enrollment;
    std::optional<ra::Revocation> revocation;
    FakeValidator validator;
    FakeCaa caa;
    acme::MemoryNonces nonces;
    std::optional<acme::Acme> acme;
    http::Router router;
    const core::Bytes mac_key = core::to_bytes(core::as_bytes("a MAC key of the administrator's"));

private:
    void fill_catalog();
};

inline constexpr store::Statement count_accounts{"test_count_accounts", "SELECT count(*) FROM acme_account"};
inline constexpr store::Statement count_orders{"test_count_orders", "SELECT count(*) FROM acme_order"};
inline constexpr store::Statement count_enrollments{"test_count_enrollments", "SELECT count(*) FROM enrollment"};
inline constexpr store::Statement count_certificates{"test_count_certificates", "SELECT count(*) FROM certificate"};
inline constexpr store::Statement audit_by_action{
    "test_audit_by_action", "SELECT outcome, check_name, detail, object_id FROM audit WHERE action = $1 ORDER BY id"};

/// An answer with its JSON.
struct Answer {
    explicit Answer(http::Response r);
    http::Response response;
    unsigned status;
    std::optional<json::Document> document;
    [[nodiscard]] std::string text(std::string_view member) const;
    [[nodiscard]] std::string type() const;  ///< of a problem, without the URN's beginning
    [[nodiscard]] std::vector<std::string> list(std::string_view member) const;
};

/// One ACME client with its key.
class Client {
public:
    Client(World& world, std::string endpoint, crypto::KeySpec spec = crypto::KeySpec());
    [[nodiscard]] std::string path(std::string_view rest) const { return "/acme/" + endpoint + "/" + std::string(rest); }
    [[nodiscard]] std::string url(std::string_view rest) const { return std::string(base) + path(rest); }
    /// The header that a right request to `url` has.
    Header header(const std::string& to_url);
    /// Signs with kid, or with jwk where there is no kid yet.
    Answer post(const std::string& to_url, std::string_view payload);
    Answer send(const std::string& to_url, const Header& header, std::string_view payload);
    [[nodiscard]] http::Request request(const std::string& to_url, std::string_view payload);
    /// newAccount on an open endpoint; keeps the kid.
    Answer register_account(std::string_view payload = R"({"termsOfServiceAgreed":true})");
    /// newAccount with a binding under `key_id`.
    [[nodiscard]] std::string binding_payload(std::string_view key_id, core::BytesView mac_key) const;
    Answer new_order(const std::vector<std::string>& names, std::string_view more = {});
    /// Validates every name of the order.
    void validate(const Answer& order);
    [[nodiscard]] std::string challenge_url(const std::string& authorization_url);
    [[nodiscard]] static std::string csr_payload(const crypto::PrivateKey& key, const std::vector<std::string>& names);
    /// newOrder to a finished order.
    Answer issue(const crypto::PrivateKey& key, const std::vector<std::string>& names);
    [[nodiscard]] std::string jwk() const { return crypto::to_jwk(key.public_key()); }

    World& world;
    std::string endpoint;
    crypto::PrivateKey key;
    std::string kid;
};

/// Status, type and a part of the detail, each told apart when it fails.
void check_refused(const Answer& answer, unsigned status, std::string_view type, std::string_view detail_part);

}  // namespace postern::test

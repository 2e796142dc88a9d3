#pragma once
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/async/shards.hpp"
#include "store/database.hpp"

/// One suite for every engine behind store::Database: what a named statement means is said once, and
/// each engine must agree. An engine is added in engines.cpp.
namespace postern::contract {

/// What a fresh, migrated database of one engine is made of; ends with it.
class Instance {
public:
    virtual ~Instance() = default;
    virtual store::Database& database() = 0;
};
struct Engine {
    std::string name;
    std::function<std::unique_ptr<Instance>()> make;
};
const std::vector<Engine>& engines();

/// The statements that did what they are for, by name.
using Touched = std::map<std::string, const store::Statement*, std::less<>>;

/// Passes everything on and remembers which statements were carried out.
class RecordingDatabase final : public store::Database {
public:
    RecordingDatabase(store::Database& inner, Touched& touched) : inner_(inner), touched_(touched) {}
    core::Task<store::Rows> read(const store::Statement& statement, store::Values parameters) override;
    core::Task<store::Written> write(store::Batch batch) override;
    void close() override { inner_.close(); }
    [[nodiscard]] std::string trouble() const override { return inner_.trouble(); }
    [[nodiscard]] std::string_view engine() const noexcept override { return inner_.engine(); }

private:
    store::Database& inner_;
    Touched& touched_;
};

/// A database with short words for what a case claims about it.
class Store {
public:
    Store(const Engine& engine, Touched& touched) : instance_(engine.make()), db_(instance_->database(), touched) {}
    ~Store() { db_.close(); }

    /// For what stands on a database.
    store::Database& database() { return db_; }
    store::Rows read(const store::Statement& s, store::Values v = {}) { return core::run_to_end(db_.read(s, std::move(v))); }
    /// Exactly one row, or the case ends here.
    store::Row one(const store::Statement& s, store::Values v = {});
    store::Written write(const store::Statement& s, store::Values v, store::Expect expect = store::Expect::one);
    /// It changed exactly one row.
    void does(const store::Statement& s, store::Values v);
    /// It changed as many rows as it liked.
    void any(const store::Statement& s, store::Values v);
    /// It found no row: somebody was first, or the state moved on.
    void misses(const store::Statement& s, store::Values v) { conflicts(s, std::move(v), store::Conflict::Kind::expectation); }
    void duplicates(const store::Statement& s, store::Values v) { conflicts(s, std::move(v), store::Conflict::Kind::duplicate); }
    void is_referenced(const store::Statement& s, store::Values v) { conflicts(s, std::move(v), store::Conflict::Kind::referenced); }

    /// Tenant 1, organization 2, department 3, domain 4, profile 5, endpoint 6, account 7, backend 8.
    void add_objects();
    /// Enrollments 11 (issued, certificate 21) and 12 (submitted) of account 7.
    void add_enrollments();
    /// ACME account 31, order 41 (ready) with authorizations 51 and 52 and challenges 61 and 62.
    void add_acme();

private:
    void conflicts(const store::Statement& s, store::Values v, store::Conflict::Kind kind);
    std::unique_ptr<Instance> instance_;
    RecordingDatabase db_;
};

inline const core::TimePoint now = core::from_ms(1'800'000'000'000);
inline const core::TimePoint later = core::from_ms(1'800'000'060'000);

/// One family of statements: a case of its own, and a part of the proof that none is left out.
using Family = void (*)(Store&);
void configuration_objects(Store& s);
void configuration_references(Store& s);
void principals_and_settings(Store& s);
void audit_records(Store& s);
void enrollments(Store& s);
void certificates(Store& s);
void ra_certificates(Store& s);
void predecessors(Store& s);
void imported_certificates(Store& s);
void ra_requests(Store& s);
void authorities(Store& s);
void blocked_keys(Store& s);
void profile_pauses(Store& s);
void acme_accounts(Store& s);
void acme_account_life(Store& s);
void acme_orders(Store& s);
void acme_replacements(Store& s);
void acme_authorizations(Store& s);
void restorations(Store& s);
void leases(Store& s);
void outbox_messages(Store& s);
void submissions(Store& s);
void approvals(Store& s);
void void_approvals(Store& s);
void ended_approvals(Store& s);
void restored_approvals(Store& s);
void declined_for_good(Store& s);
void refused_submissions(Store& s);
void resolved_submissions(Store& s);
void revocation_requests(Store& s);
void nodes(Store& s);
void nonces(Store& s);
void sealed_keys(Store& s);
void credential_uses(Store& s);
void scep_challenges(Store& s);
void est_devices(Store& s);
void intune_requests(Store& s);
void intune_revocations(Store& s);

}  // namespace postern::contract

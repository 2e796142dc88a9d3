#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/random.hpp"
#include "core/crypto/sealer.hpp"
#include "ra/documents.hpp"
#include "ra/documents/stored.hpp"
#include "ra/documents/wanted.hpp"
#include "store/numbers.hpp"

namespace postern::ra::documents {

/// One object with its id settled, ready to be written.
struct Step {
    Step() = default;
    const Wanted* wanted = nullptr;            ///< null: to be removed
    const store::ObjectRow* stored = nullptr;  ///< null: to be created
    store::ObjectRow row;                      ///< as it will be
    PlanLine line;
};

/// Object ids by kind, tenant and name: stored ones and those that the plan creates.
class Ids {
public:
    void set(std::string_view kind, std::int64_t tenant, std::string_view name, std::int64_t id);
    [[nodiscard]] std::optional<std::int64_t> find(std::string_view kind, std::int64_t tenant, std::string_view name) const;

private:
    std::map<std::string, std::int64_t> ids_;
};

/// What an object is found by among those of all tenants.
std::string id_key(std::string_view kind, std::int64_t tenant, std::string_view name);
/// A refusal with the place in the document that it is about.
core::Problem at(const Wanted& w, std::string what);

/// What documents would change, compared with what is stored. Everything that is wrong is gathered,
/// so that a person mends a file once. `stored` and the documents must outlive the plan.
class Plan {
public:
    struct Deps {
        store::Numbers& numbers;
        const ca::Backends& backends;
        const crypto::Sealer& sealer;
        core::Random& random;
        core::CpuPool* pool;  ///< for hashing; null: the caller's thread
    };
    Plan(Deps deps, const Stored& stored, const Principal& by, ApplyOptions options, core::TimePoint now);

    /// In the schema's order: what is referred to first.
    core::Task<void> add(const Wanted& wanted);
    /// Steps that remove whatever of the named tenants no document describes.
    void prune();
    /// After all steps: what is unique in the installation stays so, and departments belong to the
    /// organizations of the accounts that name them. The store would refuse it, or every request.
    void check_whole();

    [[nodiscard]] const std::vector<Step>& steps() const noexcept { return steps_; }
    [[nodiscard]] std::vector<GeneratedSecret> take_secrets() { return std::move(secrets_); }
    /// A line each; empty when the plan can be carried out.
    [[nodiscard]] const std::string& errors() const noexcept { return errors_; }

private:
    void complain(const core::Problem& problem);
    core::Result<void> settle_secret(const Wanted& wanted, Step& step);
    /// Of an azure_account (plan_azure.cpp).
    core::Result<void> settle_credential(const Wanted& wanted, Step& step) const;
    core::Result<void> settle_access_code(const Wanted& wanted, Step& step);
    core::Result<void> settle_webhook(const Wanted& wanted, Step& step);
    /// One that a person chose: hashed, unless it is the one that the account has.
    core::Task<core::Result<void>> settle_chosen_code(const Wanted& wanted, Step& step);
    void check_challenge_accounts();
    /// As it will be; empty for an endpoint that is not there.
    [[nodiscard]] std::string endpoint_protocol(std::int64_t id) const;
    void check_departments();
    void check_intune();
    /// Of a kind, by id, as they will be.
    [[nodiscard]] std::map<std::int64_t, const store::ObjectRow*> rows_after(std::string_view kind) const;
    /// Null: no document of this plan describes it.
    [[nodiscard]] const Wanted* described(std::string_view kind, std::int64_t id) const;
    void check_registration_authorities();
    void compare(const Wanted& wanted, Step& step) const;
    void remove(std::string_view kind, const store::ObjectRow& row);

    Deps deps_;
    const Stored& stored_;
    const Principal& by_;
    ApplyOptions options_;
    core::TimePoint now_;
    Ids ids_;
    std::set<std::int64_t> tenants_named_;
    std::vector<Step> steps_;
    std::vector<GeneratedSecret> secrets_;
    std::string errors_;
};

}  // namespace postern::ra::documents

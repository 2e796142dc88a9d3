#pragma once
#include <string>
#include <vector>

#include "ca/backend.hpp"
#include "core/async/cpu_pool.hpp"
#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/base/result.hpp"
#include "core/crypto/sealer.hpp"
#include "ra/catalog.hpp"
#include "ra/principals.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"

/// Configuration as code (design §7, §11): TOML documents in, a plan, the change; and back.
namespace postern::ra {

struct PlanLine {
    PlanLine() = default;
    enum class Change { create, update, remove, keep };
    Change change = Change::keep;
    std::string kind;                ///< "profile"
    std::string name;                ///< "tenant/name", or the tenant's own name
    std::vector<std::string> fields; ///< "lifetime: 90d -> 30d"
    std::string warning;             ///< edited elsewhere since it was applied
};

struct GeneratedSecret {
    GeneratedSecret() = default;
    std::string account;  ///< "tenant/name"
    std::string key_id;   ///< EAB kid; empty: of another method
    core::SecretText mac_key; ///< base64url; shown this once
    core::SecretText access_code;  ///< of a SCEP account; shown this once
    std::string user;              ///< of an EST account
    core::SecretText password;     ///< its; shown this once
    core::SecretText webhook_secret;  ///< base64, what the receiver checks signatures with; shown this once
};

struct ApplyReport {
    ApplyReport() = default;
    std::vector<PlanLine> plan;
    std::vector<GeneratedSecret> secrets;
    bool changed = false;
};

struct ApplyOptions {
    ApplyOptions() = default;
    bool dry_run = false;
    bool prune = false;  ///< delete objects of the named tenants that no document names
};

struct DocumentText {
    DocumentText() = default;
    DocumentText(std::string n, std::string t) : name(std::move(n)), text(std::move(t)) {}
    std::string name;  ///< for errors: the file
    std::string text;  ///< TOML; secrets given as {file = …} were replaced by {value = …} by the caller
};

class Documents {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        CatalogSource& catalog;
        const ca::Backends& backends;  ///< what profiles may name
        const crypto::Sealer& sealer;
        core::Random& random;
        const core::Clock& clock;
        core::CpuPool* pool = nullptr;  ///< for hashing chosen access codes; null: on the caller's thread
    };
    explicit Documents(Deps deps) : deps_(deps) {}

    /// All or nothing, in one batch, guarded by the versions that the plan was made from; `conflict`
    /// when somebody else changed them meanwhile. `malformed` with file, line and key; all errors of
    /// a document are in one detail, a line each. Idempotent: a second apply changes nothing.
    core::Task<core::Result<ApplyReport>> apply(std::vector<DocumentText> documents, ApplyOptions options, Principal by,
                                                core::RequestId request);
    /// Every object the principal may see, as TOML that apply takes back; secrets say `keep`.
    core::Task<std::string> export_all(Principal by);

private:
    Deps deps_;
};

}  // namespace postern::ra

#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ca/backend.hpp"
#include "core/async/cpu_pool.hpp"
#include "core/async/task_group.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/crypto/sealer.hpp"
#include "core/http/router.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "store/database.hpp"

namespace postern::ca {

struct LostNumber;

struct BuiltinConfig {
    BuiltinConfig() = default;
    std::string keys_folder;                 ///< DATA/keys
    bool keys_in_database = false;           ///< other nodes need them too
    std::string node = "node";               ///< names this node over its restarts, for leases
    std::string public_http;                 ///< base of AIA and CRL URLs, "http://host:8080"
    std::string name = "Postern";            ///< O of both CAs; CN "<name> Root CA", "<name> Issuing CA"
    crypto::KeySpec root_key;
    crypto::KeySpec issuing_key;
    std::chrono::hours root_lifetime{24 * 365 * 20};
    std::chrono::hours issuing_lifetime{24 * 365 * 10};
    std::chrono::hours crl_lifetime{24 * 7};
    bool hold_crls = false;  ///< neither sign nor serve CRLs until release_crls(): a restored database lacks entries
};

/// Whether the next issuing CA stands under today's root or comes with one of its own.
enum class NewRoot { no, yes };

/// Who waits for its day.
struct Rollover {
    Rollover() = default;
    Successor successor;
    std::string new_root;  ///< its key id; "": the root of today stays
};

/// Postern's own CA: a private root and an issuing CA, which others succeed. Private keys are sealed under the master key: files
/// of mode 0600, looked at again at every start (D12), or rows where several nodes share the database.
class BuiltinCa final : public Backend {
public:
    struct Deps {
        store::Database& db;
        core::CpuPool& pool;
        core::TaskGroup& tasks;
        core::Executor executor;  ///< where the CRL signer lives
        const crypto::Sealer& sealer;
        core::Random& random;
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
    };
    /// First start: makes root and issuing CA, records them, writes DATA/root.pem; later: loads and
    /// checks them. Of several nodes that start at the same time one makes them, the others load them. Throws std::runtime_error that says what to do for a key file that others can
    /// read, is a symbolic link, is missing, or does not belong to its certificate.
    static core::Task<std::unique_ptr<BuiltinCa>> open(Deps deps, BuiltinConfig config, std::string root_pem_path);
    ~BuiltinCa() override;

    /// Begins the task that signs CRLs anew on demand and before they run out. What serves lists at once
    /// whatever a crash left unlisted; one verb on a stopped server signs for what it revokes itself.
    enum class Purpose { serve, one_verb };
    void start(Purpose purpose = Purpose::serve);
    /// Ends `hold_crls` and halt_crls(); returns when a fresh CRL of every authority is served, or `unavailable`.
    core::Task<core::Result<void>> release_crls(core::Deadline deadline);
    /// Another node ended, perhaps between a revocation and its CRL: whoever renews CRLs looks for what is unlisted.
    void look_for_unlisted();
    /// The database has forgotten a CRL number that this node published: nothing is signed any more.
    [[nodiscard]] std::optional<LostNumber> lost_number() const;
    /// The same, where another node found out.
    void halt_crls();
    /// An issuing CA that takes over at that time, under the same root or with a new one, which the old root and the new one vouch for
    /// (RFC 4210 §4.4); it issues at once to who asks for it. One at a time. `more` adds to the batch that records it what must be true and
    /// what is told of it. Errors: malformed (the time, nobody would issue until then, or the new root would not outlast the old one),
    /// conflict (one waits already, or `more` missed something), unavailable.
    core::Task<core::Result<Rollover>> prepare_successor(core::TimePoint takes_over, NewRoot new_root, std::function<void(store::Batch&, const Rollover&)> more);
    /// The one that waits never takes over: it issues nothing more from now on, and its CRL goes on for what it issued to who asked for it. A root
    /// that came with it is revoked by the root of today. `more` as above. Errors: not_found (none waits), conflict (withdrawn meanwhile, or by some node's clock its day may have come).
    core::Task<core::Result<Rollover>> withdraw_successor(std::function<void(store::Batch&, const Rollover&)> more);
    /// Takes over what other nodes prepared or withdrew, whenever that was, and keeps DATA/root.pem the root of today. Several times a second.
    core::Task<void> follow();
    /// All of them, for people: key id, DER, and since or from when it issues; roots first, today's before the others.
    struct Known {
        Known() = default;
        std::string key_id, issuer_id;
        std::string role;  ///< of a root: root, next_root, former_root, withdrawn_root; else issuing, successor, former, withdrawn
        core::Bytes certificate;
        core::TimePoint takes_over{};
    };
    [[nodiscard]] std::vector<Known> known() const;
    /// What roots say of one another, for people: all that were made, DER.
    [[nodiscard]] std::vector<core::Bytes> crossed() const;
    /// Whether that issuer is ours and under a root that another one has succeeded, or that was withdrawn.
    [[nodiscard]] bool under_former_root(const std::string& issuer_key_id) const;

    /// GET /ca/KEYID.cer, /ca/KEYID.pem, /ca/SUBJECT-ISSUER.cer, /ca/root.pem, /ca/roots.pem, /ca/chain.pem, /crl/KEYID/0.crl
    void add_routes(http::Router& router);
    /// Of the root of today.
    [[nodiscard]] core::Bytes root_der() const;

    [[nodiscard]] Capabilities capabilities() const noexcept override;
    core::Result<Prepared> prepare(const Authorized& authorized) override;
    core::Task<core::Result<Outcome>> issue(const Authorized& authorized, const Prepared& prepared,
                                            core::Deadline deadline) override;
    [[nodiscard]] core::Result<Checked> check(const Issued& issued, const Content& content, const Prepared& prepared) const override;
    void record_revocation(store::Batch& batch, const Revoked& revoked) override;
    core::Task<core::Result<void>> publish_revocations(core::Deadline deadline) override;
    [[nodiscard]] std::vector<std::vector<core::Bytes>> alternate_chains(const std::string& issuer_key_id) const override;
    [[nodiscard]] std::vector<core::Bytes> chain(const std::string& issuer_key_id) const override;
    [[nodiscard]] std::vector<core::Bytes> path(const std::string& issuer_key_id) const override;
    [[nodiscard]] std::string issuer() const override;
    [[nodiscard]] std::optional<Successor> successor() const override;
    core::Task<core::Result<core::Bytes>> sign_as_issuer(core::Bytes content, std::string content_type) override;
    [[nodiscard]] std::vector<core::Bytes> anchors() const override;
    [[nodiscard]] std::optional<core::Bytes> crl(const std::string& issuer_key_id, core::BytesView serial) const override;
    [[nodiscard]] core::TimePoint latest_not_after() const override;

private:
    BuiltinCa();
    core::Task<void> follow_others();
    core::Task<void> keep_root_file();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::ca

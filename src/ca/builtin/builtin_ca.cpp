#include "ca/builtin/builtin_ca.hpp"

#include <sys/stat.h>

#include "ca/builtin/ceremony.hpp"
#include "ca/builtin/crl_signer.hpp"
#include "ca/builtin/issuance.hpp"
#include "ca/builtin/key_rows.hpp"
#include "ca/builtin/routes.hpp"
#include "core/base/encoding.hpp"
#include "store/tables/authority.hpp"

namespace postern::ca {
namespace {

bool exists(const std::string& path) {
    struct stat about {};
    return ::lstat(path.c_str(), &about) == 0;
}

/// RFC 5280 §5.3.1 without 7 (unassigned) and the two that only a hold knows (6, 8).
bool is_reason(unsigned reason) {
    return reason <= 10 && reason != 6 && reason != 7 && reason != 8;
}

/// root.pem is what people give to their clients: written anew when it is missing or stale.
void write_root_pem(const std::string& path, const Authority& root) {
    const auto pem = crypto::to_pem("CERTIFICATE", root.certificate.der());
    replace_file(path, core::as_bytes(pem), 0644);
}

core::Task<Hierarchy> first_start(BuiltinCa::Deps deps, const BuiltinConfig& config, KeyStore& keys,
                                  const std::string& root_pem_path) {
    // A root that clients already trust, and a database that knows nothing of it: never replaced
    // in silence.
    if (exists(root_pem_path))
        throw std::runtime_error(root_pem_path + " exists, but the database knows no CA: the database was lost or exchanged. Restore it from the backup, or move " +
                                 root_pem_path + " away to start with a new CA that every client must be told to trust");
    const auto now = deps.clock.now();
    deps.log.info("ca_creating", {{"root_key", config.root_key.to_string()}, {"issuing_key", config.issuing_key.to_string()}});
    auto job = [config, now, &random = deps.random] { return make_hierarchy(config, random, now); };
    auto made = co_await deps.pool.run(std::move(job));
    if (!made) throw std::runtime_error("the CA keys cannot be made now: " + made.error().detail);
    const auto shared = std::make_shared<const Hierarchy>(std::move(*made));
    const bool first = co_await record_hierarchy(shared, keys, deps.db, now);
    // Read back: the first start passes the same checks as every later one.
    auto loaded = co_await load_hierarchy(keys, deps.db);
    if (!loaded) throw std::runtime_error("the database says that a CA was made, but knows none; restore it from the backup");
    deps.log.info(first ? "ca_created" : "ca_created_elsewhere", {{"root", loaded->root->key_id}, {"issuing", loaded->issuing->key_id}});
    co_return std::move(*loaded);
}

}  // namespace

struct BuiltinCa::Impl {
    Impl(const Deps& deps, const BuiltinConfig& config, Hierarchy h)
        : tasks(deps.tasks), executor(deps.executor), clock(deps.clock), hierarchy(std::move(h)),
          issuance(hierarchy.issuing, config.public_http, deps.pool, deps.random, deps.clock, deps.metrics),
          crls(CrlSigner::make(CrlSigner::Deps{deps.db, deps.pool, deps.executor, deps.clock, deps.log, deps.metrics, config.node},
                               hierarchy, config.crl_lifetime, config.hold_crls)) {}
    core::TaskGroup& tasks;
    core::Executor executor;
    const core::Clock& clock;
    Hierarchy hierarchy;
    Issuance issuance;
    std::shared_ptr<CrlSigner> crls;
};

BuiltinCa::BuiltinCa() = default;
BuiltinCa::~BuiltinCa() = default;

core::Task<std::unique_ptr<BuiltinCa>> BuiltinCa::open(Deps deps, BuiltinConfig config, std::string root_pem_path) {
    while (config.public_http.ends_with('/')) config.public_http.pop_back();
    KeyRows keys(deps.db, deps.sealer, KeyFiles(config.keys_folder, deps.sealer), deps.clock, config.keys_in_database);
    auto hierarchy = co_await load_hierarchy(keys, deps.db);
    if (!hierarchy) {
        auto making = first_start(deps, config, keys, root_pem_path);
        hierarchy = co_await std::move(making);
    }
    if (hierarchy->issuing->certificate.not_after() < deps.clock.now())
        deps.log.error("ca_expired", {{"issuing", hierarchy->issuing->key_id},
                                      {"not_after", core::rfc3339(hierarchy->issuing->certificate.not_after())}});
    write_root_pem(root_pem_path, *hierarchy->root);
    std::unique_ptr<BuiltinCa> out(new BuiltinCa);
    out->impl_ = std::make_unique<Impl>(deps, config, std::move(*hierarchy));
    co_await out->impl_->crls->load();
    co_return out;
}

void BuiltinCa::start(Purpose purpose) {
    impl_->tasks.spawn(impl_->executor, CrlSigner::run(impl_->crls, purpose == Purpose::serve));
}

core::Task<core::Result<void>> BuiltinCa::release_crls(core::Deadline deadline) {
    return CrlSigner::release(impl_->crls, deadline);
}

void BuiltinCa::look_for_unlisted() { impl_->crls->look_soon(); }

std::optional<LostNumber> BuiltinCa::lost_number() const { return impl_->crls->lost_number(); }

void BuiltinCa::halt_crls() { impl_->crls->halt(); }

void BuiltinCa::add_routes(http::Router& router) {
    add_authority_routes(router, impl_->hierarchy, impl_->crls, impl_->clock);
}

const core::Bytes& BuiltinCa::root_der() const noexcept {
    return impl_->hierarchy.root->certificate.der();
}

Capabilities BuiltinCa::capabilities() const noexcept {
    Capabilities out;
    out.revoke = true;
    return out;
}

core::Result<Prepared> BuiltinCa::prepare(const Authorized& authorized) {
    return impl_->issuance.prepare(authorized.content());
}

core::Task<core::Result<Outcome>> BuiltinCa::issue(const Authorized& authorized, const Prepared& prepared,
                                                   core::Deadline deadline) {
    return impl_->issuance.issue(authorized.content(), prepared, deadline);
}

core::Result<Checked> BuiltinCa::check(const Issued& issued, const Content& content, const Prepared& prepared) const {
    auto leaf = check_issued(issued.certificate, content, prepared.tbs, nullptr);
    if (!leaf) return leaf.error();
    Checked out;
    out.certificate = std::move(*leaf);
    out.issuer_key_id = issued.issuer_key_id;
    return out;
}

void BuiltinCa::record_revocation(store::Batch& batch, const Revoked& revoked) {
    // Both are the caller's faults: a revocation that no CRL of ours would ever show.
    if (revoked.serial.empty() || !is_reason(revoked.reason)) throw std::invalid_argument("not a revocation that a CRL can list");
    if (!impl_->crls->note_revocation(revoked.issuer_key_id))
        throw std::invalid_argument("CA " + revoked.issuer_key_id + " is none of this backend");
    batch.add(store::revocation_insert,
              store::values(revoked.issuer_key_id, revoked.serial, 0, revoked.at, static_cast<std::int64_t>(revoked.reason),
                            revoked.not_after),
              store::Expect::any);
}

core::Task<core::Result<void>> BuiltinCa::publish_revocations(core::Deadline deadline) {
    return CrlSigner::publish(impl_->crls, deadline);
}

std::vector<core::Bytes> BuiltinCa::chain(const std::string& issuer_key_id) const {
    const auto authority = impl_->hierarchy.find(issuer_key_id);
    return authority ? std::vector<core::Bytes>(1, authority->certificate.der()) : std::vector<core::Bytes>();
}

core::TimePoint BuiltinCa::latest_not_after() const {
    return impl_->hierarchy.issuing->certificate.not_after();
}

}  // namespace postern::ca

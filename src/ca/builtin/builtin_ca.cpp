#include "ca/builtin/builtin_ca.hpp"

#include <sys/stat.h>

#include <mutex>

#include "ca/builtin/ceremony.hpp"
#include "ca/builtin/crl_signer.hpp"
#include "ca/builtin/issuance.hpp"
#include "ca/builtin/key_rows.hpp"
#include "ca/builtin/routes.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/cms_build.hpp"
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
    deps.log.info(first ? "ca_created" : "ca_created_elsewhere", {{"root", loaded->root->key_id}, {"issuing", loaded->issuing.front()->key_id}});
    co_return std::move(*loaded);
}

core::Task<core::Result<Outcome>> not_ours(std::string key_id) {
    co_return core::Problem(core::ProblemKind::bad_content, "the certificate was prepared for another issuing CA (" + key_id + ")");
}

}  // namespace

/// What is ready to issue. Immutable; the next one knows all that this one does.
struct Ready {
    Ready() = default;
    Hierarchy hierarchy;
    std::vector<std::shared_ptr<Issuance>> issuances;  ///< in the order of hierarchy.issuing
    [[nodiscard]] Issuance* find(std::string_view key_id) const noexcept {
        for (std::size_t i = 0; i < issuances.size(); ++i)
            if (hierarchy.issuing[i]->key_id == key_id) return issuances[i].get();
        return nullptr;
    }
};

struct BuiltinCa::Impl {
    Impl(const Deps& d, const BuiltinConfig& c, Hierarchy h)
        : deps(d), config(c), keys(d.db, d.sealer, KeyFiles(c.keys_folder, d.sealer), d.clock, c.keys_in_database),
          crls(CrlSigner::make(CrlSigner::Deps{d.db, d.pool, d.executor, d.clock, d.log, d.metrics, c.node}, h, c.crl_lifetime, c.hold_crls)) {
        adopt(std::move(h));
    }
    [[nodiscard]] std::shared_ptr<const Ready> ready() const {
        const std::lock_guard lock(mutex);
        return current;
    }
    /// Issuances stay: what one of them prepared, the same one signs.
    void adopt(Hierarchy h) {
        auto next = std::make_shared<Ready>();
        const auto before = ready();
        for (const auto& authority : h.issuing) {
            std::shared_ptr<Issuance> issuance;
            for (std::size_t i = 0; before && i < before->issuances.size(); ++i)
                if (before->hierarchy.issuing[i]->key_id == authority->key_id) issuance = before->issuances[i];
            if (!issuance) issuance = std::make_shared<Issuance>(authority, config.public_http, deps.pool, deps.random, deps.clock, deps.metrics);
            next->issuances.push_back(std::move(issuance));
            crls->add(authority);
        }
        next->hierarchy = std::move(h);
        const std::lock_guard lock(mutex);
        current = std::move(next);
    }
    Deps deps;
    BuiltinConfig config;
    KeyRows keys;
    std::shared_ptr<CrlSigner> crls;
    mutable std::mutex mutex;  ///< never held across a suspension
    std::shared_ptr<const Ready> current;
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
    const auto& today = *hierarchy->today(deps.clock.now());
    if (today.certificate.not_after() < deps.clock.now())
        deps.log.error("ca_expired", {{"issuing", today.key_id}, {"not_after", core::rfc3339(today.certificate.not_after())}});
    write_root_pem(root_pem_path, *hierarchy->root);
    std::unique_ptr<BuiltinCa> out(new BuiltinCa);
    out->impl_ = std::make_unique<Impl>(deps, config, std::move(*hierarchy));
    co_await out->impl_->crls->load();
    co_return out;
}

void BuiltinCa::start(Purpose purpose) {
    impl_->deps.tasks.spawn(impl_->deps.executor, CrlSigner::run(impl_->crls, purpose == Purpose::serve));
}

core::Task<core::Result<void>> BuiltinCa::release_crls(core::Deadline deadline) {
    return CrlSigner::release(impl_->crls, deadline);
}

void BuiltinCa::look_for_unlisted() { impl_->crls->look_soon(); }

std::optional<LostNumber> BuiltinCa::lost_number() const { return impl_->crls->lost_number(); }

void BuiltinCa::halt_crls() { impl_->crls->halt(); }

void BuiltinCa::add_routes(http::Router& router) {
    const auto hierarchy = [impl = impl_.get()] { return impl->ready()->hierarchy; };
    add_authority_routes(router, hierarchy, impl_->crls, impl_->deps.clock);
}

/// The root stays: so does what is referred to.
const core::Bytes& BuiltinCa::root_der() const noexcept {
    return impl_->ready()->hierarchy.root->certificate.der();
}

Capabilities BuiltinCa::capabilities() const noexcept {
    Capabilities out;
    out.revoke = true;
    return out;
}

core::Result<Prepared> BuiltinCa::prepare(const Authorized& authorized) {
    const auto ready = impl_->ready();
    const auto now = impl_->deps.clock.now();
    const auto& wanted = authorized.content().issuer_key_id;
    // Who asked for the next one may get it early; a former one issues no more, whoever asks.
    const auto successor = ready->hierarchy.successor(now);
    const auto& issuer = successor && wanted == successor->key_id ? successor : ready->hierarchy.today(now);
    return ready->find(issuer->key_id)->prepare(authorized.content());
}

core::Task<core::Result<Outcome>> BuiltinCa::issue(const Authorized& authorized, const Prepared& prepared,
                                                   core::Deadline deadline) {
    auto* issuance = impl_->ready()->find(prepared.issuer_key_id);
    if (issuance == nullptr) return not_ours(prepared.issuer_key_id);
    return issuance->issue(authorized.content(), prepared, deadline);
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
    const auto authority = impl_->ready()->hierarchy.find(issuer_key_id);
    return authority ? std::vector<core::Bytes>(1, authority->certificate.der()) : std::vector<core::Bytes>();
}

std::vector<core::Bytes> BuiltinCa::anchors() const { return {root_der()}; }

core::TimePoint BuiltinCa::latest_not_after() const {
    return impl_->ready()->hierarchy.today(impl_->deps.clock.now())->certificate.not_after();
}

std::string BuiltinCa::issuer() const { return impl_->ready()->hierarchy.today(impl_->deps.clock.now())->key_id; }

namespace {

Successor described(const Authority& authority, const Authority& root) {
    Successor out;
    out.key_id = authority.key_id;
    out.chain = {authority.certificate.der(), root.certificate.der()};
    out.takes_over = authority.takes_over;
    return out;
}

}  // namespace

std::optional<Successor> BuiltinCa::successor() const {
    const auto ready = impl_->ready();
    const auto next = ready->hierarchy.successor(impl_->deps.clock.now());
    if (!next) return std::nullopt;
    return described(*next, *ready->hierarchy.root);
}

core::Task<core::Result<core::Bytes>> BuiltinCa::sign_as_issuer(core::Bytes content, std::string content_type) {
    const auto today = impl_->ready()->hierarchy.today(impl_->deps.clock.now());
    if (today->key.public_key().type() == crypto::KeyType::ed25519)
        co_return core::Problem(core::ProblemKind::unsupported, "the issuing CA has an Ed25519 key, which CMS readers cannot verify");
    auto job = [today, content = core::SecretBytes(std::move(content)), type = std::move(content_type)] {
        const crypto::CmsIdentity identity(crypto::CmsCertificate::parse(today->certificate.der()).value(), today->key);
        return crypto::cms_sign(core::BytesView(content.expose()), {}, identity, crypto::CmsDigest::sha256, {}, type);
    };
    co_return co_await impl_->deps.pool.run(std::move(job));
}

std::optional<core::Bytes> BuiltinCa::crl(const std::string& issuer_key_id, core::BytesView) const {
    const auto newest = impl_->crls->newest(issuer_key_id);  // one shard covers all serials
    return newest ? std::optional(newest->der) : std::nullopt;
}

std::vector<BuiltinCa::Known> BuiltinCa::known() const {
    const auto ready = impl_->ready();
    const auto& h = ready->hierarchy;
    const auto now = impl_->deps.clock.now();
    std::vector<Known> out;
    const auto add = [&](const Authority& authority, std::string role) {
        Known each;
        each.key_id = authority.key_id;
        each.role = std::move(role);
        each.certificate = authority.certificate.der();
        if (!authority.withdrawn) each.takes_over = authority.takes_over;
        out.push_back(std::move(each));
    };
    add(*h.root, "root");
    const auto today = h.today(now);
    for (const auto& authority : h.issuing)
        add(*authority, authority == today ? "issuing" : authority->withdrawn ? "withdrawn" : authority->takes_over > now ? "successor" : "former");
    return out;
}

core::Task<core::Result<Successor>> BuiltinCa::prepare_successor(core::TimePoint takes_over, std::function<void(store::Batch&, const Successor&)> more) {
    using core::Problem;
    using core::ProblemKind;
    const auto ready = impl_->ready();
    const auto now = impl_->deps.clock.now();
    const auto& root = *ready->hierarchy.root;
    if (takes_over <= now) co_return Problem(ProblemKind::malformed, "a successor takes over in the future");
    if (takes_over >= root.certificate.not_after())
        co_return Problem(ProblemKind::malformed, "the root ends at " + core::rfc3339(root.certificate.not_after()) + ", before the successor would take over");
    if (ready->hierarchy.successor(now)) co_return Problem(ProblemKind::conflict, "a successor waits already: the next one is prepared when it has taken over, or was withdrawn");
    const auto today_ends = ready->hierarchy.today(now)->certificate.not_after();
    if (today_ends > now && takes_over > today_ends)
        co_return Problem(ProblemKind::malformed, "the issuing CA of today ends at " + core::rfc3339(today_ends) + ", before the successor would take over: nobody would issue in between");
    auto job = [config = impl_->config, ready, &random = impl_->deps.random, now, takes_over] { return make_successor(config, ready->hierarchy, random, now, takes_over); };
    auto made = co_await impl_->deps.pool.run(std::move(job));
    if (!made) co_return made.error();
    auto out = described(*made, root);
    store::Batch batch;
    more(batch, out);
    batch.add(store::succession_none_waits, store::values(now, store::never_takes_over));
    record_successor(batch, *made, root, impl_->keys, now);
    const auto written = co_await impl_->deps.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "somebody else prepared a successor, or changed the configuration, meanwhile; look at `postern ca`");
    auto loaded = co_await load_hierarchy(impl_->keys, impl_->deps.db);
    impl_->adopt(std::move(loaded.value()));
    co_return out;
}

core::Task<core::Result<std::string>> BuiltinCa::withdraw_successor(std::function<void(store::Batch&, const std::string&)> more) {
    using core::Problem;
    using core::ProblemKind;
    const auto now = impl_->deps.clock.now();
    const auto waiting = impl_->ready()->hierarchy.successor(now);
    if (!waiting) co_return Problem(ProblemKind::not_found, "no successor waits: one that took over stays, and is succeeded in its turn");
    store::Batch batch;
    more(batch, waiting->key_id);
    batch.add(store::succession_withdraw, store::values(waiting->key_id, now, store::never_takes_over));
    const auto written = co_await impl_->deps.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "it has just taken over, or somebody else withdrew it, or changed the configuration, meanwhile; look at `postern ca authorities`");
    auto loaded = co_await load_hierarchy(impl_->keys, impl_->deps.db);
    impl_->adopt(std::move(loaded.value()));
    co_return waiting->key_id;
}

/// An authority that the CRLs do not know is news, and so is a day that was taken from the one that waits: only then is it asked for.
core::Task<void> BuiltinCa::follow() {
    const auto known = impl_->ready();
    const bool unknown = impl_->crls->take_unknown();
    const auto waiting = known->hierarchy.successor(impl_->deps.clock.now());
    if (!unknown && !waiting) co_return;
    bool withdrawn = false;
    if (waiting) {
        const store::Rows successions = co_await impl_->deps.db.read(store::succession_all, store::Values());
        for (const auto& row : successions)
            if (row.text(0) == waiting->key_id) withdrawn = row.time(1) >= store::never_takes_over;
    }
    if (!unknown && !withdrawn) co_return;
    auto loaded = co_await load_hierarchy(impl_->keys, impl_->deps.db);
    if (!loaded) co_return;
    if (withdrawn) impl_->deps.log.info("ca_successor_withdrawn", {{"issuing", waiting->key_id}});
    for (const auto& authority : loaded->issuing)
        if (!known->hierarchy.find(authority->key_id))
            impl_->deps.log.info("ca_successor", {{"issuing", authority->key_id}, {"takes_over", core::rfc3339(authority->takes_over)}});
    impl_->adopt(std::move(*loaded));
}

}  // namespace postern::ca

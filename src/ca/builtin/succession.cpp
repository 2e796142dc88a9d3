#include <algorithm>
#include <boost/system/system_error.hpp>

#include "ca/builtin/builtin_impl.hpp"
#include "ca/builtin/ceremony.hpp"
#include "store/tables/authority.hpp"

/// How CAs follow one another: BuiltinCa's part that makes, withdraws and tells of those that wait for their day.
namespace postern::ca {

namespace {

using core::Problem;
using core::ProblemKind;

/// RFC 5280 §5.3.1: nothing is wrong with the key that anybody knows of.
constexpr std::int64_t cessation_of_operation = 5;
constexpr std::chrono::seconds longest_publication{10};
/// Of two nodes' clocks: each may be as far as the tolerance from what it is judged by, one ahead and one behind.
constexpr std::chrono::minutes clocks_apart = 2 * store::Lease::tolerance;

Successor described(const Authority& authority, const Authority& root) {
    Successor out;
    out.key_id = authority.key_id;
    out.chain = {authority.certificate.der(), root.certificate.der()};
    out.takes_over = authority.takes_over;
    return out;
}

Rollover described(const Hierarchy& h, const Authority& waiting) {
    Rollover out;
    const auto root = h.root_of(waiting);
    out.successor = described(waiting, *root);
    if (root->takes_over == waiting.takes_over) out.new_root = root->key_id;
    return out;
}

std::string role_of(const Hierarchy& h, const Authority& authority, core::TimePoint now) {
    const auto& today = authority.root ? *h.root(now) : *h.today(now);
    std::string out = authority.root ? "root" : "issuing";
    if (&authority == &today) return out;
    const bool waits = authority.takes_over > now;
    if (authority.root) return authority.withdrawn ? "withdrawn_root" : waits ? "next_root" : "former_root";
    return authority.withdrawn ? "withdrawn" : waits ? "successor" : "former";
}

std::string waits_already(const Hierarchy& h, const Authority& waiting) {
    const auto stands = described(h, waiting);
    return "a successor waits already: issuing CA " + waiting.key_id + (stands.new_root.empty() ? "" : " under the new root " + stands.new_root) + ", which takes over at " +
           core::rfc3339(waiting.takes_over) + "; the next one is prepared when it has taken over, or was withdrawn";
}

std::optional<Problem> judge(const BuiltinConfig& config, const Hierarchy& h, core::TimePoint now, core::TimePoint takes_over, NewRoot new_root) {
    const auto wrong = [](std::string why) { return Problem(ProblemKind::malformed, std::move(why)); };
    const auto root_ends = h.root(now)->certificate.not_after();
    const auto today_ends = h.today(now)->certificate.not_after();
    if (takes_over <= now) return wrong("a successor takes over in the future");
    if (new_root == NewRoot::no && takes_over >= root_ends)
        return wrong("the root ends at " + core::rfc3339(root_ends) + ", before the successor would take over; `postern ca rollover --root` makes a new root, too");
    if (const auto waiting = h.successor(now)) return Problem(ProblemKind::conflict, waits_already(h, *waiting));
    if (today_ends > now && takes_over > today_ends)
        return wrong("the issuing CA of today ends at " + core::rfc3339(today_ends) + ", before the successor would take over: nobody would issue in between");
    // RFC 7030 §4.1.3: clients take the root that ends last for the newest.
    const auto next_ends = end_of_next_root(config, takes_over);
    if (new_root == NewRoot::yes && next_ends <= root_ends)
        return wrong("the new root would end at " + core::rfc3339(next_ends) + ", and the root of today ends at " + core::rfc3339(root_ends) +
                     ": clients take the one that ends last for the newest; set a longer root_lifetime in [ca]");
    return std::nullopt;
}

std::string too_late(const Authority& waiting) {
    return "issuing CA " + waiting.key_id + " takes over at " + core::rfc3339(waiting.takes_over) + ", within " + std::to_string(clocks_apart.count()) +
           " minutes: by the clock of another node it may issue for all by now, so it is withdrawn no more. Let it take over, and have the next one succeed it: `postern ca rollover --at`";
}

/// NewWithOld is revoked: who knows the old root alone trusts the withdrawn one no more. False where there is none.
bool revoke_crossed(store::Batch& batch, const Hierarchy& h, const std::string& new_root, CrlSigner& crls, core::TimePoint now) {
    bool any = false;
    for (const auto& each : h.crossed) {
        if (each->subject_id != new_root || !crls.note_revocation(each->issuer_id)) continue;
        batch.add(store::revocation_insert, store::values(each->issuer_id, each->certificate.serial(), 0, now, cessation_of_operation, each->certificate.not_after()));
        any = true;
    }
    return any;
}

}  // namespace

std::optional<Successor> BuiltinCa::successor() const {
    const auto ready = impl_->ready();
    const auto next = ready->hierarchy.successor(impl_->deps.clock.now());
    if (!next) return std::nullopt;
    return described(*next, *ready->hierarchy.root_of(*next));
}

std::vector<BuiltinCa::Known> BuiltinCa::known() const {
    const auto ready = impl_->ready();
    const auto& h = ready->hierarchy;
    const auto now = impl_->deps.clock.now();
    std::vector<Known> out;
    const auto add = [&](const Authority& authority) {
        Known each;
        each.key_id = authority.key_id;
        each.issuer_id = authority.issuer_id;
        each.role = role_of(h, authority, now);
        each.certificate = authority.certificate.der();
        if (!authority.withdrawn) each.takes_over = authority.takes_over;
        out.push_back(std::move(each));
    };
    const auto root = h.root(now);
    add(*root);
    for (const auto& each : h.roots)
        if (each != root) add(*each);
    for (const auto& each : h.issuing) add(*each);
    return out;
}

std::vector<core::Bytes> BuiltinCa::crossed() const {
    std::vector<core::Bytes> out;
    for (const auto& each : impl_->ready()->hierarchy.crossed) out.push_back(each->certificate.der());
    return out;
}

bool BuiltinCa::under_former_root(const std::string& issuer_key_id) const {
    const auto ready = impl_->ready();
    const auto& h = ready->hierarchy;
    const auto now = impl_->deps.clock.now();
    const auto issuer = h.find(issuer_key_id);
    if (!issuer) return false;
    const auto root = h.root_of(*issuer);
    return root != h.root(now) && (root->withdrawn || root->takes_over <= now);
}

core::Task<core::Result<Rollover>> BuiltinCa::prepare_successor(core::TimePoint takes_over, NewRoot new_root, std::function<void(store::Batch&, const Rollover&)> more) {
    const auto ready = impl_->ready();
    const auto now = impl_->deps.clock.now();
    if (const auto wrong = judge(impl_->config, ready->hierarchy, now, takes_over, new_root)) co_return *wrong;
    auto job = [config = impl_->config, ready, &random = impl_->deps.random, now, takes_over, new_root] {
        return make_succession(config, ready->hierarchy, random, now, takes_over, new_root);
    };
    auto made = co_await impl_->deps.pool.run(std::move(job));
    if (!made) co_return made.error();
    Rollover out;
    out.successor = described(made->issuing, made->root ? *made->root : *ready->hierarchy.root(now));
    if (made->root) out.new_root = made->root->key_id;
    store::Batch batch;
    more(batch, out);
    batch.add(store::succession_none_waits, store::values(now, store::never_takes_over));
    record_succession(batch, *made, impl_->keys, now);
    const auto written = co_await impl_->deps.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "somebody else prepared a successor, or changed the configuration, meanwhile; look at `postern ca authorities`");
    auto loaded = co_await load_hierarchy(impl_->keys, impl_->deps.db, impl_->deps.clock.now());
    impl_->adopt(std::move(loaded.value()));
    co_return out;
}

core::Task<core::Result<Rollover>> BuiltinCa::withdraw_successor(std::function<void(store::Batch&, const Rollover&)> more) {
    const auto now = impl_->deps.clock.now();
    const auto ready = impl_->ready();
    const auto waiting = ready->hierarchy.successor(now);
    if (!waiting) co_return Problem(ProblemKind::not_found, "no successor waits: one that took over stays, and is succeeded in its turn");
    const auto earliest = now + clocks_apart;
    if (waiting->takes_over <= earliest) co_return Problem(ProblemKind::conflict, too_late(*waiting));
    auto out = described(ready->hierarchy, *waiting);
    store::Batch batch;
    more(batch, out);
    batch.add(store::succession_withdraw, store::values(waiting->key_id, earliest, store::never_takes_over));
    const bool revokes = !out.new_root.empty() && revoke_crossed(batch, ready->hierarchy, out.new_root, *impl_->crls, now);
    const auto written = co_await impl_->deps.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "somebody else withdrew it, or changed the configuration, meanwhile; look at `postern ca authorities`");
    auto loaded = co_await load_hierarchy(impl_->keys, impl_->deps.db, impl_->deps.clock.now());
    impl_->adopt(std::move(loaded.value()));
    // Published later all the same where it takes longer: it is recorded.
    if (revokes) {
        const auto published = co_await CrlSigner::publish(impl_->crls, core::deadline_in(longest_publication));
        if (!published) impl_->deps.log.warning("crl_late", {{"why", published.error().detail}});
    }
    co_return out;
}

namespace {

/// Whether these rows say of the issuing CAs what is known of them. Every CA but the first has one, and only a withdrawal changes it.
bool agrees(const Hierarchy& known, const store::Rows& successions) {
    const auto dated = [](const Hierarchy::Member& each) { return each->takes_over > core::TimePoint{}; };
    if (static_cast<std::size_t>(std::ranges::count_if(known.issuing, dated)) != successions.size()) return false;
    return std::ranges::all_of(successions, [&](const store::Row& row) {
        const auto authority = known.find(row.text(0));
        return authority && authority->takes_over == row.time(1);
    });
}

/// What this node has not known.
void tell_of(const Hierarchy& known, const Hierarchy& loaded, observe::Log& log) {
    for (const auto& root : loaded.roots)
        if (!known.find(root->key_id)) log.info("ca_next_root", {{"root", root->key_id}, {"takes_over", core::rfc3339(root->takes_over)}});
    for (const auto& authority : loaded.issuing) {
        const auto before = known.find(authority->key_id);
        if (!before) log.info("ca_successor", {{"issuing", authority->key_id}, {"takes_over", core::rfc3339(authority->takes_over)}});
        if (before && authority->withdrawn && !before->withdrawn) log.info("ca_successor_withdrawn", {{"issuing", authority->key_id}});
    }
}

}  // namespace

core::Task<void> BuiltinCa::follow() {
    co_await follow_others();
    co_await keep_root_file();
}

/// All of them are compared, whatever their day is by this node's clock: it may have been apart from the store for days.
core::Task<void> BuiltinCa::follow_others() {
    const auto known = impl_->ready();
    const store::Rows successions = co_await impl_->deps.db.read(store::succession_all, store::Values());
    if (agrees(known->hierarchy, successions)) co_return;
    auto loaded = co_await load_hierarchy(impl_->keys, impl_->deps.db, impl_->deps.clock.now());
    if (!loaded) co_return;
    tell_of(known->hierarchy, *loaded, impl_->deps.log);
    impl_->adopt(std::move(*loaded));
}

/// On its day the new root is what people give to their clients. A disk that does not take it stops nothing else.
core::Task<void> BuiltinCa::keep_root_file() {
    const auto root = impl_->ready()->hierarchy.root(impl_->deps.clock.now());
    if (impl_->root_pem_of == root->key_id) co_return;
    std::string failure;
    const auto write = [root, path = impl_->root_pem_path] { write_root_pem(path, *root); };
    try {
        const auto written = co_await impl_->deps.pool.run(write);
        if (!written) failure = written.error().detail;
    } catch (const boost::system::system_error&) {
        throw;  // the stop
    } catch (const std::runtime_error& fault) {
        failure = fault.what();
    }
    if (failure.empty()) {
        impl_->deps.log.info("ca_root_succeeded", {{"root", root->key_id}, {"former", impl_->root_pem_of}});
        impl_->root_pem_of = root->key_id;
    } else if (failure != impl_->root_pem_failure) {
        impl_->deps.log.error("ca_root_file_failed", {{"path", impl_->root_pem_path}, {"why", failure}});
    }
    impl_->root_pem_failure = std::move(failure);
}

}  // namespace postern::ca

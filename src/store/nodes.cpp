#include "store/nodes.hpp"

#include <algorithm>

namespace postern::store {

namespace {

/// $1 name, $2 life, $3 address, $4 version, $5 now. A node's new life takes the place of its earlier one.
constexpr Statement node_join{
    "node_join",
    "INSERT INTO node (name, life, beat, address, version, started_ms, seen_ms) VALUES ($1, $2, 1, $3, $4, $5, $5) "
    "ON CONFLICT (name) DO UPDATE SET life = excluded.life, beat = 1, address = excluded.address, "
    "version = excluded.version, started_ms = excluded.started_ms, seen_ms = excluded.seen_ms"};
/// $1 name, $2 life, $3 now: one row, or the name is another process's by now
constexpr Statement node_beat{"node_beat", "UPDATE node SET beat = beat + 1, seen_ms = $3 WHERE name = $1 AND life = $2"};
/// $1 name, $2 life
constexpr Statement node_leave{"node_leave", "DELETE FROM node WHERE name = $1 AND life = $2"};
/// $1 name
constexpr Statement node_life{"node_life", "SELECT life FROM node WHERE name = $1"};
constexpr Statement node_all{"node_all", "SELECT life, beat FROM node"};

}  // namespace

std::int64_t draw_life(core::Random& random) {
    for (;;) {
        std::uint64_t life = 0;
        for (const auto octet : random.bytes(8)) life = life << 8U | octet;
        life &= ~(std::uint64_t{1} << 63U);
        if (life != 0) return static_cast<std::int64_t>(life);
    }
}

NodeRegistry::NodeRegistry(Database& db, const core::Clock& clock, core::Random& random, Self self)
    : db_(db), clock_(clock), random_(random), self_(std::move(self)), life_(draw_life(random)) {}

core::Task<void> NodeRegistry::join() {
    Batch batch;
    batch.add(node_join, values(self_.name, own(), self_.address, self_.version, clock_.now()));
    const Written written = co_await db_.write(std::move(batch));
    written.value();
    joined_ = true;
    co_await observe();
}

core::Task<NodeRegistry::Beat> NodeRegistry::beat() {
    Batch batch;
    batch.add(node_beat, values(self_.name, own(), clock_.now()));
    const Written written = co_await db_.write(std::move(batch));
    if (written) co_return Beat::alive;
    auto name = values(self_.name);
    const auto row = co_await read_one(db_, node_life, std::move(name));
    if (row && !silent(row->integer(0))) co_return row->integer(0) == own() ? Beat::alive : Beat::replaced;
    life_ = draw_life(random_);
    co_await join();
    co_return Beat::reborn;
}

core::Task<void> NodeRegistry::leave() {
    if (!joined_) co_return;
    Batch batch;
    batch.add(node_leave, values(self_.name, own()), Expect::any);
    const Written written = co_await db_.write(std::move(batch));
    written.value();
}

core::Task<void> NodeRegistry::observe() {
    auto none = values();
    const Rows rows = co_await db_.read(node_all, std::move(none));
    const auto now = clock_.steady();
    const std::lock_guard lock(mutex_);
    const bool counts = now - counted_ >= beat_every;
    if (counts) counted_ = now;
    std::map<std::int64_t, Seen> next;
    for (const auto& row : rows) {
        const auto life = row.integer(0);
        Seen seen;
        seen.beat = row.integer(1);
        const auto before = others_.find(life);
        if (before != others_.end() && before->second.beat == seen.beat)
            seen.still = std::min(looks, before->second.still + (counts ? 1 : 0));
        if (seen.still == looks && before->second.still < looks && life != own()) ended_ = true;
        next.emplace(life, seen);
    }
    for (const auto& [life, seen] : others_)
        if (seen.still < looks && life != own() && !next.contains(life)) ended_ = true;
    others_ = std::move(next);
}

/// Unlike a life that was never seen: it may have begun a moment ago.
bool NodeRegistry::silent(std::int64_t life) const {
    const std::lock_guard lock(mutex_);
    const auto found = others_.find(life);
    return life != own() && found != others_.end() && found->second.still >= looks;
}

bool NodeRegistry::gone(std::optional<std::int64_t> life) const {
    if (!life || *life == own()) return false;
    const std::lock_guard lock(mutex_);
    const auto found = others_.find(*life);
    return found == others_.end() || found->second.still >= looks;
}

}  // namespace postern::store

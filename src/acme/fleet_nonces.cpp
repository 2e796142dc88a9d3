#include "acme/fleet_nonces.hpp"

#include <stdexcept>
#include <utility>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "store/tables/nonce.hpp"

namespace postern::acme {

namespace {

constexpr std::size_t epoch_size = 8;
constexpr std::size_t second_size = 5;
constexpr std::size_t process_size = 8;
constexpr std::size_t number_size = process_size + 8;
constexpr std::size_t mac_size = 12;
constexpr std::size_t nonce_size = epoch_size + second_size + number_size + mac_size;
/// So many rows are deleted by one statement: whoever redeems one meanwhile waits for no more.
constexpr std::int64_t rows_at_once = 1000;

void put(core::Bytes& out, std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

std::int64_t get(core::BytesView octets) {
    std::uint64_t value = 0;
    for (const auto octet : octets) value = value << 8U | octet;
    return static_cast<std::int64_t>(value);
}

}  // namespace

FleetNonces::FleetNonces(Deps deps)
    : deps_(std::move(deps)), key_(deps_.sealer.lookup_hash("acme-nonce", {})), process_(deps_.random.bytes(process_size)),
      lease_(deps_.db, deps_.clock, "nonces", deps_.node) {}

std::int64_t FleetNonces::second() const { return core::to_ms(deps_.clock.now()) / 1000; }

core::Bytes FleetNonces::seal(const Parts& parts) const {
    core::Bytes out;
    out.reserve(nonce_size);
    put(out, static_cast<std::uint64_t>(parts.epoch), epoch_size);
    put(out, static_cast<std::uint64_t>(parts.second), second_size);
    out.insert(out.end(), parts.number.begin(), parts.number.end());
    const core::Bytes mac = crypto::hmac(crypto::HmacHash::sha256, key_.expose(), out);
    out.insert(out.end(), mac.begin(), mac.begin() + mac_size);
    return out;
}

std::optional<FleetNonces::Parts> FleetNonces::open(const std::string& nonce) const {
    const auto bytes = core::from_base64url(nonce);
    if (!bytes || bytes->size() != nonce_size) return std::nullopt;
    const core::BytesView all(*bytes);
    Parts parts;
    parts.epoch = get(all.subspan(0, epoch_size));
    parts.second = get(all.subspan(epoch_size, second_size));
    parts.number = core::to_bytes(all.subspan(epoch_size + second_size, number_size));
    if (!core::equal_constant_time(*bytes, seal(parts))) return std::nullopt;
    return parts;
}

bool FleetNonces::refuses_today(std::int64_t oldest) const {
    return std::chrono::seconds(oldest - second()) > tolerance && deps_.clock_agrees();
}

core::Task<void> FleetNonces::refresh() {
    auto none = store::values();
    auto row = co_await store::read_one(deps_.db, store::nonce_epoch_read, std::move(none));
    if (row && refuses_today(row->integer(1))) {
        store::Batch batch;
        batch.add(store::nonce_epoch_leave, store::values(row->integer(0)), store::Expect::any);
        const auto written = co_await deps_.db.write(std::move(batch));
        written.value();
        row.reset();
    }
    if (!row) {
        std::uint64_t fresh = 0;
        for (const auto octet : deps_.random.bytes(epoch_size)) fresh = fresh << 8U | octet;
        store::Batch batch;
        batch.add(store::nonce_epoch_begin, store::values(static_cast<std::int64_t>(fresh >> 2U) + 1), store::Expect::any);
        const auto written = co_await deps_.db.write(std::move(batch));
        written.value();
        auto again = store::values();
        row = co_await store::read_one(deps_.db, store::nonce_epoch_read, std::move(again));
    }
    if (row) epoch_ = row->integer(0);  // else it ended again meanwhile: the next look begins one
}

core::Task<std::string> FleetNonces::issue() {
    Parts parts;
    parts.epoch = epoch_;
    if (parts.epoch == 0) throw std::logic_error("a nonce before refresh()");
    parts.second = second();
    parts.number = process_;
    put(parts.number, next_.fetch_add(1, std::memory_order_relaxed), number_size - process_size);
    co_return core::base64url(seal(parts));
}

core::Task<bool> FleetNonces::redeem(std::string nonce) {
    const auto parts = open(nonce);
    if (!parts) co_return false;
    const auto age = std::chrono::seconds(second() - parts->second);
    if (age > lifetime || age < -tolerance) co_return false;
    store::Batch batch;
    batch.add(store::nonce_use, store::values(parts->epoch, parts->number, parts->second)).transient();
    const auto used = co_await deps_.db.write(std::move(batch));
    if (used) co_return true;
    // The fresh nonce of the refusal must not be another one of an epoch that ended.
    co_await refresh();
    co_return false;
}

/// Two steps, a round apart: refuse, and only in the next round forget, so that no statement that still saw
/// the old limit meets rows that are gone. Whose clock is ahead thus costs clients a retry, never a replay.
core::Task<std::size_t> FleetNonces::forget() {
    const bool held = co_await lease_.hold();
    if (!held) co_return 0;
    auto none = store::values();
    const auto row = co_await store::read_one(deps_.db, store::nonce_epoch_read, std::move(none));
    if (!row) co_return 0;
    const auto epoch = row->integer(0);
    const bool known = std::exchange(seen_epoch_, epoch) == epoch;
    // Not the limit of now: whoever held the lease before may have raised it a moment ago.
    const auto limit = known ? std::exchange(seen_limit_, row->integer(1)) : 0;
    if (!known) seen_limit_ = row->integer(1);
    std::size_t portions = 0;
    for (;;) {
        auto any = store::values();
        const auto oldest = co_await store::read_one(deps_.db, store::nonce_oldest, std::move(any));
        if (!oldest || oldest->integer(0) >= limit) break;
        ++portions;
        store::Batch batch;
        lease_.guard(batch);
        batch.add(store::nonce_forget, store::values(limit, rows_at_once), store::Expect::any);
        const auto written = co_await deps_.db.write(std::move(batch));
        if (!written) co_return portions;  // the lease is another's
    }
    const auto next = second() - std::chrono::seconds(lifetime).count();
    store::Batch batch;
    lease_.guard(batch);
    batch.add(store::nonce_epoch_raise, store::values(epoch, next), store::Expect::any);
    const auto raised = co_await deps_.db.write(std::move(batch));
    static_cast<void>(raised);  // a conflict: the lease is another's, and so is this work
    co_return portions;
}

}  // namespace postern::acme

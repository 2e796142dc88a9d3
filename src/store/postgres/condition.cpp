#include "store/postgres/condition.hpp"

namespace postern::store::postgres {

Condition::Condition(StoreNotice notice, observe::Metrics& metrics)
    : notice_(std::move(notice)),
      connections_gauge_(metrics.gauge("postern_store_connections", "Connections to the database that are up")),
      writable_(WriteMetrics(metrics).writable),
      losses_(metrics.counter("postern_store_connections_lost_total", "Connections to the database that ended")) {
    writable_.set(1);
}

void Condition::wanted(int more) {
    const std::lock_guard lock(mutex_);
    wanted_ += more;
}

void Condition::connected() {
    bool all = false;
    {
        const std::lock_guard lock(mutex_);
        connections_gauge_.set(++connected_);
        if (connected_ >= wanted_) all = std::exchange(losing_, false);
    }
    if (away_) clear_trouble();
    if (all && notice_) notice_("store_connected", "store: all connections to the database are up again");
}

void Condition::lost(const std::string& why, bool notice) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        connections_gauge_.set(--connected_);
        if (notice) first = !std::exchange(losing_, true);
    }
    if (!notice) return;
    losses_.add();
    if (first && notice_) notice_("store_connection_lost", why);
}

void Condition::set_trouble(std::string why, bool away) {
    const std::lock_guard lock(mutex_);
    if (troubled_ && !away_) away = false;  // a new connection says nothing about a full disk
    trouble_ = std::move(why);
    troubled_ = true;
    away_ = away;
    writable_.set(0);
}

void Condition::answered(bool wrote) {
    if (away_ || (wrote && troubled_)) clear_trouble();
}

void Condition::clear_trouble() {
    const std::lock_guard lock(mutex_);
    trouble_.clear();
    troubled_ = false;
    away_ = false;
    writable_.set(1);
}

std::string Condition::trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
}

}  // namespace postern::store::postgres

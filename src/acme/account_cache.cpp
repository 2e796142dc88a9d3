#include "acme/account_cache.hpp"

#include <stdexcept>

#include "core/crypto/jwk.hpp"

namespace postern::acme {

namespace {
constexpr std::chrono::seconds longest_unread(1);
}

std::shared_ptr<const KnownAccount> AccountCache::find(core::EndpointId endpoint, const std::string& token, Moment& moment) {
    const std::lock_guard lock(mutex_);
    moment.changes = changes_;
    const auto place = places_.find(token);
    if (place == places_.end()) return nullptr;
    const Entry& entry = *place->second;
    if (entry.configuration != moment.configuration || moment.at - entry.read >= longest_unread) return nullptr;
    if (entry.account->row.endpoint != endpoint) return nullptr;
    newest_first_.splice(newest_first_.begin(), newest_first_, place->second);
    return entry.account;
}

std::shared_ptr<const KnownAccount> AccountCache::keep(store::AcmeAccountRow row, const Moment& moment) {
    crypto::PublicKey key;
    {
        // A row that is read again has its old key, unless that was changed.
        const std::lock_guard lock(mutex_);
        if (const auto place = places_.find(row.token); place != places_.end()) {
            const auto& known = *place->second->account;
            if (known.row.thumbprint == row.thumbprint) key = known.key;
        }
    }
    if (!key.valid()) {
        auto jwk = crypto::parse_jwk(std::string_view(row.jwk));
        if (!jwk) throw std::runtime_error("acme_account " + row.token + ": " + jwk.error().detail);
        key = std::move(jwk->key);
    }
    auto account = std::make_shared<const KnownAccount>(std::move(row), std::move(key));
    const std::lock_guard lock(mutex_);
    if (changes_ != moment.changes) return account;
    const auto& token = account->row.token;
    if (const auto place = places_.find(token); place != places_.end()) {
        newest_first_.erase(place->second);
        places_.erase(place);
    }
    newest_first_.emplace_front(account, moment);
    places_.emplace(token, newest_first_.begin());
    if (newest_first_.size() > capacity_) {
        places_.erase(newest_first_.back().account->row.token);
        newest_first_.pop_back();
    }
    return account;
}

void AccountCache::forget(const std::string& token) {
    const std::lock_guard lock(mutex_);
    ++changes_;
    const auto place = places_.find(token);
    if (place == places_.end()) return;
    newest_first_.erase(place->second);
    places_.erase(place);
}

std::size_t AccountCache::size() const {
    const std::lock_guard lock(mutex_);
    return newest_first_.size();
}

}  // namespace postern::acme

#include "acme/account_keys.hpp"

#include <stdexcept>

#include "core/crypto/jwk.hpp"

namespace postern::acme {

crypto::PublicKey AccountKeys::get(const store::AcmeAccountRow& account) {
    {
        const std::lock_guard lock(mutex_);
        if (const auto place = places_.find(account.id); place != places_.end()) {
            if (place->second->thumbprint == account.thumbprint) {
                newest_first_.splice(newest_first_.begin(), newest_first_, place->second);
                return place->second->key;
            }
            newest_first_.erase(place->second);
            places_.erase(place);
        }
    }
    const auto jwk = crypto::parse_jwk(std::string_view(account.jwk));
    if (!jwk) throw std::runtime_error("acme_account " + account.token + ": " + jwk.error().detail);
    const std::lock_guard lock(mutex_);
    if (places_.contains(account.id)) return jwk->key;
    newest_first_.emplace_front(account.id, account.thumbprint, jwk->key);
    places_.emplace(account.id, newest_first_.begin());
    if (newest_first_.size() > capacity_) {
        places_.erase(newest_first_.back().id);
        newest_first_.pop_back();
    }
    return jwk->key;
}

std::size_t AccountKeys::size() const {
    const std::lock_guard lock(mutex_);
    return newest_first_.size();
}

}  // namespace postern::acme

#pragma once
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/async/cpu_pool.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/crypto/sealer.hpp"
#include "ra/model.hpp"
#include "store/database.hpp"

namespace postern::ra {

/// What a drawn access code is found by: HMAC-SHA256 under the master key over endpoint and code, base64url. The code
/// itself is nowhere.
std::string access_code_id(const crypto::Sealer& sealer, core::EndpointId endpoint, std::string_view code);

/// The account of that endpoint whose drawn code it is.
core::Task<std::optional<Account>> find_account_by_access_code(store::Database& db, const crypto::Sealer& sealer, core::EndpointId endpoint,
                                                               std::string code);

/// The same of a password of HTTP Basic, over the user's name too.
std::string password_id(const crypto::Sealer& sealer, core::EndpointId endpoint, std::string_view user, std::string_view password);
core::Task<std::optional<Account>> find_account_by_password(store::Database& db, const crypto::Sealer& sealer, core::EndpointId endpoint,
                                                            std::string user, core::SecretText password);

/// A code that a person chose is stored as Argon2id, sealed. Each try of each such account costs a hash, so an endpoint has few.
inline constexpr std::size_t most_chosen_codes = 4;
/// Why a person may not choose it, or empty: 12 to 255 visible ASCII characters, at least six different ones.
std::string why_no_access_code(std::string_view code);
core::Bytes seal_chosen_code(const crypto::Sealer& sealer, core::AccountId account, std::string_view code, core::Random& random);
/// Costs a hash: on the pool.
bool is_chosen_code(const crypto::Sealer& sealer, core::AccountId account, core::BytesView sealed, std::string_view code);

/// Judges codes that people chose. What was right stays so for at most ten minutes, under a key of this process, until the
/// account changes; what was wrong is hashed each time. Thread safe.
class ChosenCodes {
public:
    ChosenCodes(const crypto::Sealer& sealer, core::CpuPool& pool, core::Random& random, const core::Clock& clock);
    /// Whether it is that account's. Errors: unavailable, when as many are being judged as may be at one time: whoever floods
    /// an endpoint with guesses must not have the pool that signs.
    core::Task<core::Result<bool>> judge(Account account, core::SecretText code);

    static constexpr std::chrono::minutes remembered_for{10};
    static constexpr int most_at_once = 2;
    static constexpr std::size_t most_remembered = 4096;

private:
    core::Bytes key_of(const Account& account, std::string_view code) const;
    bool remembered(const core::Bytes& key);
    void remember(core::Bytes key);

    const crypto::Sealer& sealer_;
    core::CpuPool& pool_;
    const core::Clock& clock_;
    core::SecretBytes process_key_;
    std::atomic<int> running_{0};
    std::mutex mutex_;
    std::map<core::Bytes, core::SteadyPoint> until_;
};

}  // namespace postern::ra

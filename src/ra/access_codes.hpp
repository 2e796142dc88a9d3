#pragma once
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/async/cpu_pool.hpp"
#include "core/async/task.hpp"
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
/// account changes; what was wrong is hashed each time. Whoever floods an endpoint with guesses must neither have the pool that signs
/// nor shut others out: few are hashed at one time, a bounded line waits, and of one source a part of it. Thread safe.
class ChosenCodes {
public:
    /// What a code is for one account.
    enum class Verdict { wrong, right };

    ChosenCodes(const crypto::Sealer& sealer, core::CpuPool& pool, core::Random& random, const core::Clock& clock);
    ~ChosenCodes();
    /// Whether it is that account's. `source`: the address that asks. Waits for its turn up to `until`, ten seconds at most. Errors:
    /// unavailable, when too many wait, or wait too long.
    core::Task<core::Result<Verdict>> judge(Account account, core::SecretText code, std::string source, core::Deadline until);

    static constexpr std::chrono::minutes remembered_for{10};
    static constexpr int most_at_once = 2;
    static constexpr std::size_t most_waiting = 64, most_of_source = 16;
    static constexpr std::size_t most_remembered = 4096;

private:
    struct Waiting;
    class Turn;
    core::Bytes key_of(const Account& account, std::string_view code) const;
    bool remembered(const core::Bytes& key);
    void remember(core::Bytes key);

    const crypto::Sealer& sealer_;
    core::CpuPool& pool_;
    const core::Clock& clock_;
    core::SecretBytes process_key_;
    std::mutex mutex_;
    int running_ = 0;
    std::deque<std::shared_ptr<Waiting>> line_;
    std::map<core::Bytes, core::SteadyPoint> until_;
};

}  // namespace postern::ra

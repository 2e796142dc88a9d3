#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/crypto/sealer.hpp"
#include "ca/backend.hpp"
#include "ra/binding.hpp"
#include "ra/catalog.hpp"
#include "ra/principals.hpp"
#include "ra/single_use.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"
#include "store/tables/scep_challenge.hpp"

namespace postern::ra {

/// What a challenge is to be good for.
struct ChallengeWish {
    ChallengeWish() = default;
    Protocol protocol = Protocol::scep;  ///< or est, where it is a bearer token
    std::string endpoint;             ///< name
    std::string account;              ///< name; empty: the endpoint's only one of that method
    bool unbound = false;             ///< for whatever the account's scope allows, as NDES's are
    bool scripted = false;            ///< the token alone, in a script with curl and openssl, must be enough; all of a batch or none
    std::vector<crypto::DnEntry> subject;
    std::vector<crypto::GeneralName> names;
    std::string profile;              ///< empty: the first that endpoint and account allow
    std::optional<crypto::KeySpec> key;
    std::optional<std::chrono::milliseconds> lifetime;  ///< nullopt: as the account says
};

struct MintedChallenge {
    MintedChallenge() = default;
    std::string token;                ///< what it is called by
    core::SecretText text;            ///< 32 hexadecimal digits; shown this once
    std::string account;              ///< "tenant/name"
    std::string profile;
    core::TimePoint expires{};
};

struct RefusedWish {
    RefusedWish(std::size_t i, core::Problem w) : index(i), why(std::move(w)) {}
    std::size_t index;  ///< of the batch, from 0
    core::Problem why;
};

/// `minted` in the order of the wishes; empty where anything was refused.
struct MintedBatch {
    MintedBatch() = default;
    std::vector<MintedChallenge> minted;
    std::vector<RefusedWish> refused;
};

/// One that a device presented.
struct PresentedChallenge {
    PresentedChallenge() = default;
    store::ScepChallengeRow row;
    Account account;
    Binding binding;                  ///< with `ended` for one that is over
    SingleUse use;
};

/// Challenges for one certificate each, minted by principals (registration-authority.md, S06–S08); with EST they are bearer tokens.
/// Stored as HMAC.
class OneTimeChallenges {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const CatalogSource& catalog;
        const ca::Backends& backends;
        const crypto::Sealer& sealer;
        core::Random& random;
        const core::Clock& clock;
    };
    explicit OneTimeChallenges(Deps deps) : deps_(deps) {}

    /// Errors: not_found (no such endpoint or account, another tenant's too), malformed, forbidden ("challenge.unbound":
    /// the account mints none without a device), rate_limited ("challenge.outstanding": as many unbound ones wait already),
    /// and what policy says to such a profile and such names.
    core::Task<core::Result<MintedChallenge>> mint(ChallengeWish wish, Principal by, core::RequestId request);
    /// One for each of many devices, in one commit: all or none. What the first says of protocol, endpoint, account and `unbound` holds for
    /// all. Errors: as above where they are about all of them; wishes that policy refuses are in the answer, and then nothing was minted.
    core::Task<core::Result<MintedBatch>> mint_all(std::vector<ChallengeWish> wishes, Principal by, core::RequestId request);
    static constexpr std::size_t most_at_once = 5000;
    /// Rows of scep_challenge_page, of the caller's tenant, or all; nullopt: there is no such endpoint.
    core::Task<std::optional<store::Rows>> list(Protocol protocol, std::string endpoint, Principal by, std::int64_t after, std::int64_t limit);
    /// Errors: not_found, conflict (it was used, or withdrawn before).
    core::Task<core::Result<void>> withdraw(Protocol protocol, std::string endpoint, std::string token, Principal by, core::RequestId request);

private:
    core::Task<core::Result<Account>> minting_account(const Endpoint& endpoint, std::string name, bool unbound);
    Deps deps_;
};

/// By the text of a challengePassword, or of a bearer token; nullopt: nobody minted that here. `spki_sha256` is the presenting key's: what it got
/// with the challenge before is repeated to it, also after the challenge's end.
core::Task<std::optional<PresentedChallenge>> find_one_time_challenge(store::Database& db, const crypto::Sealer& sealer, core::EndpointId endpoint,
                                                                      std::string text, core::Bytes spki_sha256, core::TimePoint now);

}  // namespace postern::ra

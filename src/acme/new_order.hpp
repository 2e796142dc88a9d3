#pragma once
#include <optional>
#include <string>
#include <vector>

#include "acme/call.hpp"
#include "core/crypto/name.hpp"
#include "store/tables/acme_authorization.hpp"

/// What newOrder and newAuthz have in common.
namespace postern::acme {

struct Wanted {
    Wanted() = default;
    std::vector<crypto::GeneralName> names;  ///< normalized, each once, in the order sent
    std::optional<core::TimePoint> not_before, not_after;
    std::string profile;   ///< empty: the default
    std::string replaces;  ///< empty: no certificate
};
/// Normalized, each once, in the order sent. Errors: malformed, and what is wrong with all the names at once (RFC 8555 §6.7.1).
Result<std::vector<crypto::GeneralName>> read_identifiers(const std::vector<json::Value>& items);
struct Allowed {
    Allowed() = default;
    Allowed(std::string p, ra::Account a) : profile(std::move(p)), account(std::move(a)) {}
    std::string profile;
    ra::Account account;  ///< that the requester acts with
};
/// What the waist will be asked, as far as it is known now, so that nobody validates a name in vain. A refusal is on record
/// under `action`.
core::Task<Result<Allowed>> check_early(Parts& parts, const Call& call, const Wanted& wanted, std::string_view action);
/// What grants the account this name without a challenge (ra/grants.hpp); empty: it is to be proven.
std::string grant_of(const Parts& parts, const Call& call, const Allowed& allowed, const crypto::GeneralName& name);
/// A name that cannot be certified, on record; what is no order at all is a client's fault alone.
core::Task<Error> refuse_names(Parts& parts, const Call& call, std::string_view action, Error error);

/// The refusal where the account's guard missed.
Error account_gone();

struct NewAuthorization {
    NewAuthorization() = default;
    store::AcmeAuthorizationRow row;
    std::vector<store::AcmeChallengeRow> challenges;
};
/// Numbers for the rows of one authorization after the other.
struct AuthorizationIds {
    AuthorizationIds() = default;
    std::int64_t authorization = 0, challenge = 0;
};
core::Task<AuthorizationIds> draw_authorization_ids(Parts& parts, const Call& call, const Allowed& allowed, std::vector<crypto::GeneralName> names);
/// Added to the batch; takes the next of `ids`. A pending one with its challenges, or one that is valid without any where the
/// name is granted.
NewAuthorization add_authorization(Parts& parts, const Call& call, store::Batch& batch, const crypto::GeneralName& name,
                                   const Allowed& allowed, AuthorizationIds& ids);

}  // namespace postern::acme

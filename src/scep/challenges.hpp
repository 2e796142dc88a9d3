#pragma once
#include <functional>

#include "ra/renewal.hpp"
#include "scep/parts.hpp"

namespace postern::scep {

/// On which account's behalf, what proves it, and what it is good for.
struct Leave {
    Leave() = default;
    ra::Account account;
    std::optional<ra::Evidence> evidence;  ///< nullopt: an open account asks for none
    std::string presented;                 ///< digest or name of the credential, for the attempt key
    std::optional<ra::SingleUse> single_use;
    std::optional<ra::Binding> binding;
    std::string asked_by;                  ///< who minted the challenge; empty: nobody by name
    std::string profile;                   ///< empty: the first that endpoint and account give
    std::function<void(store::Batch&, core::EnrollmentId)> claim;
};

/// Of that key from that address: other devices behind the same address are not slowed down (S06).
ra::SlowDown::Try attempt_challenge(Parts& parts, const Call& call, const crypto::Csr& csr);
/// Of whatever key from that address, where somebody else judges: each look costs a hash, or a question to another service. `of`:
/// Parts::guesses or Parts::forgeries.
ra::SlowDown::Try attempt_of_source(Parts& parts, ra::SlowDown& of, const Call& call, const crypto::Csr& csr);
/// `whose`: "for this key from this address".
core::Problem too_many_tries(std::string_view whose, std::chrono::seconds wait);

/// Whose challenge it is: a drawn access code, a one-time challenge, a chosen access code, or one that a webhook judges. What was
/// drawn cannot be guessed, so whoever has it waits for nobody. Wrong ones slow down that source and key (S06); and since keys are
/// cheap, where somebody else judges, a little, all keys of that source at that endpoint. Errors: rate_limited ("challenge.tries"), forbidden ("challenge.known",
/// "challenge.webhook"), unavailable. `parts`, `call`, `request` and `csr` must outlive the task.
core::Task<core::Result<Leave>> leave_by_challenge(Parts& parts, const Call& call, const Request& request, const crypto::Csr& csr);
/// For requests without a challenge, where the endpoint has an open account.
core::Task<std::optional<Leave>> leave_by_open_account(Parts& parts, const Call& call);

}  // namespace postern::scep

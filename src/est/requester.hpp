#pragma once
#include "core/crypto/csr.hpp"
#include "est/manufacturer.hpp"
#include "est/parts.hpp"
#include "ra/one_time_challenges.hpp"
#include "ra/renewal.hpp"

/// Who asks, and what shows it (RFC 7030 §3.2.3, §3.3.2).
namespace postern::est {

struct Requester {
    Requester() = default;
    ra::Account account;                        ///< under which is enrolled
    std::vector<ra::Evidence> evidence;
    std::string name;                           ///< for records: "user factory", "certificate 1f…", "device 4711"
    std::optional<ra::RenewalRight> renewal;    ///< the client's certificate is of this endpoint
    std::optional<Vouched> vouched;             ///< the client's certificate is a manufacturer's
    std::optional<ra::PresentedChallenge> token;
    std::shared_ptr<const core::SecretText> token_text;
    std::optional<crypto::PublicKey> key;       ///< of the client's certificate
    /// An open account is everybody's, and a token counts once: whoever else has it by now may come with it without end.
    [[nodiscard]] bool anybody() const noexcept { return evidence.empty() || token; }
    // What settle() adds.
    std::optional<ra::Binding> binding;
    std::optional<ra::Device> device;
    std::function<void(store::Batch&, core::EnrollmentId)> claim, release;
};

/// Errors: unauthenticated (nobody, or a wrong password or token), forbidden (a certificate that gives no right here, which no
/// password makes good; or one where the endpoint wants another credential), rate_limited, unavailable.
core::Task<core::Result<Requester>> find_requester(Parts& parts, const Call& call, Operation operation);

/// Of a token that is over, only who has its certificate hears again, which the request's key tells. Errors: forbidden,
/// ra::credential_over_check.
core::Task<core::Result<void>> check_token(Parts& parts, const Call& call, Requester& requester, const crypto::Csr& csr);

/// What only the request tells: which device it is. Policy judges. Errors: forbidden, what check_same_names says, for who renews;
/// "renewal.change_subject".
core::Task<core::Result<void>> settle(Parts& parts, const Call& call, Requester& requester, const crypto::Csr& csr);

}  // namespace postern::est

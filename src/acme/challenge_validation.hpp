#pragma once
#include "acme/call.hpp"
#include "store/tables/acme_authorization.hpp"

namespace postern::acme {

/// Whether posting the challenge may still change anything.
bool can_be_validated(const store::AcmeChallengeWork& work, core::TimePoint now);
/// The flight that validates the challenge, started if this node has none, and run to its end
/// whoever waits for it. nullptr: as many run as may, of the account or of all.
std::shared_ptr<Flight> start_validation(Parts& parts, const store::AcmeChallengeWork& work, const core::RequestId& request,
                                         const core::Executor& executor);
/// See Acme::attempt_due().
core::Task<std::size_t> start_due(std::shared_ptr<Parts> parts);

}  // namespace postern::acme

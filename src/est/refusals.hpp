#pragma once
#include "est/requester.hpp"

/// The audit's rows of what the waist does not hear of (design §8).
namespace postern::est {

/// Of somebody who was known, or whom the endpoint lets be anybody; of those within a bound. What is only put off, as a try too many,
/// is none.
core::Task<void> record_refusal(Parts& parts, const Call& call, Operation operation, const Requester& requester, const core::Problem& problem);

/// Of whoever showed a credential that gives no right, or none where one is wanted, and at an endpoint that is disabled: who they
/// say they are, never with what. Bounded, since strangers can cause it.
core::Task<void> record_stranger(Parts& parts, const Call& call, const core::Problem& problem);

}  // namespace postern::est

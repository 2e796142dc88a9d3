#pragma once
#include "acme/call.hpp"

namespace postern::acme {

/// userActionRequired: the terms are agreed to, or nothing happens (RFC 8555 §7.3).
Error terms_needed(const std::string& terms);
/// userActionRequired where the account agreed to other terms than are shown today, or to none (§7.3.3). It agrees to them by
/// an update with termsOfServiceAgreed. The store is asked before it is refused.
core::Task<Result<void>> check_terms(Parts& parts, Call& call);
/// Whether the account has agreed to what is shown today.
bool agreed_to_terms(const Call& call);

}  // namespace postern::acme

#pragma once
#include <string>

#include "core/async/task.hpp"
#include "core/base/result.hpp"
#include "ra/principals.hpp"
#include "store/database.hpp"

namespace postern::ra {

/// Everything recorded about what somebody has in hand: a request id (X-Request-Id), the number of an
/// enrollment or certificate, a serial (as crypto::serial_from_text reads it), the key id of a CA of ours, the token of an order, authorization,
/// challenge, certificate or ACME account, an endpoint account ("name" or "tenant/name"), or a DNS name.
/// An order brings its authorizations, validation attempts and enrollment; an account its newest orders;
/// a name the newest orders for it and the newest refusals that speak of it.
/// JSON object {"reference", "request", "truncated", "authority"?: {"authority", "kind", "issuer", "subject", "notAfter", "made", "withdrawn", "takesOver"?}, "records": [{at, request, actor, action, object,
/// outcome, check, detail}]}, oldest first, "request" that of the first record. `not_found` when nothing
/// is recorded, also for another tenant's.
core::Task<core::Result<std::string>> explain(store::Database& db, const Principal& by, std::string reference);

}  // namespace postern::ra

#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "acme/account_cache.hpp"
#include "acme/acme.hpp"
#include "acme/flights.hpp"
#include "acme/problem.hpp"
#include "acme/urls.hpp"
#include "core/crypto/jwk.hpp"
#include "core/json/reader.hpp"
#include "ra/audit.hpp"
#include "ra/trace.hpp"
#include "store/tables/acme_account.hpp"

namespace postern::acme {

/// What all requests share.
struct Parts : std::enable_shared_from_this<Parts> {
    explicit Parts(Deps d);
    Deps deps;
    AccountCache accounts;
    Flights flights;
    std::atomic<std::int64_t> due_after{0};  ///< the challenge at which the last look for due ones stopped; 0: it saw all
    observe::Counter bad_nonces, validations_valid, validations_invalid;

    [[nodiscard]] core::TimePoint now() const noexcept { return deps.clock.now(); }
};

/// One request on its way through a handler: what was proven about it before the handler ran.
struct Call {
    Call(const http::Request& r, std::shared_ptr<const ra::Catalog> c, const ra::Endpoint& e, Urls u)
        : request(r), catalog(std::move(c)), endpoint(e), urls(std::move(u)) {}
    const http::Request& request;
    std::shared_ptr<const ra::Catalog> catalog;
    const ra::Endpoint& endpoint;
    Urls urls;

    std::string url;      ///< the signed one, equal to the request's
    std::string payload;  ///< verified; empty for POST-as-GET and plain GET
    crypto::PublicKey key;                         ///< what signed
    std::optional<crypto::Jwk> jwk;                ///< jws_jwk: the key came with the request
    std::shared_ptr<const KnownAccount> account;   ///< jws_kid: who signed; in good standing once a handler runs

    [[nodiscard]] const store::AcmeAccountRow& requester() const { return account->row; }
    [[nodiscard]] const std::string& token() const { return request.params["token"]; }
    [[nodiscard]] ra::Actor actor() const;
    /// An audit record of this request about `object_kind`/`object_id`.
    [[nodiscard]] ra::AuditRecord audit(core::TimePoint at, std::string action, std::string object_kind,
                                        std::string object_id) const;
};

using Reply = Result<http::Response>;
using Handler = core::Task<Reply> (*)(Parts&, Call&);

/// The payload as a JSON object; malformed otherwise.
Result<json::Document> payload_object(const Call& call);
/// A boolean member; false where it is absent, malformed where it is no boolean.
Result<bool> read_flag(const json::Value& object, std::string_view name);
/// Refuses a body where only POST-as-GET makes sense (RFC 8555 §6.3).
Result<void> expect_post_as_get(const Call& call);
/// A refusal of somebody whose credential was judged, on record with what was looked at. `error` names
/// its check; the last entry of the trace is the one that refused.
core::Task<Error> refuse(Parts& parts, const Call& call, ra::AuditRecord record, ra::Trace trace, Error error);
/// The same for a single check: `input` is what it looked at.
core::Task<Error> refuse(Parts& parts, const Call& call, ra::AuditRecord record, std::string input, Error error);
/// What is kept of a refusal's detail, which may quote clients and other strangers at any length.
std::string_view as_recorded(std::string_view detail);
/// 200 or 201 with JSON.
http::Response json_response(unsigned status, std::string body);

}  // namespace postern::acme

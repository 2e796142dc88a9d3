#pragma once
#include <memory>
#include <optional>
#include <string>

#include "acme/account_keys.hpp"
#include "acme/acme.hpp"
#include "acme/flights.hpp"
#include "acme/problem.hpp"
#include "acme/urls.hpp"
#include "core/crypto/jwk.hpp"
#include "core/json/reader.hpp"
#include "ra/audit.hpp"
#include "store/tables/acme_account.hpp"

namespace postern::acme {

/// What all requests share.
struct Parts : std::enable_shared_from_this<Parts> {
    explicit Parts(Deps d);
    Deps deps;
    AccountKeys keys;
    Flights flights;
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
    std::optional<store::AcmeAccountRow> account;  ///< jws_kid: who signed; in good standing once a handler runs

    [[nodiscard]] const store::AcmeAccountRow& requester() const { return account.value(); }
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
/// Refuses a body where only POST-as-GET makes sense (RFC 8555 §6.3).
Result<void> expect_post_as_get(const Call& call);
/// An audit record that the requester was refused, with the client's words.
core::Task<void> record_refusal(Parts& parts, const Call& call, const Error& error);
/// 200 or 201 with JSON.
http::Response json_response(unsigned status, std::string body);

}  // namespace postern::acme

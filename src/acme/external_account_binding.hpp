#pragma once
#include <string>
#include <string_view>

#include "acme/call.hpp"
#include "acme/jws.hpp"
#include "core/crypto/digest.hpp"

/// External account binding (RFC 8555 §7.3.4): a MAC over the account key under a key that the
/// administrator handed out.
namespace postern::acme {

/// The inner JWS after every check that needs no key.
struct BindingRequest {
    std::string kid;
    crypto::HmacHash hash{};
    FlattenedJws jws;
    std::string json;  ///< the object as it is kept and echoed
};
/// The MAC algorithm, url equal to the outer one, no nonce, and as payload the key that signs the
/// outer JWS (compared by thumbprint). Errors: malformed.
Result<BindingRequest> parse_binding(const json::Value& object, std::string_view outer_url, const crypto::Jwk& outer_key);
/// Constant time.
bool mac_is_right(const BindingRequest& request, core::BytesView key);

struct Binding {
    Binding() = default;
    ra::Account account;
    std::string json;
};
/// Finds the credential and checks the MAC. Unknown key ids and wrong MACs answer alike and take the
/// same time: unauthorized. What was judged under a known key id and refused is audited.
core::Task<Result<Binding>> verify_binding(Parts& parts, const Call& call, json::Value object);
/// The refusal of a key id that is good for one account and has it.
core::Task<Error> refuse_used_binding(Parts& parts, const Call& call, const ra::Account& account);

}  // namespace postern::acme

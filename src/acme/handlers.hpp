#pragma once
#include "acme/call.hpp"
#include "store/tables/acme_order.hpp"

/// One resource of RFC 8555 §7.1, one file.
namespace postern::acme {

core::Task<Reply> directory(Parts& parts, Call& call);
core::Task<Reply> new_nonce(Parts& parts, Call& call);
core::Task<Reply> new_account(Parts& parts, Call& call);
core::Task<Reply> account(Parts& parts, Call& call);
core::Task<Reply> key_change(Parts& parts, Call& call);
core::Task<Reply> orders(Parts& parts, Call& call);
core::Task<Reply> new_authz(Parts& parts, Call& call);
core::Task<Reply> new_order(Parts& parts, Call& call);
core::Task<Reply> order(Parts& parts, Call& call);
core::Task<Reply> finalize(Parts& parts, Call& call);
core::Task<Reply> authorization(Parts& parts, Call& call);
core::Task<Reply> challenge(Parts& parts, Call& call);
core::Task<Reply> certificate(Parts& parts, Call& call);
core::Task<Reply> alternate_certificate(Parts& parts, Call& call);
core::Task<Reply> revoke_cert(Parts& parts, Call& call);
core::Task<Reply> renewal_info(Parts& parts, Call& call);

/// The order that the path names, if it is the requester's.
core::Task<std::optional<store::AcmeOrderRow>> find_order(Parts& parts, const Call& call);

}  // namespace postern::acme

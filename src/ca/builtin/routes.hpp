#pragma once
#include "ca/builtin/crl_signer.hpp"
#include "core/http/router.hpp"

namespace postern::ca {

/// What relying parties fetch (design §11): CA certificates and CRLs, from memory, for anybody.
/// The router keeps what it needs alive.
/// `hierarchy` gives what is there when it is asked.
void add_authority_routes(http::Router& router, std::function<Hierarchy()> hierarchy, std::shared_ptr<CrlSigner> crls,
                          const core::Clock& clock);

}  // namespace postern::ca

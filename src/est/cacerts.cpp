#include "core/crypto/cms_build.hpp"
#include "est/bodies.hpp"
#include "est/status.hpp"

namespace postern::est {

/// RFC 7030 §4.1: the chain that this endpoint issues under, the issuing CA first, the root last: some clients take the last for it.
core::Task<http::Response> cacerts(Parts& parts, const Call& call) {
    const auto* profile = call.catalog->profile(call.endpoint.tenant, call.endpoint.profiles.front());
    auto* backend = profile ? parts.deps.backends.find(profile->backend) : nullptr;
    const auto chain = backend ? backend->chain(backend->issuer()) : std::vector<core::Bytes>();
    if (chain.empty())
        co_return refusal(call, core::Problem(core::ProblemKind::unavailable, "the certificates of this endpoint's CA are not known yet", "est.chain"));
    co_return answer_der(call.request, certificates_type, crypto::cms_certificates(chain));
}

}  // namespace postern::est

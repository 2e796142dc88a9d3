#include "core/base/unavailable.hpp"
#include "scep/answer.hpp"
#include "scep/enroll.hpp"

namespace postern::scep {

namespace {

using core::Problem;
using core::ProblemKind;

/// Off where nobody asked for it: certificates name the URL of their CRL, which is as fresh and costs no RSA.
Problem switched_off() { return {ProblemKind::forbidden, "this endpoint gives no CRLs; each is at the URL in its certificate (cRLDistributionPoints)", "crl.allowed"}; }
Problem not_own() { return {ProblemKind::not_found, "there is no such certificate of the key that signed the request", "crl.own"}; }
Problem elsewhere() {
    return {ProblemKind::forbidden, "the CRL of that certificate's CA is not here; it is at the URL in the certificate (cRLDistributionPoints)", "crl.published"};
}

}  // namespace

core::Task<http::Response> get_crl(Parts& parts, const Call& call, const Request& request, const IssuerAndSerial& wanted) {
    ReplyTo to(request, call.policy);
    if (!call.endpoint.scep.get_crl) co_return co_await refuse(parts, call, std::move(to), switched_off());
    const auto row = co_await find_own(parts, call, request, wanted);
    if (!row) co_return co_await refuse(parts, call, std::move(to), not_own());
    const auto* backend = parts.deps.backends.reach(row->backend);
    auto crl = backend ? backend->crl(row->issuer_key_id, row->serial) : std::nullopt;
    if (!crl && backend != nullptr && !backend->chain(row->issuer_key_id).empty())
        throw core::Unavailable("no CRL of that CA is published at the moment");  // a restored installation that nobody has opened
    if (!crl) co_return co_await refuse(parts, call, std::move(to), elsewhere());
    std::vector<core::Bytes> no_certificates, crls{std::move(*crl)};
    co_return co_await answer_with(parts, call, std::move(to), std::move(no_certificates), std::move(crls));
}

}  // namespace postern::scep

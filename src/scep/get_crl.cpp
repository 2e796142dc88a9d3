#include "scep/answer.hpp"
#include "scep/enroll.hpp"

namespace postern::scep {

/// Certificates name the URL of their CRL, which is fresher than what a client asked for here last week.
core::Task<http::Response> get_crl(Parts& parts, const Call& call, const Request& request) {
    ReplyTo to(request, call.policy);
    core::Problem problem(core::ProblemKind::forbidden, "this server gives CRLs by HTTP, at the URL in the certificate (cRLDistributionPoints)");
    co_return co_await refuse(parts, call, std::move(to), std::move(problem));
}

}  // namespace postern::scep

#include "scep/answer.hpp"

#include "core/base/unavailable.hpp"
#include "ra/approvals.hpp"

namespace postern::scep {

namespace {

/// `build` makes a CertRep of the RA's identity; on the pool.
template <class Build>
core::Task<http::Response> signed_reply(Parts& parts, const Call& call, Build build) {
    const auto& ra = call.credential().identity;
    const auto work = [&] { return build(ra); };
    auto made = co_await parts.deps.pool.run(work);
    if (!made) throw core::Unavailable(made.error().detail);
    co_return http::Response(200, pki_message_media_type, std::string(made->begin(), made->end()));
}

}  // namespace

core::Task<http::Response> refuse(Parts& parts, const Call& call, ReplyTo to, core::Problem problem) {
    const auto fail = fail_info(problem.kind);
    parts.failed.add();
    parts.deps.log.warning("scep_refused", {{"request", call.request.id.get()}, {"endpoint", call.endpoint.name}, {"transaction", to.transaction_id},
                                            {"fail_info", to_string(fail)}, {"check", problem.check}, {"why", problem.detail}});
    const auto build = [&](const crypto::CmsIdentity& ra) { return cert_rep_failure(to, fail, problem.detail, ra, parts.deps.random); };
    co_return co_await signed_reply(parts, call, build);
}

core::Problem told(const Call& call, core::Problem problem) {
    const bool words = problem.check == ra::approval_decision_check && !call.endpoint.scep.officer_messages;
    if (words) problem.detail = ra::declined_text;
    return problem;
}

core::Task<http::Response> answer_pending(Parts& parts, const Call& call, ReplyTo to, std::string why) {
    parts.pending.add();
    parts.deps.log.info("scep_pending", {{"request", call.request.id.get()}, {"endpoint", call.endpoint.name}, {"transaction", to.transaction_id}, {"why", why}});
    const auto build = [&](const crypto::CmsIdentity& ra) { return cert_rep_pending(to, ra, parts.deps.random); };
    co_return co_await signed_reply(parts, call, build);
}

core::Task<http::Response> answer_with(Parts& parts, const Call& call, ReplyTo to, std::vector<core::Bytes> certificates, std::vector<core::Bytes> crls) {
    parts.succeeded.add();
    const auto build = [&](const crypto::CmsIdentity& ra) { return cert_rep_success(to, certificates, crls, ra, parts.deps.random); };
    co_return co_await signed_reply(parts, call, build);
}

}  // namespace postern::scep

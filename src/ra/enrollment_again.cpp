#include "core/base/encoding.hpp"
#include "ra/enrollment_steps.hpp"
#include "ra/predecessor_status.hpp"
#include "store/tables/imported_certificate.hpp"
#include "store/tables/requester.hpp"

/// What is asked once more when a request is issued long after it came: after an officer's yes, or a crash.
namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

Problem unknown(std::string why) { return {ProblemKind::unavailable, std::move(why), std::string(predecessor_check)}; }

}  // namespace

/// Policy asks this store of everything that the request rests on. What a predecessor's certificate is worth only the predecessor knows:
/// it may have been revoked there since.
Task<Result<void>> Enrollment::decide_again(Attempt& a) {
    auto leave = co_await decide_and_prepare(a);
    if (!leave) co_return leave;
    for (const auto& e : a.request.evidence) {
        if (e.requester != store::imported_requester.kind) continue;
        const auto digest = core::from_hex(e.subject);
        if (!digest || deps_.predecessors == nullptr) co_return unknown("nobody here can ask the predecessor");
        auto presented = store::values(core::BytesView(*digest), a.request.endpoint);
        const auto row = co_await store::read_one(deps_.db, store::imported_certificate_presented, std::move(presented));
        if (!row) co_return unknown("the certificate that the request rests on was deleted at this moment");
        const auto imported = store::ImportedCertificateRow::from(*row);
        auto certificate = crypto::Certificate::parse(imported.der);
        if (!certificate) co_return certificate.error();
        // A CRL need not list it any longer (RFC 5280 §3.3): that nothing is said proves nothing.
        if (a.now > certificate->not_after())
            co_return Problem(ProblemKind::unauthenticated, "the certificate ended at " + core::rfc3339(certificate->not_after()) + ", before its successor was issued", "renewal.validity");
        auto request = a.request.id;
        const auto verdict = co_await deps_.predecessors->ask(imported.predecessor, std::move(*certificate), std::move(request), a.request.deadline);
        if (!verdict) co_return verdict.error();
        if (*verdict) co_return Problem(ProblemKind::unauthenticated, **verdict, std::string(predecessor_check));
    }
    co_return leave;
}

}  // namespace postern::ra

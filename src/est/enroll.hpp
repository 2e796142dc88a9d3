#pragma once
#include "est/requester.hpp"

/// What simpleenroll, simplereenroll and serverkeygen do alike.
namespace postern::est {

/// Before anybody is asked who they are. Errors: "est.media_type".
core::Result<void> check_media_type(const Call& call);
/// DER of the PKCS #10. Errors: malformed; "est.size" over 16 KiB.
core::Result<core::Bytes> read_body(const Call& call);
/// Which profile judges this request, and with it the proof; null: none allows it, as the waist will say.
const ra::Profile* profile_of(const Call& call, const ra::Account& account);
/// Its proof of possession, and what settle() says. What is refused here was somebody's whose credential was judged, and is for
/// record_refusal(). `requester` and `csr` must outlive the task.
core::Task<core::Result<void>> check_request(Parts& parts, const Call& call, Requester& requester, const crypto::Csr& csr);
ra::EnrollmentRequest compose(const Call& call, Operation operation, crypto::Csr csr, Requester requester);

http::Response answer_pending(const Call& call, const ra::PendingEnrollment& pending);
/// Degenerate SignedData with this certificate alone (RFC 7030 §4.2.3).
core::Bytes certs_only(const core::Bytes& der);
/// Counts and logs it.
void note_issued(Parts& parts, const Call& call, Operation operation, const ra::IssuedCertificate& issued);

}  // namespace postern::est

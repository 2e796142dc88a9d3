#include "acme/handlers.hpp"
#include "core/crypto/certificate.hpp"
#include "ra/reports.hpp"
#include "store/tables/certificate.hpp"

namespace postern::acme {

/// RFC 8555 §7.4.2: leaf first, each certifying the one before, for the account that ordered it. No
/// `up` link: clients would take it for another chain.
core::Task<Reply> certificate(Parts& parts, Call& call) {
    if (const auto read = expect_post_as_get(call); !read) co_return read.error();
    auto by_token = store::values(call.token());
    const auto row = co_await store::read_one(parts.deps.db, store::certificate_by_token, std::move(by_token));
    if (!row) co_return not_found();
    const auto found = store::CertificateRow::from(*row);
    auto by_enrollment = store::values(found.enrollment, call.requester().id);
    const auto owned = co_await store::read_one(parts.deps.db, store::acme_order_of_enrollment, std::move(by_enrollment));
    if (!owned) co_return not_found();
    std::string pem = crypto::to_pem("CERTIFICATE", found.der);
    auto backend = found.backend, issuer = found.issuer_key_id;
    pem += co_await ra::chain_of(parts.deps.db, parts.deps.backends, std::move(backend), std::move(issuer));
    co_return http::Response(200, "application/pem-certificate-chain", std::move(pem));
}

}  // namespace postern::acme

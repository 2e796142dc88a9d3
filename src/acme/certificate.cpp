#include <charconv>

#include "acme/handlers.hpp"
#include "core/crypto/certificate.hpp"
#include "ra/reports.hpp"
#include "store/tables/certificate.hpp"

namespace postern::acme {

namespace {

/// The certificate that the path names, if the requester ordered it.
core::Task<std::optional<store::CertificateRow>> find(Parts& parts, const Call& call) {
    auto by_token = store::values(call.token());
    const auto row = co_await store::read_one(parts.deps.db, store::certificate_by_token, std::move(by_token));
    if (!row) co_return std::nullopt;
    auto found = store::CertificateRow::from(*row);
    auto by_enrollment = store::values(found.enrollment, call.requester().id);
    const auto owned = co_await store::read_one(parts.deps.db, store::acme_order_of_enrollment, std::move(by_enrollment));
    if (!owned) co_return std::nullopt;
    co_return found;
}

/// 0 is the chain at the certificate's own URL, and each links to all others. No `up` link: clients would take it for
/// another chain.
core::Task<Reply> answer_with_chain(Parts& parts, const Call& call, std::size_t wanted) {
    if (const auto read = expect_post_as_get(call); !read) co_return read.error();
    const auto found = co_await find(parts, call);
    if (!found) co_return not_found();
    auto backend = found->backend, issuer = found->issuer_key_id;
    const auto chains = co_await ra::chains_of(parts.deps.db, parts.deps.backends, std::move(backend), std::move(issuer));
    if (wanted >= chains.size()) co_return not_found();
    http::Response answer(200, "application/pem-certificate-chain", crypto::to_pem("CERTIFICATE", found->der) + chains[wanted]);
    for (std::size_t i = 0; i < chains.size(); ++i)
        if (i != wanted) answer.set("Link", "<" + call.urls.certificate(call.token(), i) + ">;rel=\"alternate\"");
    co_return answer;
}

}  // namespace

/// RFC 8555 §7.4.2: leaf first, each certifying the one before, for the account that ordered it.
core::Task<Reply> certificate(Parts& parts, Call& call) { return answer_with_chain(parts, call, 0); }

core::Task<Reply> alternate_certificate(Parts& parts, Call& call) {
    const std::string& number = call.request.params["chain"];
    std::size_t wanted = 0;
    const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), wanted);
    if (failed != std::errc() || end != number.data() + number.size()) throw std::logic_error("the pattern lets numbers pass alone");
    return answer_with_chain(parts, call, wanted);
}

}  // namespace postern::acme

#include <algorithm>

#include "core/base/unavailable.hpp"
#include "scep/parts.hpp"

namespace postern::scep {

namespace {

constexpr std::string_view next_certificates = "application/x-x509-next-ca-cert";

const RaCredential* ra_of(const Call& call, const ca::Successor& successor) {
    const auto found = std::ranges::find_if(*call.credentials, [&](const RaCredential& c) { return c.issuer_key_id == successor.key_id; });
    return found == call.credentials->end() ? nullptr : &*found;
}

/// The RA of the CA to come, since that is what messages will be encrypted for, then the CA and those above it.
core::Bytes content_of(const RaCredential& ra, const ca::Successor& successor) {
    std::vector<core::Bytes> certificates{ra.identity.certificate.der()};
    certificates.insert(certificates.end(), successor.chain.begin(), successor.chain.end());
    return crypto::cms_certificates(certificates);
}

http::Response answer_of(const core::Bytes& signed_data) {
    return {200, next_certificates, std::string(signed_data.begin(), signed_data.end())};
}

}  // namespace

/// Only once its RA has a certificate: before, there is nobody to write to.
std::optional<ca::Successor> successor_of(const Parts& parts, const Call& call) {
    if (!call.source.same_ca()) return std::nullopt;
    const auto* backend = parts.deps.backends.find(call.source.issuing);
    auto successor = backend ? backend->successor() : std::nullopt;
    if (successor && ra_of(call, *successor) == nullptr) successor.reset();
    return successor;
}

/// RFC 8894 §4.7: signed by the CA of today, so that clients which trust that one may trust the next.
core::Task<http::Response> get_next_ca_cert(Parts& parts, const Call& call) {
    const auto successor = successor_of(parts, call);
    if (!successor) co_return http::Response(404, "text/plain; charset=utf-8", "there is no next CA certificate\n");
    auto content = content_of(*ra_of(call, *successor), *successor);
    {
        const std::lock_guard lock(parts.next_mutex);
        if (parts.next_content == content) co_return answer_of(parts.next_answer);
    }
    auto copy = content;
    auto signing = parts.deps.backends.find(call.source.issuing)->sign_as_issuer(std::move(copy), std::string(crypto::oid_cms_data));
    const auto answer = co_await std::move(signing);
    if (!answer) throw core::Unavailable(answer.error().detail);
    const std::lock_guard lock(parts.next_mutex);
    parts.next_content = std::move(content);
    parts.next_answer = *answer;
    co_return answer_of(*answer);
}

}  // namespace postern::scep

#include "est/proof.hpp"

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"

namespace postern::est {

namespace {

/// Tools that pipe a value through `base64` leave its line end there.
std::string_view without_line_end(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    return text;
}

bool is(std::string_view given, const core::Bytes& binding) {
    return !binding.empty() && core::equal_constant_time(core::as_bytes(given), core::as_bytes(core::base64(binding)));
}

}  // namespace

core::Result<void> check_proof(const Call& call, const crypto::Csr& csr) {
    if (csr.challenge_password().empty()) return {};
    const auto& facts = call.request.peer.tls_facts;
    const auto given = without_line_end(csr.challenge_password());
    if (facts && (is(given, facts->unique) || is(given, facts->exporter))) return {};
    return core::Problem(core::ProblemKind::malformed,
                         "the request's challengePassword is not the channel binding of this TLS connection (RFC 7030 section 3.5; tls-exporter in TLS 1.3)", "proof.binding");
}

}  // namespace postern::est

#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/crypto/cms_build.hpp"

/// What GetCACert gives (RFC 8894 §4.2).
namespace postern::scep {

/// Who answers at an endpoint, and who signs there.
struct CaChain {
    CaChain() = default;
    /// Decrypts and signs messages. Without one issuers[0] does it itself.
    std::optional<crypto::CmsCertificate> ra;
    /// The issuing CA first, each signed by the next; the root last, when it is known.
    std::vector<crypto::CmsCertificate> issuers;
    /// Of the RA's certificate, in the same order, where another CA issued it. Else empty: issuers[0] did.
    std::vector<crypto::CmsCertificate> ra_issuers;
};

/// How much of it is sent: some Windows set-ups want the root, most clients only the issuer.
enum class ChainForm { issuer, chain, chain_and_root };

struct CaCertificates {
    CaCertificates() = default;
    std::string_view media_type;
    core::Bytes body;
};

/// Whether clients can use the chain in that form, found out when an endpoint is set up rather than by
/// phones that stay silent. `bad_content` with what is wrong: an RA certificate without an RSA key, without
/// digitalSignature and keyEncipherment in a keyUsage extension (Apple, Windows), or whose chain ends elsewhere
/// than the issuing CA's (Apple); issuers that do not sign one another; an issuing CA that would have to decrypt and
/// cannot; several certificates without an RA certificate, among which Apple finds nobody to write to.
std::optional<core::Problem> check_chain(const CaChain& chain, ChainForm form);

/// GetCACert. One certificate is sent as it is; several as a degenerate SignedData, the RA's first, since
/// sscep and Apple take the first that fits, then the issuers upwards, then the RA's own where those are others.
CaCertificates ca_certificates(const CaChain& chain, ChainForm form);

}  // namespace postern::scep

#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/encoding.hpp"
#include "core/crypto/cms_build.hpp"
#include "core/crypto/system_random.hpp"
#include "scep/message.hpp"
#include "tests/unit/crypto/support.hpp"

namespace postern::test {

/// A file of tests/data/scep; throws when it is missing.
core::Bytes scep_file(std::string_view name);
crypto::CmsCertificate scep_certificate(std::string_view name);
/// NAME.der with KEY.key.pem.
crypto::CmsIdentity scep_identity(std::string_view name, std::string_view key);

/// The registration authority of the files, and the keys it still opens messages with.
const crypto::CmsIdentity& ra();
const crypto::CmsIdentity& old_ra();
const std::vector<crypto::CmsIdentity>& ra_keys();  ///< both
/// device.der and its key; the same key with the certificate issued here.
const crypto::CmsIdentity& device();
const crypto::CmsIdentity& issued_device();
core::Random& randomness();

/// What SHA-1 and 3DES need.
scep::MessagePolicy legacy_policy();

/// A message of which a test changes one thing at a time.
struct Letter {
    Letter();
    /// Signed attributes; attribute(), without(), replace one.
    std::vector<crypto::CmsAttribute> attributes;
    core::Bytes content;  ///< what is enveloped: a CSR for the device's key, challenge "correct horse"
    std::optional<core::Bytes> envelope;  ///< instead of the content's
    crypto::CmsCipher cipher = crypto::CmsCipher::aes128_cbc;
    crypto::CmsDigest digest = crypto::CmsDigest::sha256;
    crypto::CmsIdentity signer;
    crypto::CmsParty recipient;
    std::vector<core::Bytes> more_certificates;

    Letter& without(std::string_view oid);
    Letter& with(std::string_view oid, std::uint8_t tag, std::string_view value);
    /// without() and with().
    Letter& replace(std::string_view oid, std::uint8_t tag, std::string_view value);
    [[nodiscard]] core::Bytes build() const;
};

crypto::CmsParty party_of(const crypto::CmsIdentity& identity);
/// Received and verified.
core::Result<scep::Request> verified(core::BytesView message, const scep::MessagePolicy& policy = {});
/// And opened by the RA's keys.
core::Result<scep::Opened> opened(core::BytesView message, scep::SignerStanding standing = scep::SignerStanding::stranger,
                                  const scep::MessagePolicy& policy = {}, scep::OpenCause* cause = nullptr);

/// "kind check: detail" of a refusal, "accepted" else.
template <class T>
std::string refused(const core::ResultOf<T>& result) {
    if (result) return "accepted";
    return std::string(core::to_string(result.error().kind)) + " " + result.error().check + ": " + result.error().detail;
}

}  // namespace postern::test

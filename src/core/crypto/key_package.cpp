#include "core/crypto/key_package.hpp"

#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <algorithm>

#include "core/crypto/certificate.hpp"
#include "core/crypto/cms_content.hpp"
#include "core/crypto/fetched.hpp"
#include "core/crypto/handles.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;
using CmsPtr = std::unique_ptr<CMS_ContentInfo, Deleter<CMS_ContentInfo_free>>;

/// What stands in the ContentInfo; that is what is encrypted, for the envelope says of which type it is.
BytesView content_of(BytesView content_info) {
    der::Reader outer(content_info);
    const auto info = outer.next(der::sequence);
    der::Reader fields(info.value().content);
    fields.next(der::oid);
    return fields.next(der::context_constructed(0)).value().content;
}

/// Of the keys that a message can be encrypted for; nullopt for others.
std::optional<KeyType> receiving_key(const Certificate& certificate) {
    const auto key = PublicKey::from_spki(certificate.spki(), KeyUse::csr);
    return key && key->type() != KeyType::ed25519 ? std::optional(key->type()) : std::nullopt;
}

/// dhSinglePass-stdDH-sha256kdf-scheme (RFC 5753); left alone, the library derives by SHA-1.
bool agree_by_sha256(CMS_RecipientInfo* recipient) {
    EVP_PKEY_CTX* context = ::CMS_RecipientInfo_get0_pkey_ctx(recipient);
    return context != nullptr && ::EVP_PKEY_CTX_set_ecdh_kdf_md(context, sha256_method()) == 1;
}

Bytes encoded(CMS_ContentInfo* cms) {
    const int size = ::i2d_CMS_ContentInfo(cms, nullptr);
    if (size <= 0) fail("encoding an envelope");
    Bytes out(static_cast<std::size_t>(size));
    unsigned char* end = out.data();
    ::i2d_CMS_ContentInfo(cms, &end);
    return out;
}

}  // namespace

core::SecretBytes key_package(const core::SecretBytes& pkcs8) {
    der::Writer out;
    out.begin(der::sequence).raw(pkcs8.expose()).end();
    return core::SecretBytes(out.take());
}

core::Result<Bytes> envelope_for(const core::SecretBytes& signed_data, BytesView certificate, CmsCipher cipher) {
    const auto parsed = Certificate::parse(certificate);
    if (!parsed) return parsed.error();
    const auto type = receiving_key(*parsed);
    if (!type) return Problem(ProblemKind::unsupported, "a key can be encrypted for RSA keys and for EC keys on P-256, P-384 or P-521 only");
    const unsigned char* begin = certificate.data();
    const X509Ptr recipient(::d2i_X509(nullptr, &begin, static_cast<long>(certificate.size())));
    const auto content = content_of(signed_data.expose());
    const BioPtr in(::BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
    const CmsPtr cms(::CMS_encrypt(nullptr, nullptr, cipher_method(cipher), CMS_PARTIAL | CMS_BINARY));
    const unsigned named = parsed->subject_key_id().empty() ? 0 : CMS_USE_KEYID;
    if (!recipient || !in || !cms) fail("preparing an envelope");
    CMS_RecipientInfo* added = ::CMS_add1_recipient_cert(cms.get(), recipient.get(), named | CMS_KEY_PARAM);
    if (added == nullptr || (*type != KeyType::rsa && !agree_by_sha256(added)) ||
        ::CMS_set1_eContentType(cms.get(), ::OBJ_nid2obj(NID_pkcs7_signed)) != 1 || ::CMS_final(cms.get(), in.get(), nullptr, CMS_BINARY) != 1)
        fail("encrypting a key");
    return encoded(cms.get());
}

std::optional<CmsCipher> envelope_cipher(std::span<const std::string> capabilities) {
    constexpr std::string_view wrap_256 = "2.16.840.1.101.3.4.1.45", wrap_192 = "2.16.840.1.101.3.4.1.25", wrap_128 = "2.16.840.1.101.3.4.1.5";
    const auto names = [&](std::string_view oid) { return std::ranges::find(capabilities, oid) != capabilities.end(); };
    for (const auto& [cipher, wrap] : {std::pair(CmsCipher::aes256_cbc, wrap_256), std::pair(CmsCipher::aes192_cbc, wrap_192), std::pair(CmsCipher::aes128_cbc, wrap_128)})
        if (names(cms_oid(cipher)) || names(wrap)) return cipher;
    return std::nullopt;
}

}  // namespace postern::crypto

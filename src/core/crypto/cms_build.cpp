#include "core/crypto/cms_build.hpp"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <stdexcept>

#include "core/base/secret.hpp"
#include "core/crypto/cms_content.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/fetched.hpp"
#include "core/crypto/handles.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;

constexpr std::string_view oid_rsa_encryption = "1.2.840.113549.1.1.1";
constexpr std::string_view oid_content_type = "1.2.840.113549.1.9.3";
constexpr std::string_view oid_message_digest = "1.2.840.113549.1.9.4";
constexpr std::uint8_t explicit_0 = der::context_constructed(0);

void begin_content_info(der::Writer& out, std::string_view type) { out.begin(der::sequence).oid(type).begin(explicit_0).begin(der::sequence); }
Bytes end_content_info(der::Writer& out) {
    out.end().end().end();
    return out.take();
}

void write_name(der::Writer& out, const CmsCertificate& certificate) {
    out.begin(der::sequence).raw(certificate.issuer_der()).primitive(der::integer, certificate.serial()).end();
}

void write_algorithm(der::Writer& out, std::string_view oid, bool null_parameters) {
    out.begin(der::sequence).oid(oid);
    if (null_parameters) out.primitive(der::null, {});
    out.end();
}

Bytes encrypt_key(const PublicKey& key, BytesView content_key) {
    if (key.native() == nullptr || key.type() != KeyType::rsa) throw std::invalid_argument("an envelope's recipient has an RSA key");
    const PkeyCtxPtr context(::EVP_PKEY_CTX_new(key.native(), nullptr));
    if (!context || ::EVP_PKEY_encrypt_init(context.get()) != 1 || ::EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1)
        fail("preparing an encryption");
    Bytes out(static_cast<std::size_t>(::EVP_PKEY_get_size(key.native())));
    std::size_t size = out.size();
    if (::EVP_PKEY_encrypt(context.get(), out.data(), &size, content_key.data(), content_key.size()) != 1) fail("EVP_PKEY_encrypt");
    out.resize(size);
    return out;
}

Bytes encrypt_content(CmsCipher cipher, BytesView key, BytesView vector, BytesView content) {
    const CipherCtxPtr context(::EVP_CIPHER_CTX_new());
    Bytes out(content.size() + sizes_of(cipher).block);
    int written = 0;
    int last = 0;
    if (!context || ::EVP_EncryptInit_ex2(context.get(), cipher_method(cipher), key.data(), vector.data(), nullptr) != 1 ||
        ::EVP_EncryptUpdate(context.get(), out.data(), &written, content.data(), static_cast<int>(content.size())) != 1 ||
        ::EVP_EncryptFinal_ex(context.get(), out.data() + written, &last) != 1)
        fail("encrypting a content");
    out.resize(static_cast<std::size_t>(written) + static_cast<std::size_t>(last));
    return out;
}

Bytes attribute_der(std::string_view oid, std::uint8_t tag, BytesView value) {
    der::Writer out;
    out.begin(der::sequence).oid(oid).begin(der::set).primitive(tag, value).end().end();
    return out.take();
}

/// The content of a SET OF in DER's order (X.690 §11.6): by octets, a shorter one first.
Bytes signed_attributes(std::span<const CmsAttribute> attributes, BytesView digest, std::string_view content_type) {
    std::vector<Bytes> each;
    each.reserve(attributes.size() + 2);
    each.push_back(attribute_der(oid_content_type, der::oid, der::oid_content(content_type)));
    each.push_back(attribute_der(oid_message_digest, der::octet_string, digest));
    for (const auto& attribute : attributes) each.push_back(attribute_der(attribute.oid, attribute.tag, attribute.value));
    std::ranges::sort(each);
    Bytes out;
    for (const auto& attribute : each) out.insert(out.end(), attribute.begin(), attribute.end());
    return out;
}

/// rsaEncryption for RSA, which old readers want rather than the digest's own OID (RFC 3370 §3.2).
void write_signature_algorithm(der::Writer& out, KeyType type, CmsDigest digest) {
    if (type == KeyType::rsa)
        write_algorithm(out, oid_rsa_encryption, true);
    else
        write_algorithm(out, ecdsa_oid(digest), false);
}

}  // namespace

Bytes cms_certificates(std::span<const Bytes> certificates, std::span<const Bytes> crls) {
    der::Writer out;
    begin_content_info(out, oid_cms_signed_data);
    out.small_integer(1).begin(der::set).end();
    out.begin(der::sequence).oid(oid_cms_data).end();
    if (!certificates.empty()) {
        out.begin(explicit_0);
        for (const auto& each : certificates) out.raw(each);
        out.end();
    }
    if (!crls.empty()) {
        out.begin(der::context_constructed(1));
        for (const auto& each : crls) out.raw(each);
        out.end();
    }
    out.begin(der::set).end();
    return end_content_info(out);
}

Bytes cms_envelope(BytesView content, const CmsParty& recipient, CmsCipher cipher, core::Random& random) {
    const CipherSizes sizes = sizes_of(cipher);
    const core::SecretBytes key(random.bytes(sizes.key));
    const Bytes vector = random.bytes(sizes.block);
    der::Writer out;
    begin_content_info(out, oid_cms_enveloped_data);
    out.small_integer(0).begin(der::set).begin(der::sequence).small_integer(0);
    write_name(out, recipient.certificate);
    write_algorithm(out, oid_rsa_encryption, true);
    out.primitive(der::octet_string, encrypt_key(recipient.key, key.expose())).end().end();
    out.begin(der::sequence).oid(oid_cms_data);
    out.begin(der::sequence).oid(cms_oid(cipher)).primitive(der::octet_string, vector).end();
    out.primitive(der::context(0), encrypt_content(cipher, key.expose(), vector, content)).end();
    return end_content_info(out);
}

Bytes cms_sign(std::optional<BytesView> content, std::span<const CmsAttribute> attributes, const CmsIdentity& signer, CmsDigest digest,
               std::span<const Bytes> more, std::string_view content_type) {
    const Bytes signed_content = signed_attributes(attributes, cms_digest(digest, content.value_or(BytesView())), content_type);
    der::Writer to_sign;
    to_sign.primitive(der::set, signed_content);
    const Bytes signature = cms_sign_octets(signer.key, digest, to_sign.bytes());

    der::Writer out;
    begin_content_info(out, oid_cms_signed_data);
    // Another type of content than id-data wants version 3 (RFC 5652 §5.1).
    out.small_integer(content_type == oid_cms_data ? 1 : 3).begin(der::set);
    write_algorithm(out, cms_oid(digest), true);
    out.end().begin(der::sequence).oid(content_type);
    if (content) out.begin(explicit_0).primitive(der::octet_string, *content).end();
    out.end().begin(explicit_0).raw(signer.certificate.der());
    for (const auto& each : more) out.raw(each);
    out.end().begin(der::set).begin(der::sequence).small_integer(1);
    write_name(out, signer.certificate);
    write_algorithm(out, cms_oid(digest), true);
    out.primitive(explicit_0, signed_content);
    write_signature_algorithm(out, signer.key.public_key().type(), digest);
    out.primitive(der::octet_string, signature).end().end();
    return end_content_info(out);
}

}  // namespace postern::crypto

#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/encoding.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/extensions.hpp"
#include "core/crypto/key.hpp"
#include "core/crypto/name.hpp"

/// Parts of PKCS #10 requests as a test wants them, right or wrong.
namespace postern::test {

inline core::Bytes csr_attribute(std::string_view oid, core::BytesView values) {
    crypto::der::Writer out;
    out.begin(crypto::der::sequence).oid(oid).primitive(crypto::der::set, values).end();
    return out.take();
}
inline core::Bytes csr_extension(std::string_view oid, core::BytesView value, std::string_view critical_hex = "") {
    crypto::der::Writer out;
    out.begin(crypto::der::sequence).oid(oid).raw(core::from_hex(critical_hex).value()).primitive(crypto::der::octet_string, value).end();
    return out.take();
}
/// The extensionRequest attribute with those extensions.
inline core::Bytes extension_request(core::BytesView extensions, std::string_view oid = "1.2.840.113549.1.9.14") {
    crypto::der::Writer out;
    out.primitive(crypto::der::sequence, extensions);
    return csr_attribute(oid, out.bytes());
}
inline core::Bytes dns_names_extension(const std::vector<crypto::GeneralName>& names) {
    return csr_extension(crypto::oid_subject_alt_name, crypto::general_names_der(names));
}
inline core::Bytes joined(core::Bytes a, const core::Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// Signs whatever the parts say, so that only one thing is wrong at a time.
struct CsrParts {
    core::Bytes version = core::from_hex("020100").value();
    core::Bytes subject = core::from_hex("3000").value();
    std::optional<core::Bytes> attributes = core::Bytes();  ///< content of [0]; nullopt leaves it out
    core::Bytes after_attributes;
    core::Bytes after_signature;

    [[nodiscard]] core::Bytes sign(const crypto::PrivateKey& key) const {
        crypto::der::Writer info;
        info.begin(crypto::der::sequence).raw(version).raw(subject).raw(key.public_key().spki());
        if (attributes) info.primitive(crypto::der::context_constructed(0), *attributes);
        info.raw(after_attributes).end();
        const auto algorithm = key.default_algorithm();
        crypto::der::Writer out;
        out.begin(crypto::der::sequence).raw(info.bytes()).raw(crypto::algorithm_identifier(algorithm));
        out.bits(key.sign(algorithm, info.bytes())).raw(after_signature).end();
        return out.take();
    }
};

}  // namespace postern::test

#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/crypto/key.hpp"

/// What an EST server tells a client to put into its request (RFC 7030 §4.5.2 with RFC 8951 §4, RFC 9908).
namespace postern::crypto {

/// One RDN, which the client fills in where the value is not given.
struct SubjectWish {
    SubjectWish() = default;
    SubjectWish(std::string o, std::optional<std::string> v) : oid(std::move(o)), value(std::move(v)) {}
    std::string oid;
    std::optional<std::string> value;  ///< UTF-8
    friend bool operator==(const SubjectWish&, const SubjectWish&) = default;
};

/// One extension, the value of which the client finds where it is not given.
struct ExtensionWish {
    ExtensionWish() = default;
    ExtensionWish(std::string o, bool c, std::optional<core::Bytes> v) : oid(std::move(o)), critical(c), value(std::move(v)) {}
    std::string oid;
    bool critical = false;
    std::optional<core::Bytes> value;  ///< content of the OCTET STRING
    friend bool operator==(const ExtensionWish&, const ExtensionWish&) = default;
};

/// A key by its algorithm, with what that needs to be told.
struct KeyWish {
    KeyWish() = default;
    KeyWish(std::string a, std::string c, unsigned b) : algorithm(std::move(a)), curve(std::move(c)), bits(b) {}
    static KeyWish of(KeySpec spec);
    std::string algorithm;  ///< OID: rsaEncryption, id-ecPublicKey, id-Ed25519
    std::string curve;      ///< OID; empty: none, or any
    unsigned bits = 0;      ///< of RSA; 0: any
    friend bool operator==(const KeyWish&, const KeyWish&) = default;
};

/// An attribute that is only named, or given with its values (DER, one or more; none: any).
struct AttributeWish {
    AttributeWish() = default;
    explicit AttributeWish(std::string o, std::optional<std::vector<core::Bytes>> v = std::nullopt) : oid(std::move(o)), values(std::move(v)) {}
    std::string oid;
    std::optional<std::vector<core::Bytes>> values;
    friend bool operator==(const AttributeWish&, const AttributeWish&) = default;
};

/// certificationRequestInfoTemplate (RFC 9908 §3.4).
struct RequestTemplate {
    RequestTemplate() = default;
    std::vector<SubjectWish> subject;  ///< in order; empty: nothing is said of it
    std::optional<KeyWish> key;
    std::vector<ExtensionWish> extensions;
    std::vector<AttributeWish> attributes;  ///< all others; as the syntax has it, one that is only named has no values
    friend bool operator==(const RequestTemplate&, const RequestTemplate&) = default;
};

struct CsrAttributes {
    CsrAttributes() = default;
    std::vector<AttributeWish> attributes;  ///< in order; without the template
    std::optional<RequestTemplate> request;
    friend bool operator==(const CsrAttributes&, const CsrAttributes&) = default;

    /// The legacy form of a key (RFC 9908 §3.2).
    void add(const KeyWish& key);
    /// The legacy form of extensions: one extensionRequest with those whose values are given; nothing without any.
    void add(const std::vector<ExtensionWish>& extensions);

    [[nodiscard]] core::Bytes to_der() const;
    /// Errors: malformed: not DER, two templates, a template that RFC 9908 §3.4 forbids.
    static core::Result<CsrAttributes> parse(core::BytesView der);
};

inline constexpr std::string_view oid_extension_request = "1.2.840.113549.1.9.14";
inline constexpr std::string_view oid_request_template = "1.2.840.113549.1.9.16.2.61";
inline constexpr std::string_view oid_extension_template = "1.2.840.113549.1.9.16.2.62";

}  // namespace postern::crypto

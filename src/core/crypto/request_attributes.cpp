#include "core/crypto/request_attributes.hpp"

#include "core/crypto/der.hpp"
#include "core/crypto/directory_string.hpp"

namespace postern::crypto {
namespace {

using core::BytesView;
using core::Problem;
using core::Result;

constexpr std::string_view oid_challenge_password = "1.2.840.113549.1.9.7";
constexpr std::string_view oid_extension_request = "1.2.840.113549.1.9.14";
constexpr std::string_view oid_microsoft_extensions = "1.3.6.1.4.1.311.2.1.14";  // the same, from before PKCS #9 had it
constexpr std::string_view oid_capabilities = "1.2.840.113549.1.9.15";
constexpr std::string_view oid_decrypt_key = "1.2.840.113549.1.9.16.2.37";
constexpr std::string_view oid_asymmetric_decrypt_key = "1.2.840.113549.1.9.16.2.54";
constexpr std::string_view oid_otp_challenge = "1.2.840.113549.1.9.16.2.56";
constexpr std::string_view oid_revocation_challenge = "1.2.840.113549.1.9.16.2.57";
constexpr std::string_view oid_identity_linking = "1.2.840.113549.1.9.16.2.58";

constexpr std::size_t longest_challenge = 16 * 1024;  // Intune's are sealed blobs of 3 to 4 KB
constexpr std::size_t most_capabilities = 64;

Problem bad(std::string detail) { return {core::ProblemKind::bad_csr, "the CSR is refused: " + std::move(detail)}; }

/// The one value of a SET.
std::optional<der::Element> only_value(const der::Element& values) {
    der::Reader single(values.content);
    auto value = single.next();
    return single.empty() ? value : std::nullopt;
}

std::optional<Problem> take_text(const der::Element& values, std::string_view name, std::optional<std::string>& into) {
    const std::string called(name);
    const auto value = only_value(values);
    if (!value) return bad("the " + called + " attribute has not exactly one value");
    if (into) return bad("it has two " + called + " attributes");
    into = directory_string(*value);
    if (!into) return bad("its " + called + " cannot be read as text");
    if (into->size() > longest_challenge) return bad("its " + called + " is longer than 16 KiB");
    return std::nullopt;
}

std::optional<Problem> take_octets(const der::Element& values, std::string_view name, std::optional<core::Bytes>& into) {
    const std::string called(name);
    const auto value = only_value(values);
    if (!value || value->tag != der::octet_string) return bad("the " + called + " attribute is not exactly one OCTET STRING");
    if (into) return bad("it has two " + called + " attributes");
    into = core::to_bytes(value->content);
    return std::nullopt;
}

/// Wishes only: what cannot be read is no capability.
std::vector<std::string> read_capabilities(const der::Element& values) {
    std::vector<std::string> out;
    const auto value = only_value(values);
    if (!value || value->tag != der::sequence) return out;
    der::Reader list(value->content);
    while (!list.empty() && out.size() < most_capabilities) {
        const auto each = list.next(der::sequence);
        if (!each) return out;
        der::Reader fields(each->content);
        const auto oid = fields.next(der::oid);
        if (!oid) return out;
        out.push_back(der::oid_text(oid->content));
    }
    return out;
}

/// A refusal, or nothing.
std::optional<Problem> take(RequestAttributes& out, const std::string& name, const der::Element& values) {
    if (name == oid_extension_request || name == oid_microsoft_extensions) {
        const auto value = only_value(values);
        if (!value) return bad("the extensionRequest attribute has not exactly one value");
        if (out.extensions) return bad("it has two extensionRequest attributes; put all extensions into one");
        out.extensions = value->whole;
        return std::nullopt;
    }
    struct Text {
        std::string_view oid, name;
        std::optional<std::string>* into;
        bool secret;
    };
    const Text texts[] = {{oid_challenge_password, "challengePassword", &out.challenge_password, true},
                          {oid_otp_challenge, "otpChallenge", &out.linking.otp_challenge, true},
                          {oid_revocation_challenge, "revocationChallenge", &out.linking.revocation_challenge, true},
                          {oid_identity_linking, "estIdentityLinking", &out.linking.est_identity_linking, false}};
    for (const auto& text : texts) {
        if (name != text.oid) continue;
        if (auto wrong = take_text(values, text.name, *text.into)) return wrong;
        if (text.secret) out.secrets.push_back(only_value(values)->content);
        return std::nullopt;
    }
    if (name == oid_decrypt_key) return take_octets(values, "DecryptKeyIdentifier", out.key_delivery.symmetric_key);
    if (name == oid_asymmetric_decrypt_key) return take_octets(values, "AsymmetricDecryptKeyIdentifier", out.key_delivery.asymmetric_key);
    if (name == oid_capabilities) out.key_delivery.capabilities = read_capabilities(values);
    out.unread.push_back(name);
    return std::nullopt;
}

}  // namespace

Result<RequestAttributes> read_request_attributes(BytesView content) {
    RequestAttributes out;
    der::Reader attributes(content);
    while (!attributes.empty()) {
        const auto attribute = attributes.next(der::sequence);
        if (!attribute) return bad("its attributes are not DER");
        der::Reader fields(attribute->content);
        const auto oid = fields.next(der::oid);
        const auto values = fields.next(der::set);
        if (!oid || !values || !fields.empty()) return bad("an attribute is not an object identifier and a set of values");
        const std::string name = der::oid_text(oid->content);
        if (name.empty()) return bad("an attribute has a broken object identifier");
        if (auto wrong = take(out, name, *values)) return std::move(*wrong);
    }
    return out;
}

}  // namespace postern::crypto

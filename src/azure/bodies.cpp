#include "azure/bodies.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/name.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"

namespace postern::azure {

namespace {

constexpr std::size_t longest_description = 255;

std::string upper_hex(core::BytesView octets) {
    auto text = core::hex(octets);
    std::ranges::transform(text, text.begin(), [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c; });
    return text;
}

/// At most so many octets, which are at least as many as characters; no half character at the end.
std::string cut(std::string text, std::size_t most) {
    if (text.size() <= most) return text;
    text.resize(most);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80) text.pop_back();
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xc0) text.pop_back();
    return text;
}

Attempt<json::Document> parse(std::string_view body, std::size_t most) {
    constexpr std::string_view mark = "\xef\xbb\xbf";  // Microsoft's own library skips it
    if (body.starts_with(mark)) body.remove_prefix(mark.size());
    json::Limits limits;
    limits.bytes = most;
    auto document = json::Document::parse(body, limits);
    if (!document) return Failure(Trouble::answer, "Intune's answer is no JSON");
    if (!document->root().is_object()) return Failure(Trouble::answer, "Intune's answer is no JSON object");
    return std::move(*document);
}

}  // namespace

std::string validation_body(const ValidationRequest& request, std::string_view caller) {
    json::Writer w;
    w.begin_object().key("request").begin_object();
    w.member("transactionId", request.transaction_id).member("certificateRequest", core::base64(request.csr)).member("callerInfo", caller);
    w.end_object().end_object();
    return w.take();
}

std::string success_body(const SuccessNotice& notice, std::string_view caller) {
    json::Writer w;
    w.begin_object().key("notification").begin_object();
    w.member("transactionId", notice.transaction_id).member("certificateRequest", core::base64(notice.csr));
    w.member("certificateThumbprint", notice.thumbprint).member("certificateSerialNumber", notice.serial);
    auto expires = core::rfc3339(notice.expires);  // whole seconds, and Z
    expires.insert(expires.size() - 1, ".000");
    w.member("certificateExpirationDateUtc", expires).member("issuingCertificateAuthority", notice.issuer).member("callerInfo", caller);
    w.member("caConfiguration", notice.issuer_id).member("certificateAuthority", notice.issuer_id);
    w.end_object().end_object();
    return w.take();
}

std::string failure_body(const FailureNotice& notice, std::string_view caller) {
    json::Writer w;
    w.begin_object().key("notification").begin_object();
    w.member("transactionId", notice.transaction_id).member("certificateRequest", core::base64(notice.csr));
    w.member("hResult", static_cast<std::int64_t>(notice.hresult == 0 ? FailureNotice::unexpected : notice.hresult));
    const auto description = cut(notice.description, longest_description);
    const bool blank = std::ranges::all_of(description, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    w.member("errorDescription", blank ? std::string("the certificate could not be issued") : description).member("callerInfo", caller);
    w.end_object().end_object();
    return w.take();
}

std::string download_body(int most) {
    json::Writer w;
    w.begin_object().key("downloadParameters").begin_object().member("maxRequests", std::clamp(most, 1, 500));
    // A filter would be applied to what was cut off already (IRA #133), so all come and strangers are left alone.
    w.key("issuerName").null().end_object().end_object();
    return w.take();
}

std::string upload_body(const std::vector<RevocationResult>& results) {
    json::Writer w;
    w.begin_object().key("results").begin_array();
    for (const auto& r : results) {
        const bool good = r.code == RevocationCode::none;
        w.begin_object().member("requestContext", r.context).member("succeeded", good).member("errorCode", to_string(r.code));
        w.key("errorMessage");
        if (good) w.null();
        else w.string(cut(r.message, longest_description));
        w.end_object();
    }
    w.end_array().end_object();
    return w.take();
}

Attempt<std::string> read_code(std::string_view body) {
    const auto document = parse(body, std::size_t{64} * 1024);
    if (!document) return document.error();
    const auto code = document->root()["code"].string();
    if (!code || code->empty()) return Failure(Trouble::answer, "Intune's answer has no code");
    return std::string(*code);
}

Attempt<std::vector<RevocationRequest>> read_revocations(std::string_view body) {
    const auto document = parse(body, most_revocation_octets);
    if (!document) return document.error();
    const auto value = document->root()["value"];
    if (!value.is_array()) return Failure(Trouble::answer, "Intune's answer has no list of revocations");
    std::vector<RevocationRequest> out;
    for (const auto& item : value.items()) {
        RevocationRequest r;
        const auto context = item["requestContext"].string(), serial = item["serialNumber"].string();
        // One that cannot be read cannot be answered either, and must not hold up the others.
        if (!context || context->empty() || !serial || serial->empty()) continue;
        if (context->find('\0') != std::string_view::npos || serial->find('\0') != std::string_view::npos) continue;  // no store keeps it
        r.context = *context;
        r.serial = *serial;
        if (const auto issuer = item["issuerName"].string()) r.issuer = *issuer;
        if (const auto id = item["caConfiguration"].string()) r.issuer_id = *id;
        out.push_back(std::move(r));
    }
    return out;
}

Attempt<void> read_accepted(std::string_view body) {
    const auto document = parse(body, std::size_t{64} * 1024);
    if (!document) return document.error();
    const auto value = document->root()["value"].boolean();
    if (!value) return Failure(Trouble::answer, "Intune's answer does not say whether it took the results of revocations");
    // The same page would be refused again, and all behind it would wait.
    if (!*value) return Failure(Trouble::rejected, "Intune did not take the results of revocations");
    return {};
}

std::string_view to_string(RevocationCode code) noexcept {
    switch (code) {
        case RevocationCode::none: return "None";
        case RevocationCode::non_retryable: return "NonRetryableServiceException";
        case RevocationCode::data_serialization: return "DataSerializationError";
        case RevocationCode::parameter_invalid: return "ParameterDataInvalidError";
        case RevocationCode::cryptography: return "CryptographyError";
        case RevocationCode::certificate_not_found: return "CertificateNotFoundError";
        case RevocationCode::conflict: return "ConflictError";
        case RevocationCode::not_supported: return "NotSupportedError";
        case RevocationCode::payload_too_large: return "PayloadTooLargeError";
        case RevocationCode::retryable: return "RetryableServiceException";
        case RevocationCode::unavailable: return "ServiceUnavailableException";
        case RevocationCode::too_busy: return "ServiceTooBusyException";
        case RevocationCode::authentication: return "AuthenticationException";
    }
    return "None";
}

core::Result<SuccessNotice> success_notice(std::string transaction_id, core::Bytes csr, core::BytesView certificate, std::string issuer_id) {
    const auto parsed = crypto::Certificate::parse(certificate);
    if (!parsed) return parsed.error();
    SuccessNotice out;
    out.transaction_id = std::move(transaction_id);
    out.csr = std::move(csr);
    out.thumbprint = upper_hex(crypto::sha1(certificate));
    out.serial = upper_hex(parsed->serial());
    out.expires = parsed->not_after();
    const auto issuer = crypto::DistinguishedName::parse(parsed->issuer_der());
    out.issuer = issuer ? issuer->to_text() : std::string();
    if (out.issuer.empty()) out.issuer = issuer_id;
    out.issuer_id = std::move(issuer_id);
    return out;
}

}  // namespace postern::azure

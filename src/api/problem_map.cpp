#include <charconv>

#include "api/call.hpp"
#include "core/json/writer.hpp"

namespace postern::api {

namespace {

/// HTTP status and the code of Sectigo Certificate Manager's API that comes closest.
struct Mapped {
    unsigned status;
    int code;
};

Mapped map(core::ProblemKind kind) {
    using enum core::ProblemKind;
    switch (kind) {
        case malformed: return {400, -7};
        case unauthenticated: return {401, -16};
        case forbidden: return {403, -3};
        case not_found: return {404, -102};
        case conflict: return {409, -1112};
        case bad_csr: return {400, -10};
        case bad_public_key: return {400, -13};
        case rejected_identifier: return {400, -1010};
        case unsupported_identifier: return {400, -1010};
        case invalid_profile: return {400, -39};
        case bad_content: return {400, -36};
        case rate_limited: return {429, -1};
        case dns:
        case connection:
        case tls:
        case incorrect_response:
        case caa: return {400, -107};
        case already_revoked: return {409, -110};
        case bad_revocation_reason: return {400, -7};
        case unsupported: return {400, -1};
        case unavailable: return {503, -1};
        case internal: return {500, -1};
    }
    return {500, -1};
}

}  // namespace

http::Response json_response(unsigned status, std::string body) {
    http::Response r(status, "application/json", std::move(body));
    r.set("Cache-Control", "no-store");
    return r;
}

http::Response error_response(const http::Request& request, const core::Problem& problem) {
    const auto mapped = map(problem.kind);
    json::Writer w;
    w.begin_object().member("code", mapped.code).member("description", problem.detail).member("requestId", request.id.get()).end_object();
    auto r = json_response(mapped.status, w.take());
    if (mapped.status == 401) r.set("WWW-Authenticate", "Bearer realm=\"postern\"");
    if (problem.retry_after) r.set("Retry-After", std::to_string(problem.retry_after->count()));
    return r;
}

core::Result<std::int64_t> query_number(const http::Request& request, std::string_view name, std::int64_t fallback,
                                        std::int64_t least, std::int64_t most) {
    const auto text = request.query_value(name);
    if (!text) return fallback;
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), n);
    if (error != std::errc() || end != text->data() + text->size() || n < least || n > most)
        return core::Problem(core::ProblemKind::malformed, std::string(name) + ": expected " + std::to_string(least) + " to " + std::to_string(most));
    return n;
}

core::Result<json::Document> read_body(const http::Request& request, std::initializer_list<std::string_view> known) {
    if (!http::media_type_is(request.header("Content-Type"), "application/json"))
        return core::Problem(core::ProblemKind::malformed, "send Content-Type: application/json");
    json::Limits limits;
    limits.bytes = request.peer.unix_uid ? local_body_bytes : network_body_bytes;
    auto document = json::Document::parse(request.body, limits);
    if (!document) return document;
    if (!document->root().is_object()) return document->root().problem("expected an object");
    for (const auto& [name, value] : document->root().members())
        if (std::find(known.begin(), known.end(), name) == known.end()) return value.problem("unknown member");  // A07
    return document;
}

}  // namespace postern::api

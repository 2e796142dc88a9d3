#include "acme/problem.hpp"

#include <stdexcept>

#include "core/json/writer.hpp"

namespace postern::acme {

namespace {

std::string urn(ErrorType type) { return "urn:ietf:params:acme:error:" + std::string(to_string(type)); }

std::string detail_of(const Error& e, const core::RequestId& request) {
    if (e.type == ErrorType::server_internal && e.detail.empty())
        return "Postern could not do this; its log has the cause under request " + request.get();
    if (request.get().empty()) return e.detail;
    const auto check = e.check.empty() ? default_check(e.type, e.status) : std::string_view(e.check);
    return e.detail + " [check " + std::string(check) + ", request " + request.get() + "]";
}

}  // namespace

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
    throw std::logic_error("value() of a refusal: " + error.detail + " at " + where.file_name() + ":" +
                           std::to_string(where.line()));
}

std::string to_json(const Error& e, const core::RequestId& request) {
    json::Writer w;
    w.begin_object();
    w.member("type", urn(e.type)).member("detail", detail_of(e, request));
    w.member("status", static_cast<std::int64_t>(e.status));
    if (!e.instance.empty()) w.member("instance", e.instance);
    if (!e.algorithms.empty()) {
        w.key("algorithms").begin_array();
        for (const auto name : e.algorithms) w.string(name);
        w.end_array();
    }
    if (!e.subproblems.empty()) {
        w.key("subproblems").begin_array();
        for (const auto& s : e.subproblems) {
            w.begin_object().member("type", urn(type_of(s.kind))).member("detail", s.detail);
            w.key("identifier").begin_object().member("type", s.identifier_type).member("value", s.identifier).end_object();
            w.end_object();
        }
        w.end_array();
    }
    w.end_object();
    return w.take();
}

http::Response to_response(const Error& e, const core::RequestId& request) {
    http::Response r(e.status, "application/problem+json", to_json(e, request));
    for (const auto& [name, value] : e.headers) r.set(name, value);
    if (e.retry_after) r.set("Retry-After", std::to_string(e.retry_after->count()));
    return r;
}

Error not_found() {
    return {ErrorType::malformed, 404, "there is no such resource, or it belongs to another account"};
}

http::Response error_page(const http::Request& request, unsigned status, std::string_view detail) {
    Error e(ErrorType::malformed, status, std::string(detail));
    if (status >= 500) e.type = ErrorType::server_internal;
    if (status == 500) e.detail.clear();
    // The session knows how long to stay away and sets Retry-After itself.
    if (status == 429 || status == 503) e.type = ErrorType::rate_limited;
    http::Response r = to_response(e, request.id);
    r.set("Cache-Control", "no-store");
    return r;
}

}  // namespace postern::acme

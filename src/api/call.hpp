#pragma once
#include "api/api.hpp"
#include "core/base/result.hpp"
#include "core/json/reader.hpp"

namespace postern::api {

/// What a handler gets: the request, who asked (already allowed to), and the house below.
struct Call {
    Call(const http::Request& r, const ra::Principal& p, const Api::Deps& d) : request(r), principal(p), deps(d) {}
    const http::Request& request;
    const ra::Principal& principal;
    const Api::Deps& deps;
};

using Answer = core::Result<http::Response>;

core::Task<Answer> apply(Call call);
core::Task<Answer> export_documents(Call call);
core::Task<Answer> explain(Call call);
core::Task<Answer> list_certificates(Call call);
core::Task<Answer> show_certificate(Call call);
core::Task<Answer> revoke_certificate(Call call);
core::Task<Answer> create_principal(Call call);
core::Task<Answer> show_clock(Call call);
core::Task<Answer> accept_clock(Call call);

/// The body as a JSON object; `malformed` otherwise, and for members not in `known`.
core::Result<json::Document> read_body(const http::Request& request, std::initializer_list<std::string_view> known);
http::Response json_response(unsigned status, std::string body);
/// {"code", "description", "requestId"} with the status that fits the kind.
http::Response error_response(const http::Request& request, const core::Problem& problem);

}  // namespace postern::api

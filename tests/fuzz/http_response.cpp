// http::ResponseReader, which meets every web server there is: an answer means the same however it
// arrives, and stays within its limits.
#include "core/http/response_reader.hpp"

#include <algorithm>

#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

struct Read {
    bool accepted = false;
    bool keeps = false;
    http::Response response;
};

Read read(std::string_view bytes, std::size_t step, const http::ClientLimits& limits, http::Method method) {
    http::ResponseReader reader(limits, method);
    std::string waiting;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        waiting += bytes.substr(at, step);
        const core::Bytes arrived = exact_copy(core::as_bytes(waiting));
        std::size_t used = 0;
        const auto state = reader.feed(core::as_text(arrived), used);
        require(used <= waiting.size(), "no more is used than was there");
        if (!state) return {};
        waiting.erase(0, used);
        if (*state == http::ResponseReader::State::done) return {true, reader.keeps(), reader.take()};
    }
    const auto end = reader.at_end();
    if (!end) return {};
    require(!reader.keeps(), "a connection that ended is not kept");
    return {true, reader.keeps(), reader.take()};
}

}  // namespace

Outcome http_response(core::BytesView input) {
    if (input.empty()) return Outcome::refused;
    http::ClientLimits limits;
    limits.header_bytes = 512;
    limits.body_bytes = 256;
    limits.cut_body = (input[0] & 1U) != 0;
    const auto method = (input[0] & 2U) != 0 ? http::Method::head : http::Method::get;
    const std::string_view bytes = core::as_text(input.subspan(1));
    const Read whole = read(bytes, bytes.size() + 1, limits, method);
    const Read pieces = read(bytes, 1, limits, method);
    require(whole.accepted == pieces.accepted && whole.keeps == pieces.keeps, "it does not matter how the octets arrive");
    require(whole.response.status == pieces.response.status && whole.response.headers == pieces.response.headers &&
                whole.response.body == pieces.response.body && whole.response.close == pieces.response.close,
            "the answer does not depend on how the octets arrive");
    if (!whole.accepted) return Outcome::refused;
    require(whole.response.status >= 200 && whole.response.status <= 599, "a final answer has a final status");
    require(whole.response.body.size() <= limits.body_bytes, "the body stays within its limit");
    require(!whole.response.close || limits.cut_body, "only who asked for it has a body cut");
    const bool none = method == http::Method::head || whole.response.status == 204 || whole.response.status == 304;
    require(!none || whole.response.body.empty(), "no body where there is none (RFC 9112 section 6.3)");
    for (const auto& [name, value] : whole.response.headers)
        require(!name.empty() && value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos, "a field has a name and no line end in it");
    return Outcome::accepted;
}

}  // namespace postern::fuzz

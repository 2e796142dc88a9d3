#include "core/http/answer.hpp"

#include <charconv>

#include "core/http/text.hpp"

namespace postern::http {
namespace {

void put_number(std::string& out, std::size_t n) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
    out.append(digits.data(), end);
}

void put_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

bool is_ours(std::string_view name) noexcept {
    return text::same(name, "Content-Length") || text::same(name, "Transfer-Encoding") || text::same(name, "Connection");
}

/// RFC 9110 §8.6: no length with 1xx and 204; §15.4.5: 304 has no body.
bool has_length(unsigned status) noexcept { return status >= 200 && status != 204 && status != 304; }

}  // namespace

bool sends_body(const Response& response, const AnswerFrame& frame) noexcept {
    return has_length(response.status) && !frame.head_only;
}

bool write_answer(std::string& out, const Response& response, const AnswerFrame& frame) {
    out.clear();
    out.append("HTTP/1.1 ");
    put_number(out, response.status);
    out.append(" ").append(reason_phrase(response.status)).append("\r\n");
    put_field(out, "Date", frame.date);
    put_field(out, "Server", "postern");
    if (!frame.request_id.empty()) put_field(out, "X-Request-Id", frame.request_id);
    for (const auto& [name, value] : response.headers) {
        // A line break in a value would let a name from outside write headers of its own.
        if (!text::is_token(name) || !text::is_field_value(value)) return false;
        if (!is_ours(name)) put_field(out, name, value);
    }
    if (has_length(response.status)) {
        out.append("Content-Length: ");
        put_number(out, response.body.size());
        out.append("\r\n");
    }
    if (frame.close) {
        out.append("Connection: close\r\n");
    } else if (frame.http_1_0) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append("\r\n");
    if (!frame.body_apart && sends_body(response, frame)) out.append(response.body);
    return true;
}

}  // namespace postern::http

#include "est/bodies.hpp"

#include <algorithm>
#include <array>

#include "core/base/encoding.hpp"
#include "core/base/secret.hpp"

namespace postern::est {

namespace {

using core::Problem;
using core::ProblemKind;

constexpr std::array<std::string_view, 4> strongswan_sends{"Host", "Authorization", "Content-Type", "Content-Length"};
constexpr std::string_view begins = "-----BEGIN ", ends = "-----END ", dashes = "-----";
constexpr unsigned char der_sequence = 0x30;

Problem bad(std::string detail) { return {ProblemKind::malformed, std::move(detail), "est.body"}; }

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string without_space(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text)
        if (!is_space(c)) out += c;
    return out;
}

/// What stands between the lines of PEM armour.
core::Result<std::string_view> unarmoured(std::string_view text) {
    const auto label_at = text.find(begins) + begins.size();
    const auto label_end = text.find(dashes, label_at);
    if (label_end == std::string_view::npos) return bad("the PEM armour is broken");
    const auto label = text.substr(label_at, label_end - label_at);
    if (label != "CERTIFICATE REQUEST" && label != "NEW CERTIFICATE REQUEST") return bad("the PEM is no CERTIFICATE REQUEST");
    const auto content = text.substr(label_end + dashes.size());
    const auto end = content.find(ends);
    if (end == std::string_view::npos) return bad("the PEM armour has no end");
    const std::string closing = std::string(ends) + std::string(label) + std::string(dashes);
    if (!content.substr(end).starts_with(closing)) return bad("the PEM armour ends as something else than it began");
    if (!without_space(content.substr(end + closing.size())).empty()) return bad("something follows the PEM armour; send one request");
    return content.substr(0, end);
}

}  // namespace

core::Result<core::Bytes> read_csr_body(std::string_view body, bool binary) {
    if (body.empty()) return bad("the body is empty; send a PKCS #10 request as base64 of its DER");
    if (static_cast<unsigned char>(body.front()) == der_sequence && binary && body.find('\0') != std::string_view::npos) return core::to_bytes(core::as_bytes(body));
    std::string_view text = body;
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    if (text.starts_with(begins)) {
        const auto content = unarmoured(text);
        if (!content) return content.error();
        text = *content;
    }
    auto der = core::from_base64(without_space(text));
    if (!der || der->empty()) return bad("the body is not base64 of DER (RFC 8951 section 3)");
    return std::move(*der);
}

void append_lines(std::string& to, core::BytesView der, std::size_t width) {
    const std::size_t octets = width / 4 * 3;
    for (std::size_t at = 0; at < der.size(); at += octets) {
        auto line = core::base64(der.subspan(at, std::min(octets, der.size() - at)));
        to.append(line).append("\r\n");
        core::cleanse(line.data(), line.size());
    }
}

bool reads_lines(const http::Request& request) {
    return std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
        return std::find(strongswan_sends.begin(), strongswan_sends.end(), header.first) == strongswan_sends.end();
    });
}

bool reads_text(const http::Request& request) { return request.header("Content-Transfer-Encoding").empty() || !request.header("User-Agent").empty(); }

http::Response answer_der(const http::Request& request, std::string_view media_type, core::BytesView der) {
    std::string lines;
    lines.reserve(der.size() * 3 / 2 + 4);
    append_lines(lines, der, reads_lines(request) ? columns : (der.size() + 2) / 3 * 4);
    http::Response response(200, media_type, std::move(lines));
    response.set("Content-Transfer-Encoding", "base64");
    return response;
}

}  // namespace postern::est

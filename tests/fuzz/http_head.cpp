// http::HeadScanner and parse_head: a head means the same however it arrives, and whatever is
// accepted, a second reader takes in the same sense: the ground on which no smuggling grows.
#include "core/http/head.hpp"

#include <algorithm>

#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

http::ServerLimits small_limits() {
    http::ServerLimits limits;
    limits.uri_bytes = 96;
    limits.header_bytes = 640;
    limits.header_count = 12;
    return limits;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return out;
}

/// RFC 9112 §2 to §5 with no tolerance at all, written from the grammar.
struct StrictHead {
    std::string method, target, version;
    http::Headers fields;

    [[nodiscard]] std::vector<std::string> values(std::string_view name) const {
        std::vector<std::string> all;
        for (const auto& [n, v] : fields)
            if (lower(n) == name) all.push_back(v);
        return all;
    }
};

bool is_tchar(char c) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || marks.find(c) != marks.npos;
}
bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_tchar); }

std::optional<StrictHead> strictly(std::string_view head) {
    // CR and LF stand together at the ends of lines and nowhere else; NUL stands nowhere.
    std::vector<std::string_view> lines;
    while (!head.empty()) {
        const auto end = head.find_first_of(std::string_view("\r\n\0", 3));
        if (end == head.npos || head.substr(end, 2) != "\r\n") return std::nullopt;
        lines.push_back(head.substr(0, end));
        head.remove_prefix(end + 2);
    }
    if (lines.size() < 2 || !lines.back().empty()) return std::nullopt;
    StrictHead out;
    const auto first = lines[0].find(' '), last = lines[0].rfind(' ');
    if (first == lines[0].npos || first == last) return std::nullopt;
    out.method = lines[0].substr(0, first);
    out.target = lines[0].substr(first + 1, last - first - 1);
    out.version = lines[0].substr(last + 1);
    if (!is_token(out.method) || out.target.empty()) return std::nullopt;
    if (!std::ranges::all_of(out.target, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; })) return std::nullopt;
    if (out.version != "HTTP/1.1" && out.version != "HTTP/1.0") return std::nullopt;
    for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
        const auto colon = lines[i].find(':');
        if (colon == lines[i].npos || !is_token(lines[i].substr(0, colon))) return std::nullopt;
        std::string_view value = lines[i].substr(colon + 1);
        value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
        value = value.substr(0, value.find_last_not_of(" \t") + 1);
        for (const char c : value)
            if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return std::nullopt;
        out.fields.emplace_back(lines[i].substr(0, colon), value);
    }
    return out;
}

/// The end and the refusal do not depend on how the octets arrive.
bool scan(std::string_view bytes, const http::ServerLimits& limits, std::string_view& head) {
    http::Refusal refusal;
    http::HeadScanner whole(limits);
    const bool complete = whole.scan(bytes, refusal);
    require(!(complete && refusal), "a head is complete or refused, not both");
    if (complete) head = bytes.substr(whole.begin(), whole.end() - whole.begin());

    http::HeadScanner piecemeal(limits);
    // One by one, or in some hundred steps where it would be thousands.
    const std::size_t step = 1 + bytes.size() / 128;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        const std::size_t n = std::min(at + step, bytes.size());
        http::Refusal r;
        const core::Bytes arrived = exact_copy(core::as_bytes(bytes.substr(0, n)));
        const bool done = piecemeal.scan(core::as_text(arrived), r);
        if (done) {
            require(complete && piecemeal.end() == whole.end() && piecemeal.begin() == whole.begin(), "the head ends where it ends");
            require(n < whole.end() + step, "a head is complete with its last octet");
            return true;
        }
        if (r) {
            // Of two limits that are broken at once, either may be named.
            require(r.status == refusal.status && (r.detail == refusal.detail || r.status == 431), "the refusal is the same");
            return false;
        }
    }
    require(!complete && !refusal, "what is complete or refused at once is so piecemeal");
    return false;
}

void check_framing(const StrictHead& strict, const http::Framing& framing) {
    const auto lengths = strict.values("content-length"), codings = strict.values("transfer-encoding"), hosts = strict.values("host");
    require(lengths.size() <= 1 && codings.size() <= 1, "one Content-Length and one Transfer-Encoding at most");
    require(lengths.empty() || codings.empty(), "not both of them (RFC 9112 section 6.3)");
    require(framing.chunked == !codings.empty() && (codings.empty() || lower(codings[0]) == "chunked"), "the one coding is chunked");
    if (!lengths.empty()) {
        require(!lengths[0].empty() && lengths[0].size() <= 18 && std::ranges::all_of(lengths[0], [](char c) { return c >= '0' && c <= '9'; }),
                "Content-Length is digits");
        require(std::stoull(lengths[0]) == framing.content_length, "Content-Length is what it says");
    } else {
        require(framing.content_length == 0, "there is no length where none was said");
    }
    require(hosts.size() <= 1 && (!hosts.empty() || framing.http_1_0), "one Host (RFC 9112 section 3.2)");
    require(hosts.empty() || hosts[0].find_first_of("/@ \t") == std::string::npos, "a Host is a host");
    require(framing.http_1_0 == (strict.version == "HTTP/1.0"), "the version is the one that was sent");
    require(!(framing.http_1_0 && framing.chunked), "HTTP/1.0 knows no codings");
}

void check_target(const StrictHead& strict, const http::Request& request, const http::ServerLimits& limits) {
    require(request.target == strict.target && request.target.size() <= limits.uri_bytes, "the target is as sent and within its limit");
    require(request.path == "*" || request.path.starts_with('/'), "a path begins with a slash");
    require(request.path.find('?') == std::string::npos, "the query is no part of the path");
    const std::string joined = request.path + (request.target.find('?') == std::string::npos ? "" : "?" + request.query);
    if (strict.target.starts_with('/') || strict.target == "*")
        require(joined == strict.target, "path and query are the target");
    else
        require(lower(strict.target).starts_with("http") && (strict.target.ends_with(joined) || request.path == "/"), "absolute form is http or https");
}

}  // namespace

Outcome http_head(core::BytesView input) {
    const http::ServerLimits limits = small_limits();
    std::string_view head;
    if (!scan(core::as_text(input), limits, head)) return Outcome::refused;
    http::Request request;
    http::Framing framing;
    const auto refusal = http::parse_head(head, limits, request, framing);
    if (refusal) {
        require(refusal.status >= 400 && refusal.status < 600 && !refusal.detail.empty(), "a refusal has a status and says why");
        return Outcome::refused;
    }
    const auto strict = strictly(head);
    require(strict.has_value(), "a second, strict reader takes the head");
    require(request.headers == strict->fields, "a second reader finds the same fields");
    require(request.headers.size() <= limits.header_count, "there are not more fields than allowed");
    require(request.method == http::method_from(strict->method), "the method is the one that was sent");
    check_framing(*strict, framing);
    check_target(*strict, request, limits);
    return Outcome::accepted;
}

}  // namespace postern::fuzz

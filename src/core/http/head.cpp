#include "core/http/head.hpp"

#include <algorithm>

#include "core/http/text.hpp"

namespace postern::http {
namespace {

constexpr std::size_t method_and_version = 48;  // what a request line has beside its URI, generously
constexpr std::size_t empty_lines = 4;          // RFC 9112 §2.2: tolerated before a request line

Refusal bad(std::string_view detail) { return Refusal(400, detail); }

/// Cuts the next line, which the scanner has seen to end in CRLF.
std::string_view cut_line(std::string_view& rest) noexcept {
    const auto end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    return line;
}

bool is_host(std::string_view host) noexcept {
    if (host.empty()) return false;
    for (const char c : host)
        if (!text::is_token_char(c) && std::string_view(":[]()=,;").find(c) == host.npos) return false;
    return true;
}

/// Nothing, or a colon with digits, of which there may be none (RFC 3986 §3.2.3).
bool is_port(std::string_view text) noexcept {
    if (text.empty()) return true;
    if (text.front() != ':' || text.size() > 6) return false;
    return text.find_first_not_of("0123456789", 1) == text.npos;
}

/// "Example.com.:8443" is example.com, "[::1]:8443" is ::1; empty for what is no host with a port or without.
std::string host_name(std::string_view authority) {
    const bool literal = authority.starts_with('[');
    if (literal) authority.remove_prefix(1);
    const auto end = std::min(authority.find(literal ? ']' : ':'), authority.size());
    if (literal && end == authority.size()) return {};
    if (!is_port(authority.substr(literal ? end + 1 : end))) return {};
    authority = authority.substr(0, end);
    constexpr std::string_view of_addresses = "0123456789abcdefABCDEF:.";
    if (literal && (authority.find(':') == authority.npos || authority.find_first_not_of(of_addresses) != authority.npos)) return {};
    if (authority.find_first_of("[]") != authority.npos) return {};
    if (authority.ends_with('.')) authority.remove_suffix(1);
    std::string name(authority);
    std::ranges::transform(name, name.begin(), text::lower);
    return name;
}

/// RFC 9112 §3.2: origin form, absolute form, or the asterisk of OPTIONS.
Refusal split_target(Request& request) {
    std::string_view target = request.target;
    for (const char c : target) {
        if (c <= 0x20 || c == 0x7f || static_cast<unsigned char>(c) > 0x7f)
            return bad("the request target has characters that a URI may not have");
        if (c == '#') return bad("the request target has a fragment");
    }
    if (target == "*" && request.method == Method::options) {
        request.path = target;
        return {};
    }
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!text::same(target.substr(0, scheme.size()), scheme)) continue;
        target.remove_prefix(scheme.size());
        const auto path = std::min(target.find_first_of("/?"), target.size());
        // §3.2.2: this one counts, whatever the Host header says.
        if (is_host(target.substr(0, path))) request.host = host_name(target.substr(0, path));
        if (request.host.empty()) return bad("the request target has no host name");
        target.remove_prefix(path);
        if (!target.starts_with('/')) request.path = "/";
        break;
    }
    if (request.path.empty() && !target.starts_with('/')) return bad("the request target must begin with /");
    const auto mark = std::min(target.find('?'), target.size());
    request.path += target.substr(0, mark);
    request.query = target.substr(std::min(mark + 1, target.size()));
    return {};
}

Refusal parse_request_line(std::string_view line, std::size_t uri_bytes, Request& request, Framing& framing) {
    const auto first = line.find(' ');
    const auto second = first == line.npos ? line.npos : line.find(' ', first + 1);
    if (second == line.npos || line.find(' ', second + 1) != line.npos)
        return bad("the request line must be METHOD, target and version, with one space between");
    const std::string_view method = line.substr(0, first);
    const std::string_view version = line.substr(second + 1);
    if (!text::is_token(method)) return bad("the method is no token");
    request.method = method_from(method);
    request.target = line.substr(first + 1, second - first - 1);
    if (request.target.size() > uri_bytes) return Refusal(414, "the request target is too long");
    if (version == "HTTP/1.0") {
        framing.http_1_0 = true;
        framing.keep_alive = false;
    } else if (version != "HTTP/1.1") {
        if (version.starts_with("HTTP/")) return Refusal(505, "this server speaks HTTP/1.1 and HTTP/1.0");
        return bad("the request line does not end in HTTP/1.1");
    }
    return split_target(request);
}

/// The fields that decide where the message ends and whose server it is for.
class FramingFields {
public:
    FramingFields(Request& request, Framing& framing) noexcept : request_(&request), framing_(&framing) {}

    Refusal take(std::string_view name, std::string_view value) {
        switch (name.size()) {
            case 4: return text::same(name, "Host") ? take_host(value) : Refusal();
            case 6:
                if (text::same(name, "Expect")) expect_ = value;
                return {};
            case 10:
                if (text::same(name, "Connection")) take_connection(value);
                return {};
            case 14: return text::same(name, "Content-Length") ? take_length(value) : Refusal();
            case 16:
                if (text::same(name, "Content-Encoding") && !text::same(value, "identity")) framing_->encoded = true;
                return {};
            case 17: return text::same(name, "Transfer-Encoding") ? take_coding(value) : Refusal();
            default: return {};
        }
    }

    Refusal finish() {
        if (hosts_ == 0 && !framing_->http_1_0) return bad("the Host header is missing");
        if (has_length_ && framing_->chunked) return bad("Content-Length and Transfer-Encoding exclude each other");
        if (framing_->chunked && framing_->http_1_0) return bad("HTTP/1.0 has no Transfer-Encoding");
        if (close_) framing_->keep_alive = false;
        if (expect_.empty() || framing_->http_1_0) return {};
        if (!text::same(expect_, "100-continue")) return Refusal(417, "the only expectation served is 100-continue");
        framing_->expects_continue = true;
        return {};
    }

private:
    Refusal take_host(std::string_view value) {
        if (++hosts_ > 1) return bad("there is more than one Host header");
        std::string name;
        if (is_host(value)) name = host_name(value);
        if (name.empty()) return bad("the Host header is no host name");
        if (request_->host.empty()) request_->host = std::move(name);
        return {};
    }
    Refusal take_length(std::string_view value) {
        if (has_length_) return bad("there is more than one Content-Length header");
        const auto length = parse_length(value);
        if (!length) return bad("Content-Length must be digits only");
        has_length_ = true;
        framing_->content_length = *length;
        return {};
    }
    Refusal take_coding(std::string_view value) {
        if (framing_->chunked || !text::same(value, "chunked"))
            return bad("the only Transfer-Encoding served is chunked, once");
        framing_->chunked = true;
        return {};
    }
    void take_connection(std::string_view value) {
        if (text::list_has(value, "close")) close_ = true;
        if (framing_->http_1_0 && text::list_has(value, "keep-alive")) framing_->keep_alive = true;
    }

    Request* request_;
    Framing* framing_;
    unsigned hosts_ = 0;
    bool has_length_ = false;
    bool close_ = false;
    std::string_view expect_;
};

}  // namespace

std::optional<std::uint64_t> parse_length(std::string_view digits) noexcept {
    if (digits.empty() || digits.size() > 18) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (!text::is_digit(c)) return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

bool HeadScanner::scan(std::string_view bytes, Refusal& refusal) noexcept {
    for (;;) {
        if (fields_ == 0 && scanned_ < bytes.size() && bytes[scanned_] != '\r' && !text::is_token_char(bytes[scanned_])) {
            refusal = bad("this is no HTTP request");
            return false;
        }
        const auto feed = bytes.find('\n', scanned_);
        const bool complete = feed != bytes.npos;
        const std::string_view line = bytes.substr(scanned_, complete ? feed - scanned_ : bytes.npos);
        // The blank line that ends the fields is none of them.
        const bool empty = line == "\r";
        if (!empty) refusal = over_limit(complete ? feed + 1 : bytes.size());
        if (refusal || !complete) return false;
        if (!line.ends_with('\r')) {
            refusal = bad("a line must end in CR LF");
            return false;
        }
        scanned_ = feed + 1;
        if (fields_ != 0) {
            if (empty) return true;
            if (++field_lines_ > limits_->header_count) refusal = Refusal(431, "there are too many headers");
            if (refusal) return false;
        } else if (!empty) {
            fields_ = scanned_;
        } else {
            begin_ = scanned_;
            if (begin_ > 2 * empty_lines) refusal = bad("there are empty lines instead of a request");
            if (refusal) return false;
        }
    }
}

Refusal HeadScanner::over_limit(std::size_t size) const noexcept {
    if (fields_ == 0) {
        const bool fits = size - begin_ <= limits_->uri_bytes + method_and_version;
        return fits ? Refusal() : Refusal(414, "the request target is too long");
    }
    return size - fields_ > limits_->header_bytes ? Refusal(431, "the headers are too long") : Refusal();
}

Refusal parse_head(std::string_view head, const ServerLimits& limits, Request& request, Framing& framing) {
    if (Refusal r = parse_request_line(cut_line(head), limits.uri_bytes, request, framing)) return r;
    FramingFields fields(request, framing);
    for (std::string_view line = cut_line(head); !line.empty(); line = cut_line(head)) {
        if (line.front() == ' ' || line.front() == '\t') return bad("folded header lines are not served");
        const auto colon = line.find(':');
        if (colon == line.npos) return bad("a header line has no colon");
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = text::trim(line.substr(colon + 1));
        if (!text::is_token(name)) return bad("a header name is no token");
        if (!text::is_field_value(value)) return bad("a header has a control character");
        if (Refusal r = fields.take(name, value)) return r;
        request.headers.emplace_back(name, value);
    }
    return fields.finish();
}

}  // namespace postern::http

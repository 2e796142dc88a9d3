#include "validation/location.hpp"

#include <algorithm>
#include <charconv>

#include "core/crypto/name.hpp"

namespace postern::validation {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

core::Problem refuse(std::string why) {
    return {core::ProblemKind::connection, "the server redirects to " + std::move(why)};
}

/// "http:" off the front; empty when the reference has no scheme.
std::string take_scheme(std::string_view& reference) {
    const auto end = reference.find_first_of(":/?");
    if (end == std::string_view::npos || reference[end] != ':' || end == 0 || !is_letter(reference[0])) return {};
    const auto scheme = reference.substr(0, end);
    const bool well_formed = std::ranges::all_of(scheme, [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
    if (!well_formed) return {};
    reference.remove_prefix(end + 1);
    return lower(scheme);
}

bool is_host_name(std::string_view host) {
    if (host.empty() || host.size() > 253) return false;
    std::string_view last;
    for (std::size_t from = 0; from <= host.size();) {
        const auto dot = std::min(host.find('.', from), host.size());
        last = host.substr(from, dot - from);
        if (last.empty() || last.size() > 63) return false;
        if (!std::ranges::all_of(last, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; })) return false;
        from = dot + 1;
    }
    // "127.1", "0x7f.1", "2130706433": some resolvers take a last label that begins with a digit as
    // part of an address.
    return !is_digit(last.front());
}

/// RFC 3986 §5.2.4
std::string without_dot_segments(std::string_view path) {
    std::string out;
    while (!path.empty()) {
        const auto end = std::min(path.find('/', 1), path.size());
        const auto segment = path.substr(0, end);
        path.remove_prefix(end);
        if (segment == "/." || segment == "/..") {
            if (segment == "/..") out.erase(std::min(out.rfind('/'), out.size()));
            if (path.empty()) out += '/';
        } else {
            out += segment;
        }
    }
    return out.empty() ? "/" : out;
}

core::Result<void> read_authority(std::string_view text, const Location& base, Location& out) {
    if (text.find('@') != std::string_view::npos) return refuse("a URL with user information, which is refused");
    std::string_view host = text;
    std::string_view port;
    const bool bracketed = text.starts_with('[');
    const auto close = bracketed ? text.find(']') : 0;
    if (close == std::string_view::npos) return refuse("a URL with an ill-formed host");
    if (const auto colon = text.find(':', close); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
    }
    if (bracketed) {
        if (!host.ends_with(']')) return refuse("a URL with an ill-formed host");
        host = host.substr(1, host.size() - 2);
    }
    if (!port.empty()) {
        const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
        if (error != std::errc() || end != port.data() + port.size() || out.port == 0) return refuse("a URL with an ill-formed port");
    }
    // A stranger's DNS is what the guard sees; a literal would step round it (V02). The address
    // being validated itself is no other place.
    const auto canonical = crypto::canonical_ip(host);
    if (bracketed || !canonical.empty()) {
        if (!base.address || canonical.empty() || canonical != crypto::canonical_ip(base.host))
            return refuse("an IP address instead of a name, which is refused");
        out.host = base.host;
        out.address = true;
        return {};
    }
    if (host.ends_with('.')) host.remove_suffix(1);
    if (!is_host_name(host)) return refuse("a URL whose host is no DNS name");
    out.host = lower(host);
    out.address = false;
    return {};
}

}  // namespace

std::string Location::authority() const {
    const std::string shown = address && host.find(':') != std::string::npos ? "[" + host + "]" : host;
    return port == 0 ? shown : shown + ":" + std::to_string(port);
}

std::string Location::to_text() const {
    return (https ? "https://" : "http://") + authority() + target;
}

core::Result<Location> follow(const Location& base, std::string_view header) {
    if (header.empty()) return refuse("nowhere: the Location header is missing or empty");
    if (!std::ranges::all_of(header, [](char c) { return c > ' ' && c < 0x7f && c != '\\'; }))
        return refuse("a URL with characters that must be percent-encoded");
    std::string_view rest = header.substr(0, header.find('#'));
    Location out = base;
    const auto scheme = take_scheme(rest);
    if (!scheme.empty()) {
        if (scheme != "http" && scheme != "https") return refuse("a URL of the scheme \"" + scheme.substr(0, 20) + "\"; only http and https are followed");
        if (!rest.starts_with("//")) return refuse("a URL without a host");
        out.https = scheme == "https";
    }
    if (rest.starts_with("//")) {
        rest.remove_prefix(2);
        const auto end = std::min(rest.find_first_of("/?"), rest.size());
        out.port = 0;
        if (const auto read = read_authority(rest.substr(0, end), base, out); !read) return read.error();
        rest.remove_prefix(end);
        out.target = "/";
    } else if (rest.empty()) {
        return out;
    }
    const auto question = std::min(rest.find('?'), rest.size());
    const auto path = rest.substr(0, question);
    const auto base_path = std::string_view(out.target).substr(0, out.target.find('?'));
    std::string merged;
    if (path.starts_with('/')) merged = without_dot_segments(path);
    else if (path.empty()) merged = base_path;
    else merged = without_dot_segments(std::string(base_path.substr(0, base_path.rfind('/') + 1)) + std::string(path));
    out.target = merged + std::string(rest.substr(question));
    return out;
}

}  // namespace postern::validation

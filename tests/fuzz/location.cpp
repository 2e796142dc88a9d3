// validation::follow: wherever a stranger's redirect leads, it is a plain http(s) URL of a DNS name.
#include "validation/location.hpp"

#include <algorithm>

#include "core/crypto/name.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

using validation::Location;

/// The first octet chooses where the redirect came from.
Location base_of(std::uint8_t choice) {
    Location base;
    base.host = "a.example";
    base.target = "/.well-known/acme-challenge/token";
    if (choice % 4 == 1) base.port = 8080;
    if (choice % 4 == 2) base.host = "192.0.2.1", base.address = true;
    if (choice % 4 == 3) base.host = "2001:db8::1", base.address = true, base.https = true, base.target = "/x?y=/../z";
    return base;
}

bool has_dot_segment(std::string_view target) {
    std::string path(target.substr(0, target.find('?')));
    path += '/';
    return path.find("/./") != std::string::npos || path.find("/../") != std::string::npos;
}

void check_host(const Location& to, const Location& base) {
    if (to.address) {
        require(base.address && to.host == base.host, "an address is followed only to itself");
        return;
    }
    require(crypto::canonical_ip(to.host).empty(), "an address is never taken for a name");
    require(!to.host.empty() && to.host.size() <= 253, "a host has at most 253 characters");
    require(std::ranges::all_of(to.host, [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
            }), "a host is a DNS name in lower case");
    const auto dot = to.host.rfind('.');
    const char first = to.host[dot == std::string::npos ? 0 : dot + 1];
    require(first < '0' || first > '9', "no resolver can read the host as numbers");
}

}  // namespace

Outcome location(core::BytesView input) {
    if (input.empty()) return Outcome::refused;
    const Location base = base_of(input[0]);
    const auto to = validation::follow(base, core::as_text(input.subspan(1)));
    if (!to) {
        require(to.error().kind == core::ProblemKind::connection && !to.error().detail.empty(), "a refusal is a connection problem and says why");
        return Outcome::refused;
    }
    check_host(*to, base);
    require(to->target.starts_with('/'), "a target begins with a slash");
    require(std::ranges::all_of(to->target, [](char c) { return c > ' ' && c < 0x7f && c != '#' && c != '\\'; }),
            "a target can stand in a request line");
    require(!has_dot_segment(to->target), "no dot segment is left");
    const auto again = validation::follow(base, to->to_text());
    require(again && again->to_text() == to->to_text() && again->https == to->https && again->host == to->host &&
                again->address == to->address && again->port == to->port && again->target == to->target,
            "the URL that people are shown is the one that is followed");
    return Outcome::accepted;
}

}  // namespace postern::fuzz

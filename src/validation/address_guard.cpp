#include "validation/address_guard.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace postern::validation {
namespace {

struct Range {
    const char* prefix;
    unsigned bits;
    std::string_view what;
};

/// IANA IPv4 Special-Purpose Address Registry (RFC 6890 and its updates), with multicast. Ranges
/// that are "globally reachable" there are anycast services of the Internet itself, nobody's host.
constexpr Range ranges4[] = {
    {"0.0.0.0", 32, "unspecified"},
    {"0.0.0.0", 8, "this network (RFC 791)"},
    {"10.0.0.0", 8, "private (RFC 1918)"},
    {"100.64.0.0", 10, "shared by carriers (RFC 6598)"},
    {"127.0.0.0", 8, "loopback"},
    {"169.254.0.0", 16, "link-local (RFC 3927)"},
    {"172.16.0.0", 12, "private (RFC 1918)"},
    {"192.0.0.0", 24, "IETF protocol assignments (RFC 6890)"},
    {"192.0.2.0", 24, "documentation (RFC 5737)"},
    {"192.31.196.0", 24, "AS112 service (RFC 7535)"},
    {"192.52.193.0", 24, "AMT relays (RFC 7450)"},
    {"192.88.99.0", 24, "6to4 relays (RFC 7526)"},
    {"192.168.0.0", 16, "private (RFC 1918)"},
    {"192.175.48.0", 24, "AS112 service (RFC 7534)"},
    {"198.18.0.0", 15, "benchmarking (RFC 2544)"},
    {"198.51.100.0", 24, "documentation (RFC 5737)"},
    {"203.0.113.0", 24, "documentation (RFC 5737)"},
    {"224.0.0.0", 4, "multicast"},
    {"255.255.255.255", 32, "broadcast"},
    {"240.0.0.0", 4, "reserved (RFC 1112)"},
};

/// IANA IPv6 Special-Purpose Address Registry; the forms that carry an IPv4 address are refused
/// whole, whatever they carry.
constexpr Range ranges6[] = {
    {"::", 128, "unspecified"},
    {"::1", 128, "loopback"},
    {"::ffff:0:0", 96, "IPv4-mapped (RFC 4291)"},
    {"::", 96, "IPv4-compatible (RFC 4291)"},
    {"64:ff9b::", 96, "NAT64 (RFC 6052)"},
    {"64:ff9b:1::", 48, "local NAT64 (RFC 8215)"},
    {"100::", 64, "discard-only (RFC 6666)"},
    {"100:0:0:1::", 64, "dummy prefix (RFC 9780)"},
    {"2001::", 32, "Teredo (RFC 4380)"},
    {"2001:2::", 48, "benchmarking (RFC 5180)"},
    {"2001:10::", 28, "ORCHID (RFC 4843)"},
    {"2001:20::", 28, "ORCHIDv2 (RFC 7343)"},
    {"2001::", 23, "IETF protocol assignments (RFC 2928)"},
    {"2001:db8::", 32, "documentation (RFC 3849)"},
    {"2002::", 16, "6to4 (RFC 3056)"},
    {"2620:4f:8000::", 48, "AS112 service (RFC 7534)"},
    {"3fff::", 20, "documentation (RFC 9637)"},
    {"5f00::", 16, "SRv6 segment identifiers (RFC 9602)"},
    {"fc00::", 7, "unique local (RFC 4193)"},
    {"fe80::", 10, "link-local (RFC 4291)"},
    {"fec0::", 10, "site-local (RFC 3879)"},
    {"ff00::", 8, "multicast"},
};

using Octets = std::array<std::uint8_t, 16>;

struct Parsed {
    Octets prefix{};
    unsigned bits = 0;
    std::string_view what;
};

template <std::size_t N>
std::array<Parsed, N> parse(const Range (&table)[N], int family) noexcept {
    std::array<Parsed, N> out;
    for (std::size_t i = 0; i < N; ++i) {
        ::inet_pton(family, table[i].prefix, out[i].prefix.data());
        out[i].bits = table[i].bits;
        out[i].what = table[i].what;
    }
    return out;
}

bool inside(const Octets& address, const Parsed& range) noexcept {
    const std::size_t whole = range.bits / 8;
    if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole), range.prefix.begin())) return false;
    const unsigned rest = range.bits % 8;
    return rest == 0 || ((address[whole] ^ range.prefix[whole]) >> (8 - rest)) == 0;
}

std::optional<std::string_view> find(const Octets& address, std::span<const Parsed> table) noexcept {
    for (const auto& range : table)
        if (inside(address, range)) return range.what;
    return std::nullopt;
}

}  // namespace

std::optional<std::string_view> why_forbidden(std::string_view address) noexcept {
    static const auto table4 = parse(ranges4, AF_INET);
    static const auto table6 = parse(ranges6, AF_INET6);
    constexpr std::string_view no_address = "not an IP address";
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.size() >= text.size() || address.find('\0') != std::string_view::npos) return no_address;
    std::copy(address.begin(), address.end(), text.begin());
    Octets octets{};
    if (::inet_pton(AF_INET, text.data(), octets.data()) == 1) return find(octets, table4);
    // A zone ("fe80::1%eth0") is no address to inet_pton either: refused.
    if (::inet_pton(AF_INET6, text.data(), octets.data()) != 1) return no_address;
    if (const auto what = find(octets, table6)) return what;
    // Only 2000::/3 is global unicast so far (RFC 4291 §2.4); what IANA has not given out is nobody's.
    if ((octets[0] & 0xe0U) != 0x20) return "not global unicast (RFC 4291)";
    return std::nullopt;
}

}  // namespace postern::validation

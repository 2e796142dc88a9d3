#include "est/proxies.hpp"

#include "core/base/encoding.hpp"

namespace postern::est {

namespace {

using core::Problem;
using core::Result;

constexpr std::size_t most_sent = 10;

Problem bad(std::string detail) { return {core::ProblemKind::malformed, std::move(detail), "est.proxy"}; }

constexpr bool same_name(std::string_view a, std::string_view small) {
    if (a.size() != small.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if ((a[i] >= 'A' && a[i] <= 'Z' ? a[i] - 'A' + 'a' : a[i]) != small[i]) return false;
    return true;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// A Byte Sequence of RFC 8941 §3.3.5.
Result<core::Bytes> octets_of(std::string_view item) {
    if (item.size() < 2 || item.front() != ':' || item.back() != ':') return bad("expected base64 between colons (RFC 9440 section 2.1)");
    auto out = core::from_base64(item.substr(1, item.size() - 2));
    if (!out || out->empty()) return bad("what stands between the colons is not base64");
    return std::move(*out);
}

}  // namespace

Result<std::optional<http::Peer>> Proxies::behind(const http::Request& request) const {
    // No certificate is no proof, whatever the list holds.
    if (request.peer.client_certificate.empty() || !known_.contains(request.peer.client_certificate)) return std::optional<http::Peer>();
    http::Peer peer = request.peer;
    peer.client_certificate.clear();
    auto facts = std::make_shared<http::TlsFacts>();
    bool named = false;
    for (const auto& [name, value] : request.headers) {
        if (same_name(name, "client-cert")) {
            if (named) return bad("Client-Cert comes twice");
            named = true;
            auto leaf = octets_of(trimmed(value));
            if (!leaf) return leaf.error();
            peer.client_certificate = std::move(*leaf);
        } else if (same_name(name, "client-cert-chain")) {
            std::string_view rest = value;
            while (!trimmed(rest).empty()) {
                const auto comma = std::min(rest.find(','), rest.size());
                auto each = octets_of(trimmed(rest.substr(0, comma)));
                if (!each) return each.error();
                facts->sent.push_back(std::move(*each));
                rest.remove_prefix(std::min(comma + 1, rest.size()));
            }
        }
    }
    if (!named && !facts->sent.empty()) return bad("Client-Cert-Chain comes without Client-Cert");
    if (facts->sent.size() > most_sent) return bad("more certificates in Client-Cert-Chain than a chain has");
    peer.tls_facts = std::move(facts);
    return std::optional<http::Peer>(std::move(peer));
}

}  // namespace postern::est

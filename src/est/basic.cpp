#include "est/basic.hpp"

#include "core/base/bytes.hpp"
#include "core/base/encoding.hpp"

namespace postern::est {

namespace {

constexpr std::size_t longest = 1024;

core::Problem bad(std::string detail) { return {core::ProblemKind::unauthenticated, std::move(detail), "credential.known"}; }

bool is_basic(std::string_view scheme) noexcept {
    constexpr std::string_view known = "basic";
    if (scheme.size() != known.size()) return false;
    for (std::size_t i = 0; i < known.size(); ++i)
        if ((scheme[i] | 0x20) != known[i]) return false;
    return true;
}

}  // namespace

core::Result<Basic> read_basic(std::string_view header) {
    const auto space = header.find(' ');
    if (space == std::string_view::npos || !is_basic(header.substr(0, space))) return bad("Basic, and Bearer with a one-time token, are understood in Authorization");
    auto coded = header.substr(space + 1);
    while (!coded.empty() && coded.front() == ' ') coded.remove_prefix(1);
    if (coded.size() > longest) return bad("user name and password are longer than 768 octets");
    const auto octets = core::from_base64(coded);
    if (!octets) return bad("the credentials in Authorization are not base64");
    const core::SecretBytes pair(std::move(*octets));
    const auto text = core::as_text(pair.expose());
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return bad("the credentials in Authorization have no colon");
    Basic out;
    out.user = text.substr(0, colon);
    out.password = core::SecretText(std::string(text.substr(colon + 1)));
    return out;
}

}  // namespace postern::est

#include "est/authorization.hpp"

namespace postern::est {

namespace {

constexpr std::size_t longest_token = 255;

bool same_letters(std::string_view a, std::string_view small) noexcept {
    if (a.size() != small.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if ((a[i] >= 'A' && a[i] <= 'Z' ? a[i] - 'A' + 'a' : a[i]) != small[i]) return false;
    return true;
}

/// Scheme names have no letter case (RFC 9110 §11.1).
bool has_scheme(std::string_view header, std::string_view small) noexcept { return same_letters(header.substr(0, header.find(' ')), small); }

}  // namespace

bool speaks_bearer(const http::Request& request) noexcept { return has_scheme(request.header("Authorization"), "bearer"); }

core::Result<Authorization> read_authorization(const http::Request& request) {
    std::size_t count = 0;
    for (const auto& [name, value] : request.headers)
        if (same_letters(name, "authorization")) ++count;
    if (count > 1) return core::Problem(core::ProblemKind::malformed, "Authorization comes twice", "credential.header");
    Authorization out;
    if (count == 0) return out;
    const auto header = request.header("Authorization");
    if (has_scheme(header, "bearer")) {
        auto token = header.substr(std::min(header.find(' '), header.size()));
        while (!token.empty() && token.front() == ' ') token.remove_prefix(1);
        if (token.empty() || token.size() > longest_token) return core::Problem(core::ProblemKind::unauthenticated, "the token in Authorization is empty or longer than 255 octets", "credential.known");
        out.scheme = Authorization::Scheme::bearer;
        out.token = core::SecretText(std::string(token));
        return out;
    }
    auto basic = read_basic(header);
    if (!basic) return basic.error();
    out.scheme = Authorization::Scheme::basic;
    out.basic = std::move(*basic);
    return out;
}

}  // namespace postern::est

// http::Router: a path finds the handler that a search through all patterns finds, with the
// parameters that put into the pattern give the path.
#include "core/http/router.hpp"

#include <algorithm>
#include <array>

#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

using http::Method;

struct Row {
    Method method;
    std::string_view pattern;
};
constexpr std::array rows{
    Row{Method::get, "/"},
    Row{Method::get, "/acme/{endpoint:label}/directory"},
    Row{Method::post, "/acme/{endpoint:label}/order/{order:token}"},
    Row{Method::post, "/acme/{endpoint:label}/order/{order:token}/finalize"},
    Row{Method::get, "/crl/{file:file}"},
    Row{Method::get, "/n/{number:number}"},
    Row{Method::delete_, "/n/{serial:serial}"},
    Row{Method::get, "/n/{name:label}/x"},
    Row{Method::post, "/n/7/x"},
    Row{Method::head, "/n/{name:label}/y"},
    Row{Method::get, "/n/{name:label}/y"},
};
constexpr std::array methods{Method::get, Method::head, Method::post, Method::put, Method::delete_, Method::options, Method::other};

const http::Router& router() {
    static const http::Router made = [] {
        http::Router r;
        for (const auto& row : rows) r.add(row.method, row.pattern, {}, [](const http::Request&) -> core::Task<http::Response> { co_return http::Response(200); });
        return r;
    }();
    return made;
}

bool only(std::string_view text, std::string_view alphabet) { return text.find_first_not_of(alphabet) == text.npos; }

/// The types as router.hpp describes them.
bool is_of(std::string_view type, std::string_view s) {
    constexpr std::string_view digits = "0123456789", small = "abcdefghijklmnopqrstuvwxyz", large = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const std::string alnum = std::string(digits) + std::string(small) + std::string(large);
    if (s.empty()) return false;
    if (type == "number") return only(s, digits) && s[0] != '0' && (s.size() < 19 || (s.size() == 19 && s <= "9223372036854775807"));
    if (type == "token") return s.size() == 22 && only(s, alnum + "-_");
    if (type == "serial") return s.size() <= 64 && only(s, "0123456789abcdefABCDEF:xX");
    if (type == "label") return s.size() <= 64 && only(s, std::string(digits) + std::string(small) + "._-") && std::string_view("._-").find(s[0]) == s.npos;
    return s.size() <= 128 && only(s, alnum + "._-") && std::string_view("._-").find(s[0]) == s.npos && s.find("..") == s.npos;
}

std::string_view cut(std::string_view& rest) {
    const auto slash = std::min(rest.find('/'), rest.size());
    const auto segment = rest.substr(0, slash);
    rest.remove_prefix(slash);
    return segment;
}

bool fits(std::string_view pattern, std::string_view path) {
    while (pattern.starts_with('/') && path.starts_with('/')) {
        pattern.remove_prefix(1);
        path.remove_prefix(1);
        const auto wanted = cut(pattern), found = cut(path);
        if (!wanted.starts_with('{') ? wanted != found : !is_of(wanted.substr(wanted.find(':') + 1, wanted.size() - wanted.find(':') - 2), found))
            return false;
    }
    return pattern.empty() && path.empty();
}

std::string filled(std::string_view pattern, const http::Params& params) {
    std::string path;
    while (!pattern.empty()) {
        pattern.remove_prefix(1);
        const auto segment = cut(pattern);
        path += '/';
        if (segment.starts_with('{'))
            path += params[segment.substr(1, segment.find(':') - 1)];
        else
            path += segment;
    }
    return path;
}

bool any_row(std::string_view path, auto takes) {
    return std::ranges::any_of(rows, [&](const Row& row) { return takes(row.method) && fits(row.pattern, path); });
}

}  // namespace

Outcome http_route(core::BytesView input) {
    if (input.empty()) return Outcome::refused;
    const Method method = methods[input[0] % methods.size()];
    const std::string_view path = core::as_text(input.subspan(1));
    const auto match = router().match(method, path);
    const bool served = any_row(path, [&](Method m) { return m == method || (method == Method::head && m == Method::get); });
    require((match.handler != nullptr) == served, "a path is served exactly when one of the patterns fits it");
    if (match.handler == nullptr) {
        const bool otherwise = any_row(path, [](Method) { return true; });
        require(match.status == (otherwise ? 405U : 404U), "405 exactly when another method would be served");
        require(otherwise == !match.allow.empty(), "405 says what would be allowed");
        return Outcome::refused;
    }
    require(fits(match.pattern, path) && filled(match.pattern, match.params) == path, "the parameters put into the pattern give the path");
    const auto row = std::ranges::find_if(rows, [&](const Row& r) { return r.pattern == match.pattern && r.method == (match.head_of_get ? Method::get : method); });
    require(row != rows.end(), "the method is the route's");
    return Outcome::accepted;
}

}  // namespace postern::fuzz

#include "core/http/router.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/http/text.hpp"

namespace postern::http {
namespace {

/// In the order they are tried: the narrowest first.
enum class ParamType { number, token, serial, label, file, segment };
constexpr std::array param_names{"number", "token", "serial", "label", "file", "segment"};

bool in_alphabet(std::string_view s, std::size_t least, std::size_t most, bool (*allowed)(char)) {
    return s.size() >= least && s.size() <= most && std::ranges::all_of(s, allowed);
}
bool is_hex(char c) { return text::is_digit(c) || (text::lower(c) >= 'a' && text::lower(c) <= 'f'); }
bool is_serial_char(char c) { return is_hex(c) || c == ':' || text::lower(c) == 'x'; }
bool is_small(char c) { return text::is_digit(c) || (c >= 'a' && c <= 'z'); }
bool is_alnum(char c) { return text::is_digit(c) || (text::lower(c) >= 'a' && text::lower(c) <= 'z'); }
bool is_base64url(char c) { return is_alnum(c) || c == '-' || c == '_'; }
bool is_label_char(char c) { return is_small(c) || c == '.' || c == '_' || c == '-'; }
bool is_file_char(char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; }

bool is_number(std::string_view s) {
    constexpr std::string_view most = "9223372036854775807";
    if (!in_alphabet(s, 1, most.size(), text::is_digit) || s.front() == '0') return false;
    return s.size() < most.size() || s <= most;
}

bool accepts(ParamType type, std::string_view s) {
    switch (type) {
        case ParamType::number: return is_number(s);
        case ParamType::token: return in_alphabet(s, 22, 22, is_base64url);
        case ParamType::serial: return in_alphabet(s, 1, 64, is_serial_char);
        case ParamType::label: return in_alphabet(s, 1, 64, is_label_char) && is_small(s.front());
        case ParamType::file:
            return in_alphabet(s, 1, 128, is_file_char) && is_alnum(s.front()) && s.find("..") == s.npos;
        case ParamType::segment: return !s.empty() && s.size() <= 256;
    }
    return false;
}

struct Route {
    Route(Method m, std::string_view p, RouteLimits l, Handler h)
        : method(m), pattern(p), limits(l), handler(std::move(h)) {}
    Method method;
    std::string pattern;
    RouteLimits limits;
    Handler handler;
    std::vector<std::string> names;
};

/// One segment of the paths. Parameters of one type share a node; their names are the route's.
struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literal;
    std::array<std::unique_ptr<Node>, param_names.size()> typed;
    std::vector<std::unique_ptr<Route>> routes;

    [[nodiscard]] const Route* find(Method m) const {
        for (const auto& route : routes)
            if (route->method == m) return route.get();
        return nullptr;
    }
};

/// A path on its way through the tree, with the values captured so far.
struct Walk {
    explicit Walk(Method m) : method(m) {}
    Method method;
    std::vector<std::string_view> values;
    const Node* other_methods = nullptr;  ///< the first node that fits the path but not the method
    const Route* found = nullptr;
    bool head_of_get = false;

    bool at(const Node& node) {
        found = node.find(method);
        if (found == nullptr && method == Method::head) {
            found = node.find(Method::get);
            head_of_get = found != nullptr;
        }
        if (found == nullptr && !node.routes.empty() && other_methods == nullptr) other_methods = &node;
        return found != nullptr;
    }

    bool into(const Node& node, std::optional<std::string_view> rest) {
        if (!rest) return at(node);
        const auto slash = rest->find('/');
        const std::string_view segment = rest->substr(0, slash);
        const auto after = slash == rest->npos ? std::nullopt : std::optional(rest->substr(slash + 1));
        if (const auto it = node.literal.find(segment); it != node.literal.end() && into(*it->second, after)) return true;
        for (std::size_t i = 0; i < node.typed.size(); ++i) {
            if (!node.typed[i] || !accepts(static_cast<ParamType>(i), segment)) continue;
            values.push_back(segment);
            if (into(*node.typed[i], after)) return true;
            values.pop_back();
        }
        return false;
    }
};

std::string allowed(const Node& node) {
    std::string list;
    for (const auto& route : node.routes) {
        if (!list.empty()) list += ", ";
        list += to_string(route->method);
        if (route->method == Method::get && node.find(Method::head) == nullptr) list += ", HEAD";
    }
    return list;
}

[[noreturn]] void bad_pattern(std::string_view pattern, std::string_view why) {
    throw std::logic_error("route " + std::string(pattern) + ": " + std::string(why));
}

}  // namespace

struct Router::Impl {
    Node root;
    std::vector<std::pair<std::string, ErrorPage>> pages;

    Node& child(Node& node, std::string_view segment, Route& route) {
        if (!segment.starts_with('{')) {
            if (segment.find_first_of("{}%?#") != segment.npos)
                bad_pattern(route.pattern, "a parameter is a whole segment, and literals are plain");
            auto& next = node.literal[std::string(segment)];
            if (!next) next = std::make_unique<Node>();
            return *next;
        }
        const auto colon = segment.find(':');
        if (!segment.ends_with('}') || colon == segment.npos || colon < 2)
            bad_pattern(route.pattern, "a parameter is written {name:type}");
        const std::string_view type = segment.substr(colon + 1, segment.size() - colon - 2);
        const auto known = std::ranges::find(param_names, type);
        if (known == param_names.end()) bad_pattern(route.pattern, "no parameter type " + std::string(type));
        std::string name(segment.substr(1, colon - 1));
        if (std::ranges::find(route.names, name) != route.names.end())
            bad_pattern(route.pattern, "two parameters named " + name);
        route.names.push_back(std::move(name));
        auto& next = node.typed[static_cast<std::size_t>(known - param_names.begin())];
        if (!next) next = std::make_unique<Node>();
        return *next;
    }
};

Router::Router() : impl_(std::make_unique<Impl>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(Method method, std::string_view pattern, RouteLimits limits, Handler handler) {
    auto route = std::make_unique<Route>(method, pattern, limits, std::move(handler));
    if (!pattern.starts_with('/')) bad_pattern(pattern, "must begin with /");
    Node* node = &impl_->root;
    for (std::string_view rest = pattern.substr(1);;) {
        const auto slash = rest.find('/');
        node = &impl_->child(*node, rest.substr(0, slash), *route);
        if (slash == rest.npos) break;
        rest.remove_prefix(slash + 1);
    }
    if (node->find(method) != nullptr)
        bad_pattern(pattern, "there is already a " + std::string(to_string(method)) + " route of this shape");
    node->routes.push_back(std::move(route));
}

void Router::error_page(std::string_view prefix, ErrorPage page) {
    impl_->pages.emplace_back(prefix, std::move(page));
    std::ranges::stable_sort(impl_->pages, [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

Router::Match Router::match(Method method, std::string_view path) const {
    Match result;
    Walk walk(method);
    const bool found = path.starts_with('/') && walk.into(impl_->root, path.substr(1));
    if (!found) {
        result.status = walk.other_methods != nullptr ? 405 : 404;
        if (walk.other_methods != nullptr) result.allow = allowed(*walk.other_methods);
        return result;
    }
    result.handler = &walk.found->handler;
    result.limits = walk.found->limits;
    result.pattern = walk.found->pattern;
    result.head_of_get = walk.head_of_get;
    for (std::size_t i = 0; i < walk.values.size(); ++i)
        result.params.add(walk.found->names[i], std::string(walk.values[i]));
    return result;
}

core::Task<Response> Router::error(const Request& request, unsigned status, std::string_view detail) const {
    const auto owns = [&](const auto& entry) { return request.path.starts_with(entry.first); };
    const auto found = std::ranges::find_if(impl_->pages, owns);
    if (found == impl_->pages.end()) co_return Response(status, "text/plain; charset=utf-8", std::string(detail) + "\n");
    auto page = found->second(request, status, detail);
    Response response = co_await std::move(page);
    co_return response;
}

core::Task<Response> Router::unmatched(const Match& match, const Request& request) const {
    std::string detail = "there is nothing at this path";
    if (match.status == 405) detail = "this path takes " + match.allow + " only";
    Response refusal = co_await error(request, match.status, detail);
    if (match.status == 405) refusal.set("Allow", match.allow);
    co_return refusal;
}

core::Task<Response> Router::handle(Request request) const {
    Match found = match(request.method, request.path);
    if (found.handler == nullptr) co_return co_await unmatched(found, request);
    request.params = std::move(found.params);
    if (request.deadline == core::Deadline{}) request.deadline = core::deadline_in(found.limits.time);
    Response response = co_await (*found.handler)(request);
    if (found.head_of_get) response.body.clear();
    co_return response;
}

}  // namespace postern::http

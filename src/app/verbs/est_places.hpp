#pragma once
#include "app/verbs/verbs.hpp"

/// What verbs of EST endpoints share: "ENDPOINT" or "ENDPOINT/ACCOUNT".
namespace postern::app::verbs {

inline std::string endpoint_of(const std::string& place) { return place.substr(0, place.find('/')); }
inline std::string account_of(const std::string& place) {
    const auto slash = place.find('/');
    return slash == place.npos ? std::string() : place.substr(slash + 1);
}

/// What is neither would be another path to the server.
inline std::string read_place(std::string& text) {
    const auto slash = text.find('/');
    const bool good = !text.empty() && slash != 0 && slash != text.size() - 1 && text.find('/', slash == text.npos ? slash : slash + 1) == text.npos &&
                      text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz._-/") == text.npos;
    return good ? "" : "expected an endpoint, or ENDPOINT/ACCOUNT";
}

/// What stands between spaces and tabs.
inline std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(" \t"), text.size());
        if (end > 0) out.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

}  // namespace postern::app::verbs

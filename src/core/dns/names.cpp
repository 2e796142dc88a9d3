#include "core/dns/names.hpp"

#include <algorithm>

namespace postern::dns {

core::Problem dns_problem(std::string detail) {
    return {core::ProblemKind::dns, std::move(detail)};
}

core::Result<std::string> canonical_name(std::string_view name) {
    const auto refused = [name](std::string_view why) {
        std::string shown(name.substr(0, 253));
        return dns_problem("\"" + shown + "\" is not a DNS name: " + std::string(why));
    };
    std::string_view rest = name;
    if (rest.ends_with('.')) rest.remove_suffix(1);
    if (rest.empty()) return refused("it has no label");
    if (rest.size() > 253) return refused("it is longer than 253 characters");
    std::string lower(rest);
    std::size_t label = 0;
    for (char& c : lower) {
        if (c == '.') {
            if (label == 0) return refused("it has an empty label");
            label = 0;
            continue;
        }
        if (++label > 63) return refused("it has a label longer than 63 characters");
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        const bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!fine) return refused("only letters, digits, hyphen and underscore may be asked for");
    }
    if (label == 0) return refused("it has an empty label");
    return lower;
}

std::optional<std::string_view> parent_of(std::string_view name) noexcept {
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    return name.substr(dot + 1);
}

std::string_view to_string(RecordType type) noexcept {
    switch (type) {
        case RecordType::a: return "A";
        case RecordType::cname: return "CNAME";
        case RecordType::txt: return "TXT";
        case RecordType::aaaa: return "AAAA";
        case RecordType::caa: return "CAA";
    }
    return "?";
}

}  // namespace postern::dns

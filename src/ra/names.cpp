#include "ra/names.hpp"

#include <algorithm>

#include "core/crypto/name.hpp"

namespace postern::ra {

namespace {

constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_label = 63;

core::Problem malformed(std::string_view name, std::string_view why) {
    return {core::ProblemKind::malformed, "\"" + std::string(name.substr(0, 256)) + "\" is not a DNS name: " + std::string(why)};
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Whether what stands behind "xn--" decodes (RFC 3492 §6.2) to at least one code point that is not
/// ASCII: an A-label that stands for no U-label would be shown to people as something else (V12).
bool decodes_as_punycode(std::string_view text) {
    constexpr std::uint32_t radix = 36, least = 1, most = 26, skew = 38, damp = 700, last_code_point = 0x10FFFF;
    const auto delimiter = text.rfind('-');
    std::uint32_t written = delimiter == std::string_view::npos ? 0 : static_cast<std::uint32_t>(delimiter);
    std::string_view rest = delimiter == std::string_view::npos ? text : text.substr(delimiter + 1);
    if (rest.empty()) return false;
    std::uint32_t code_point = 0x80, at = 0, bias = 72;
    for (bool first = true; !rest.empty(); first = false) {
        // A label has at most 63 octets, so 64 bits hold any sum that is still in range.
        std::uint64_t delta = 0, weight = 1;
        for (std::uint32_t k = radix;; k += radix) {
            if (rest.empty()) return false;
            const char c = rest.front();
            if (c == '-') return false;
            const auto digit = static_cast<std::uint32_t>(is_digit(c) ? c - '0' + 26 : c - 'a');
            rest.remove_prefix(1);
            delta += digit * weight;
            if (delta > std::uint64_t{last_code_point} * 64) return false;
            const std::uint32_t threshold = k <= bias ? least : std::min(most, k - bias);
            if (digit < threshold) break;
            weight *= radix - threshold;
        }
        ++written;
        const std::uint64_t sum = at + delta;
        code_point += static_cast<std::uint32_t>(sum / written);
        if (code_point > last_code_point || (code_point >= 0xD800 && code_point <= 0xDFFF)) return false;
        at = static_cast<std::uint32_t>(sum % written) + 1;
        std::uint64_t step = first ? delta / damp : delta / 2;
        step += step / written;
        std::uint32_t k = 0;
        for (; step > (radix - least) * most / 2; k += radix) step /= radix - least;
        bias = k + static_cast<std::uint32_t>((radix - least + 1) * step / (step + skew));
    }
    return true;
}

/// LDH rule of RFC 5890 §2.3.1.
std::optional<std::string_view> why_bad_label(std::string_view label) {
    if (label.empty()) return "a label is empty";
    if (label.size() > longest_label) return "a label is longer than 63 octets";
    for (const char c : label) {
        if (static_cast<unsigned char>(c) >= 0x80) return "write non-ASCII labels as A-labels (xn--…)";
        if (!is_letter(c) && !is_digit(c) && c != '-') return "a label may have letters, digits and hyphens only";
    }
    if (label.front() == '-' || label.back() == '-') return "a label begins or ends with a hyphen";
    return std::nullopt;
}

/// Reserved "??--" labels other than A-labels mean nothing we know (RFC 5890 §2.3.1).
std::optional<std::string_view> why_reserved_label(std::string_view label) {
    if (label.size() < 4 || label.substr(2, 2) != "--") return std::nullopt;
    if (label.substr(0, 2) != "xn") return "labels with hyphens in the third and fourth place are reserved";
    if (!decodes_as_punycode(label.substr(4))) return "what follows xn-- is no Punycode";
    return std::nullopt;
}

}  // namespace

core::Result<std::string> normalize_dns(std::string_view name, NameRules rules) {
    if (name.empty()) return malformed(name, "it is empty");
    if (name.back() == '.') return malformed(name, "leave out the final dot");
    if (name.size() > longest_name) return malformed(name, "it is longer than 253 octets");

    std::string out(name);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });

    std::string_view rest = out;
    if (rest.starts_with("*.")) {
        if (!rules.wildcard) return malformed(name, "a wildcard is not allowed here");
        rest.remove_prefix(2);
    } else if (rest == "*") {
        return malformed(name, "a wildcard needs a domain behind it");
    }
    if (!crypto::canonical_ip(rest).empty()) return malformed(name, "it is an IP address; use the identifier type ip");

    std::size_t labels = 0;
    std::string_view last;
    for (std::size_t from = 0; from <= rest.size();) {
        const std::size_t dot = std::min(rest.find('.', from), rest.size());
        last = rest.substr(from, dot - from);
        if (last.find('*') != std::string_view::npos) return malformed(name, "a wildcard is the whole leftmost label or nothing");
        if (const auto why = why_bad_label(last)) return malformed(name, *why);
        if (const auto why = why_reserved_label(last))
            return core::Problem(core::ProblemKind::rejected_identifier, "\"" + std::string(name) + "\" is refused: " + std::string(*why));
        ++labels;
        from = dot + 1;
    }
    if (labels < 2 && !rules.single_label)
        return core::Problem(core::ProblemKind::rejected_identifier,
                             "\"" + std::string(name) + "\" has a single label; names need at least two");
    if (std::all_of(last.begin(), last.end(), is_digit)) return malformed(name, "the last label is a number");
    return out;
}

bool NameScope::covers_dns(std::string_view normalized) const {
    std::string_view bare = normalized;
    if (bare.starts_with("*.")) {
        if (!wildcard) return false;
        bare.remove_prefix(2);
        // "*.example.com" names descendants of example.com, so the entry must cover descendants.
        return std::any_of(names.begin(), names.end(), [&](const std::string& entry) {
            if (entry == "*") return true;
            if (!entry.starts_with('.')) return false;
            return bare == std::string_view(entry).substr(1) || bare.ends_with(entry);
        });
    }
    return std::any_of(names.begin(), names.end(), [&](const std::string& entry) {
        if (entry == "*") return true;
        if (entry.starts_with('.')) return bare.size() > entry.size() && bare.ends_with(entry);
        return bare == entry;
    });
}

bool NameScope::covers_ip(std::string_view canonical) const {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& entry) { return entry == "*" || entry == canonical; });
}

std::string NameScope::to_text() const {
    std::string out;
    for (const auto& n : names) {
        if (!out.empty()) out += ", ";
        out += n;
    }
    if (out.empty()) return "no name at all";
    if (wildcard) out += " (wildcards too)";
    return out;
}

}  // namespace postern::ra

#include <algorithm>
#include <optional>
#include <utility>

#include "validation/caa.hpp"

/// What CAA records mean: RFC 8659 §4, RFC 8657.
namespace postern::validation {

using core::Problem;
using core::ProblemKind;
using core::Result;

namespace {

constexpr std::size_t quoted_characters = 100;
/// How long the reasons of several records may become before the rest is counted.
constexpr std::size_t reason_characters = 4 * quoted_characters;
/// RFC 8659 §4.1 numbers the bits from the left. Who meant the other end of the octet meant the same.
constexpr std::uint8_t critical_flags = 0x80U | 0x01U;

bool is_space(char c) { return c == ' ' || c == '\t'; }
bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

/// `label` of RFC 8659 §4.2: letters and digits, hyphens between them.
bool is_label(std::string_view text) {
    return !text.empty() && is_letter_or_digit(text.front()) && is_letter_or_digit(text.back()) &&
           std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool is_domain(std::string_view text) {
    for (;;) {
        const auto dot = text.find('.');
        if (!is_label(text.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

bool is_value(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~' && c != ';'; });
}

/// What an issue or issuewild property says.
struct IssueValue {
    std::string issuer;  ///< lower case; empty: nobody
    std::vector<std::pair<std::string, std::string>> parameters;  ///< tags in lower case
};

/// issue-value of RFC 8659 §4.2; nullopt for what is none.
std::optional<IssueValue> read_issue_value(std::string_view text) {
    IssueValue out;
    const auto semicolon = text.find(';');
    const auto issuer = trimmed(text.substr(0, semicolon));
    if (!issuer.empty() && !is_domain(issuer)) return std::nullopt;
    out.issuer = lower(issuer);
    if (semicolon == std::string_view::npos) return out;
    std::string_view rest = trimmed(text.substr(semicolon + 1));
    while (!rest.empty()) {
        const auto end = rest.find(';');
        const auto parameter = rest.substr(0, end);
        const auto equals = parameter.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const auto tag = trimmed(parameter.substr(0, equals));
        const auto value = trimmed(parameter.substr(equals + 1));
        if (!is_label(tag) || !is_value(value)) return std::nullopt;
        out.parameters.emplace_back(lower(tag), std::string(value));
        if (end == std::string_view::npos) return out;
        rest = trimmed(rest.substr(end + 1));
        if (rest.empty()) return std::nullopt;  // a semicolon stands between parameters
    }
    return out;
}

/// RFC 8657 §4: a list of methods with commas.
bool lists_method(std::string_view list, std::string_view method) {
    while (!method.empty()) {
        const auto comma = list.find(',');
        if (list.substr(0, comma) == method) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
    return false;
}

/// Why a property that names us does not mean this request, or nothing.
std::string why_not_this(const IssueValue& value, const CaaQuestion& question) {
    // A parameter given twice would be two conditions, which no request meets (RFC 8657 §3).
    for (const auto* tag : {"accounturi", "validationmethods"})
        if (std::ranges::count(value.parameters, tag, [](const auto& p) { return p.first; }) > 1) return std::string(tag) + " is given twice";
    for (const auto& [tag, wanted] : value.parameters) {
        if (tag == "accounturi" && (wanted.empty() || wanted != question.account_url)) return "it is for another account";
        if (tag == "validationmethods" && !lists_method(wanted, question.method))
            return question.method.empty() ? "it is for names that are validated" : "it does not permit " + question.method;
    }
    return {};
}

std::string shown(const dns::CaaRecord& record) {
    std::string value = record.value.substr(0, quoted_characters);
    std::ranges::replace_if(value, [](char c) { return c < ' ' || c > '~' || c == '"'; }, '?');
    return std::to_string(record.flags) + " " + record.tag.substr(0, quoted_characters) + " \"" + value + "\"" + (record.value.size() > quoted_characters ? " …" : "");
}

Problem forbidden(std::string_view owner, const CaaQuestion& question, const std::string& why) {
    return {ProblemKind::caa, "CAA records of " + std::string(owner) + " do not let this CA certify " + question.name + ": " + why, "names.caa"};
}

bool is_known(std::string_view tag) {
    constexpr std::string_view known[] = {"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"};
    return std::ranges::find(known, tag) != std::end(known);
}

}  // namespace

Result<void> judge_caa(const std::vector<dns::CaaRecord>& records, std::string_view owner, const CaaQuestion& question) {
    const auto has = [&](std::string_view tag) { return std::ranges::find(records, tag, &dns::CaaRecord::tag) != records.end(); };
    for (const auto& record : records)
        if ((record.flags & critical_flags) != 0 && !is_known(record.tag))
            return forbidden(owner, question, shown(record) + " is critical and not known here");
    // RFC 8659 §4.3: for a wildcard issuewild stands in the place of issue, where there is any.
    const std::string_view deciding = question.name.starts_with("*.") && has("issuewild") ? "issuewild" : "issue";
    if (!has(deciding)) return {};
    std::string why;
    std::size_t untold = 0;
    for (const auto& record : records) {
        if (record.tag != deciding) continue;
        const auto value = read_issue_value(record.value);
        std::string no;
        if (!value) no = "is not of the form of RFC 8659, which counts as nobody";
        else if (value->issuer.empty()) no = "names nobody";
        else if (std::ranges::find(question.identities, value->issuer) == question.identities.end()) no = "names another CA";
        else no = why_not_this(*value, question);
        if (no.empty()) return {};
        // Any later record may permit: only the text has an end.
        if (why.size() > reason_characters) ++untold;
        else why += (why.empty() ? "" : "; ") + shown(record) + " " + no;
    }
    if (untold != 0) why += "; and " + std::to_string(untold) + " more";
    return forbidden(owner, question, why);
}

}  // namespace postern::validation

// core/dns: what stands in answers is told whole, and nothing is read beyond it.
#include <algorithm>

#include "core/dns/names.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

/// Records with an octet of length before each; the last takes what is left.
dns::Answer answer_of(core::BytesView input) {
    dns::Answer answer;
    answer.canonical_name = "a.example";
    while (!input.empty()) {
        const std::size_t length = std::min<std::size_t>(input[0], input.size() - 1);
        answer.rdata.push_back(exact_copy(input.subspan(1, length)));
        input = input.subspan(1 + length);
    }
    return answer;
}

/// RFC 1035 §3.3.14, written anew; nullopt for a record that ends inside a character-string.
std::optional<std::string> joined(core::BytesView rdata) {
    std::string out;
    for (std::size_t i = 0; i < rdata.size(); i += 1 + rdata[i]) {
        if (i + 1 + rdata[i] > rdata.size()) return std::nullopt;
        for (std::size_t k = i + 1; k <= i + rdata[i]; ++k) out.push_back(static_cast<char>(rdata[k]));
    }
    return out;
}

bool check_txt(const dns::Answer& answer) {
    const auto texts = dns::txt_strings(answer);
    const bool whole = std::ranges::all_of(answer.rdata, [](const auto& r) { return joined(r).has_value(); });
    require(texts.has_value() == whole, "a TXT answer is refused exactly when a record ends inside a string");
    if (!texts) return false;
    require(texts->size() == answer.rdata.size(), "one text a record");
    for (std::size_t i = 0; i < texts->size(); ++i)
        require((*texts)[i] == joined(answer.rdata[i]), "a text is its character-strings, joined");
    return !texts->empty();
}

bool check_caa(const dns::Answer& answer) {
    const auto records = dns::caa_records(answer);
    if (!records) {
        require(records.error().kind == core::ProblemKind::dns && !records.error().detail.empty(), "a broken CAA record is a dns problem");
        return false;
    }
    require(records->size() == answer.rdata.size(), "one CAA record a record");
    for (std::size_t i = 0; i < records->size(); ++i) {
        const auto& record = (*records)[i];
        const auto& rdata = answer.rdata[i];
        require(2 + record.tag.size() + record.value.size() == rdata.size(), "flags, length, tag and value are the whole record");
        require(record.flags == rdata[0] && record.tag.size() == rdata[1] && !record.tag.empty(), "flags and tag length are those sent");
        require(std::ranges::all_of(record.tag, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }),
                "a tag is lower case letters and digits");
        require(core::as_text(rdata).ends_with(record.value), "the value is the record's end");
    }
    return !records->empty();
}

bool check_name(std::string_view text) {
    const auto name = dns::canonical_name(text);
    if (!name) return false;
    require(dns::canonical_name(*name).value() == *name, "a canonical name is its own");
    require(name->size() <= 253 && !name->empty() && name->back() != '.', "a name has at most 253 characters and no final dot");
    std::size_t labels = 0;
    std::optional<std::string_view> rest = *name;
    for (; rest; rest = dns::parent_of(*rest), ++labels) {
        const auto label = rest->substr(0, rest->find('.'));
        require(!label.empty() && label.size() <= 63, "a label has 1 to 63 characters");
        require(std::ranges::none_of(label, [](char c) { return c >= 'A' && c <= 'Z'; }), "a name is in lower case");
    }
    require(labels == 1 + static_cast<std::size_t>(std::ranges::count(*name, '.')), "every label has its turn");
    return true;
}

}  // namespace

Outcome dns(core::BytesView input) {
    const dns::Answer answer = answer_of(input);
    const bool txt = check_txt(answer);
    const bool caa = check_caa(answer);
    const bool name = check_name(core::as_text(input));
    return outcome(txt || caa || name);
}

}  // namespace postern::fuzz

// validation::judge_caa: however records are spelt, nobody is permitted whom none of them names.
#include "validation/caa.hpp"

#include <algorithm>

#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

/// Records as `dns` reads them too: each behind an octet with its length.
dns::Answer records_of(core::BytesView input) {
    dns::Answer out;
    out.canonical_name = "a.example";
    for (std::size_t at = 0; at < input.size();) {
        const std::size_t size = std::min<std::size_t>(input[at], input.size() - at - 1);
        out.rdata.push_back(core::to_bytes(input.subspan(at + 1, size)));
        at += 1 + size;
    }
    return out;
}

bool names_somebody(const dns::CaaRecord& record) {
    return record.tag == "issue" && std::ranges::any_of(record.value, [](char c) { return c != ' ' && c != '\t'; });
}

}  // namespace

/// The first octet chooses between a name and a wildcard.
Outcome caa(core::BytesView input) {
    if (input.empty()) return Outcome::refused;
    const auto records = dns::caa_records(records_of(input.subspan(1)));
    if (!records) return Outcome::refused;
    validation::CaaQuestion question;
    question.name = input[0] % 2 == 0 ? "a.example" : "*.a.example";
    question.identities = {"ca.example"};
    question.method = "dns-01";
    question.account_url = "https://ca.example/a/1";
    const auto verdict = validation::judge_caa(*records, "a.example", question);

    auto nobody = question;
    nobody.identities.clear();
    const bool to_anybody = validation::judge_caa(*records, "a.example", nobody).has_value();
    require(!to_anybody || verdict, "what anybody may do, one that is named may");
    if (question.name == "a.example" && std::ranges::any_of(*records, names_somebody)) require(!to_anybody, "issue says who");
    auto more = *records;
    dns::CaaRecord critical;
    critical.flags = 128;
    critical.tag = "unknown";
    more.push_back(critical);
    require(!validation::judge_caa(more, "a.example", question), "an unknown critical tag forbids, whatever else is there");
    if (verdict) return Outcome::accepted;
    const auto& problem = verdict.error();
    require(problem.kind == core::ProblemKind::caa && problem.detail.size() < 2000, "a refusal is short, and says caa");
    require(std::ranges::all_of(problem.detail.substr(0, problem.detail.find(" …")), [](char c) { return c >= ' ' && c <= '~'; }), "a refusal can be printed");
    return Outcome::refused;
}

}  // namespace postern::fuzz

#include "validation/txt_records.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"

namespace postern::validation {

using core::Problem;
using core::ProblemKind;
using core::Result;

namespace {

/// Strangers decide how many records there are and how long.
constexpr std::size_t quoted_records = 3;
constexpr std::size_t quoted_characters = 64;

/// The beginning of what a stranger published, on one printable line.
std::string quoted(std::string_view text) {
    std::string out(text.substr(0, quoted_characters));
    std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~' || c == '"'; }, '?');
    return "\"" + out + "\"" + (text.size() > quoted_characters ? " …" : "");
}

std::string quoted(const std::vector<std::string>& records) {
    std::string out;
    for (std::size_t i = 0; i < std::min(records.size(), quoted_records); ++i) out += (i == 0 ? "" : ", ") + quoted(records[i]);
    if (records.size() > quoted_records) out += " and " + std::to_string(records.size() - quoted_records) + " more";
    return out;
}

class TxtValidator final : public Validator {
public:
    TxtValidator(dns::Resolver& resolver, std::string (*owner)(const Question&)) : resolver_(resolver), owner_(owner) {}

    core::Task<Finding> validate(Question question, core::Deadline deadline) override {
        Finding out;
        const std::string owner = owner_(question);
        const Result<dns::Answer> answer = co_await resolver_.lookup(owner, dns::RecordType::txt, deadline);
        out.verdict = answer ? judge(question, owner, *answer, out.steps) : unanswered(owner, answer.error(), out.steps);
        // What was published may not be everywhere yet, and what was there before may still be.
        out.passing = !out.verdict;
        co_return out;
    }

private:
    static Problem unanswered(const std::string& owner, const Problem& why, std::vector<std::string>& steps) {
        steps.push_back("TXT of " + owner + ": " + why.detail);
        const bool says_nothing = why.kind == ProblemKind::unavailable;
        return {says_nothing ? ProblemKind::unavailable : ProblemKind::dns, "While looking up TXT for " + owner + ": " + why.detail};
    }

    static Result<void> judge(const Question& question, const std::string& owner, const dns::Answer& answer, std::vector<std::string>& steps) {
        const auto records = dns::txt_strings(answer);
        if (!records) return unanswered(owner, records.error(), steps);
        const std::string at = answer.canonical_name == owner ? owner : owner + ", which is an alias of " + answer.canonical_name;
        const std::string seen = answer.nxdomain ? "no such name" : records->empty() ? "no record" : quoted(*records);
        steps.push_back("TXT of " + at + ": " + seen + (answer.secure ? ", proven by DNSSEC" : ""));
        const auto digest = crypto::sha256(question.key_authorization);
        const std::string wanted = core::base64url(digest);
        if (std::ranges::find(*records, wanted) != records->end()) return {};
        if (records->empty())
            return Problem(ProblemKind::forbidden, "there is " + (answer.nxdomain ? "no such name as " + at : "no TXT record at " + at) + "; expected one with \"" + wanted + "\"");
        return Problem(ProblemKind::incorrect_response, "none of the TXT records at " + at + " is \"" + wanted + "\"; found " + seen);
    }

    dns::Resolver& resolver_;
    std::string (*owner_)(const Question&);
};

}  // namespace

std::unique_ptr<Validator> make_txt_validator(dns::Resolver& resolver, std::string (*owner)(const Question&)) {
    return std::make_unique<TxtValidator>(resolver, owner);
}

}  // namespace postern::validation

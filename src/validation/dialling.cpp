#include "validation/dialling.hpp"

namespace postern::validation {

using core::Problem;
using core::ProblemKind;
using core::Result;

namespace {

/// What a profile that permits private targets means: somebody's own network, by the address guard's
/// words, and none of the other special ranges (cloud metadata is link-local).
bool is_private(std::string_view why) {
    return why.starts_with("private") || why.starts_with("unique local") || why.starts_with("shared by carriers") || why == "loopback";
}

/// Strangers decide how many addresses a name has: so many of them are told, and the rest is counted.
constexpr std::size_t most_told = 3;

std::string told(const std::vector<std::string>& all) {
    std::string out;
    for (std::size_t i = 0; i < all.size() && i < most_told; ++i) out += (i == 0 ? "" : ", ") + all[i];
    if (all.size() > most_told) out += " and " + std::to_string(all.size() - most_told) + " more";
    return out;
}

}  // namespace

core::Task<Result<std::vector<std::string>>> Dialling::targets(std::string host, bool is_address, std::string doing, core::Deadline deadline,
                                                               std::vector<std::string>& steps) {
    std::vector<std::string> found(1, host);
    if (!is_address) {
        Result<std::vector<std::string>> looked_up = co_await dns::addresses(resolver_, host, deadline);
        if (!looked_up) {
            steps.push_back("look-up of " + host + ": " + looked_up.error().detail);
            const bool says_nothing = looked_up.error().kind == ProblemKind::unavailable;
            co_return Problem(says_nothing ? ProblemKind::unavailable : ProblemKind::dns, "While looking up " + host + ": " + looked_up.error().detail);
        }
        found = std::move(*looked_up);
        steps.push_back("look-up of " + host + ": " + (found.empty() ? "no address" : told(found)));
        if (found.empty()) co_return Problem(ProblemKind::dns, "While looking up " + host + ": the name has neither an A nor an AAAA record");
    }
    co_return permitted(found, doing, steps);
}

Result<std::vector<std::string>> Dialling::permitted(const std::vector<std::string>& found, const std::string& doing, std::vector<std::string>& steps) {
    std::vector<std::string> out;
    std::vector<std::string> refused;
    bool have4 = false;
    bool have6 = false;
    for (const auto& address : found) {
        const auto why = guard_(address);
        if (why && !(private_allowed_ && is_private(*why))) {
            refused.push_back(address + " is " + std::string(*why));
            continue;
        }
        bool& have = address.find(':') == std::string::npos ? have4 : have6;
        if (!have) out.push_back(address);
        have = true;
    }
    for (std::size_t i = 0; i < refused.size() && i < most_told; ++i) steps.push_back("not dialled: " + refused[i]);
    if (refused.size() > most_told) steps.push_back("not dialled: " + std::to_string(refused.size() - most_told) + " more");
    if (!out.empty()) return out;
    forbidden_ = true;
    return Problem(ProblemKind::connection, doing + ": " + told(refused) + "; only public addresses are contacted unless the profile permits private ones");
}

}  // namespace postern::validation

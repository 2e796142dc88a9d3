#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "ra/model.hpp"
#include "validation/caa.hpp"

namespace postern::ra {

/// What CAA records said counts that long (CA/B Forum BR 3.2.2.8; RFC 8659 §4 names no time for who issues).
inline constexpr std::chrono::hours caa_age{8};
/// What a refusal names.
inline constexpr std::string_view caa_check = "names.caa";

/// Whether a refusal may pass by itself: something is away, or a look-up of CAA failed, which is no owner's word.
[[nodiscard]] inline bool may_pass(const core::Problem& problem) noexcept {
    return problem.kind == core::ProblemKind::unavailable || (problem.kind == core::ProblemKind::dns && problem.check == caa_check);
}

/// What the owner of a name is asked; nullopt: nothing, since the profile does not want it, or nobody's CAA speaks of such names.
/// `method` and `account_url` are empty where no challenge proved the name.
std::optional<validation::CaaQuestion> caa_question(const Profile& profile, const crypto::GeneralName& name, std::string method, std::string account_url);

}  // namespace postern::ra

#pragma once
#include "est/parts.hpp"

/// Passwords that are guessed at. One that was drawn cannot be, so whoever has it waits for nobody.
namespace postern::est {

/// Of that user from that address, whose wrong ones, drawn or chosen, slow him down. `digest`: of user and password, as
/// ra::password_id has it.
ra::SlowDown::Try attempt_password(Parts& parts, const Call& call, const std::string& user, std::string digest);

/// Which of these accounts a password that a person chose belongs to; nullopt: none. Each costs a hash. Errors: unavailable.
core::Task<core::Result<std::optional<ra::Account>>> judge_chosen(Parts& parts, const Call& call, core::SecretText password, std::vector<ra::Account> accounts,
                                                                  ra::SlowDown::Try attempt);

inline constexpr std::string_view tries_check = "credential.tries";
/// What a client reads that has to wait.
core::Problem too_many_tries(std::string_view of_what, std::chrono::seconds wait);

}  // namespace postern::est

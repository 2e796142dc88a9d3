#pragma once
#include <chrono>
#include <string>

#include "ca/command/child.hpp"
#include "core/base/result.hpp"

/// What a command says on its standard output (docs/backends/command.md).
namespace postern::ca::command {

struct Answer {
    Answer() = default;
    enum class Status { issued, pending, refused, unavailable, absent, revoked, ok };
    Status status = Status::ok;
    std::string chain;   ///< issued: PEM, leaf first
    std::string handle;  ///< pending: 0 to 255 visible ASCII characters
    std::string reason;  ///< refused, unavailable: for the requester
    std::string log;     ///< for the officer
    std::chrono::seconds after{30};  ///< pending, unavailable: when to ask again; 1 s to a day
};

/// `internal` for whatever is no answer: another end than exit status 0, no JSON, wrong types, a status that
/// the operation does not have. The detail says which.
core::Result<Answer> read_answer(const Ended& ended, std::string_view operation, std::size_t limit);

/// One line of at most 500 characters that drives no terminal.
std::string excerpt(std::string_view text);

}  // namespace postern::ca::command

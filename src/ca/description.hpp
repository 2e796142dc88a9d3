#pragma once
#include <chrono>
#include <string>
#include <vector>

namespace postern::ca {

/// A backend as documents describe it: a program that speaks for a CA (docs/backends/command.md).
struct BackendDescription {
    BackendDescription() = default;
    std::string name;  ///< "tenant/name"
    bool active = true;
    std::vector<std::string> argv;         ///< absolute path of the program, then its arguments
    std::vector<std::string> environment;  ///< "NAME=value", all that it gets
    std::string directory = "/";
    std::string trust_anchors;             ///< PEM: what chains end at, and issuers on the way
    std::vector<std::string> operations;   ///< beyond issue: poll, lookup, revoke, test
    std::chrono::milliseconds timeout{std::chrono::seconds(30)};
    std::chrono::milliseconds pending_limit{std::chrono::hours(24 * 7)};
    std::chrono::milliseconds longest_lifetime{std::chrono::hours(24 * 3660)};  ///< what the CA issues at most
    std::chrono::milliseconds earlier{std::chrono::hours(1)};  ///< how far before the authorised time it may begin
    std::chrono::milliseconds later{0};    ///< how far after the authorised time it may end
    unsigned output_limit = 65536;         ///< octets
    unsigned at_once = 4;                  ///< commands that run together, on one node
    unsigned queue = 16;                   ///< those that wait for a place
    unsigned serial_octets = 1;            ///< shortest serial that is taken
    bool publicly_trusted = false;

    [[nodiscard]] bool declares(std::string_view operation) const noexcept {
        for (const auto& o : operations)
            if (o == operation) return true;
        return false;
    }
    friend bool operator==(const BackendDescription&, const BackendDescription&) = default;
};

}  // namespace postern::ca

#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "azure/tokens.hpp"

namespace postern::azure {

enum class Service { validation, revocation };
/// "ScepRequestValidationFEService", "PkiConnectorFEService"
std::string_view to_string(Service service) noexcept;

/// What Microsoft Graph lists of Intune. Bases without a final slash, at hosts that the account allows.
struct Services {
    Services() = default;
    std::map<Service, std::string> bases;
    std::map<Service, std::string> refused;  ///< listed, at an address that no token may go to
    std::vector<std::string> doubled;        ///< listed several times, and the first counts
};

/// Asks Graph once (intune.md §3), all pages.
core::Task<Attempt<Services>> request_services(const ClientDeps& deps, AccountRef account, Token token, bool fresh, core::Deadline deadline);
/// Where a service is, or why nowhere.
Attempt<std::string> base_of(const Services& services, Service service);

/// Keeps what Graph said for a day, per account and version; asks anew when a service turns out to be gone, but
/// not more than once in a minute. On the client's executor.
class Discovery {
public:
    Discovery(const ClientDeps& deps, Tokens& tokens) : deps_(deps), tokens_(tokens) {}
    core::Task<Attempt<std::string>> find(AccountRef account, Service service, core::Deadline deadline);
    /// What was found may be wrong: the next find() asks Graph, where a minute has passed since that was done last.
    /// False: it was done within the minute.
    bool suspect(const Account& account);

private:
    struct Kept {
        std::optional<Services> services;
        core::TimePoint found{}, asked_again{};
        bool suspected = false;
        std::shared_ptr<Flight<Services>> flight;
        std::optional<Failure> refused;
        core::TimePoint refused_until{};
    };
    Kept& kept(const Account& account);
    core::Task<void> bring(AccountRef account, std::shared_ptr<Flight<Services>> flight);
    core::Task<Attempt<Services>> ask(AccountRef account, core::Deadline deadline);

    const ClientDeps& deps_;
    Tokens& tokens_;
    std::map<std::pair<std::int64_t, std::int64_t>, Kept> kept_;  // by account and version
};

}  // namespace postern::azure

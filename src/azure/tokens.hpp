#pragma once
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "azure/account.hpp"
#include "azure/deps.hpp"
#include "azure/flight.hpp"
#include "azure/trouble.hpp"
#include "core/base/secret.hpp"

namespace postern::azure {

/// Whom a token is for.
enum class Audience { graph, intune };

struct Token {
    Token() = default;
    std::shared_ptr<const core::SecretText> bearer;
    core::TimePoint renew{}, expires{};
};

/// Asks Entra once (intune.md §2), with nothing kept. `fresh`: on a connection of its own.
core::Task<Attempt<Token>> request_token(const ClientDeps& deps, AccountRef account, Audience audience, bool fresh, core::Deadline deadline);

/// Keeps tokens per account, version and audience: renewed at three quarters of their life, asked for once
/// however many want one. On the client's executor.
class Tokens {
public:
    explicit Tokens(const ClientDeps& deps) : deps_(deps) {}
    core::Task<Attempt<Token>> get(AccountRef account, Audience audience, core::Deadline deadline);
    /// A service answered 401 to this token: the next one asks anew.
    void drop(const Account& account, Audience audience, const Token& token);
    /// A fresh token was refused too: nobody asks for a while.
    void refuse(const Account& account, Audience audience, Failure why);

private:
    using Key = std::tuple<std::int64_t, std::int64_t, Audience>;  // account, version
    struct Kept {
        std::optional<Token> token;
        std::shared_ptr<Flight<Token>> flight;
        std::optional<Failure> refused;  ///< what asking again does not change
        core::TimePoint refused_until{};
    };
    Kept& kept(const Account& account, Audience audience);
    /// The flight that brings the next token, begun where there is none; null while the server stops.
    std::shared_ptr<Flight<Token>> fly(AccountRef account, Audience audience);
    core::Task<void> bring(AccountRef account, Audience audience, std::shared_ptr<Flight<Token>> flight);

    const ClientDeps& deps_;
    std::map<Key, Kept> kept_;
};

}  // namespace postern::azure

#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/async/task.hpp"
#include "store/tables/acme_authorization.hpp"

namespace postern::acme {

/// One validation that is running on this node, and who waits for its end.
class Flight {
public:
    Flight();
    ~Flight();
    /// Returns when the validation ended or at `until`. Any executor that runs one handler at a time.
    static core::Task<void> wait(std::shared_ptr<Flight> flight, core::Deadline until);
    [[nodiscard]] bool ended() const;
    /// What the validation stored; nullopt while it runs, and when it stored nothing.
    [[nodiscard]] std::optional<store::AcmeChallengeRow> result() const;

private:
    friend class Landing;
    void land();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The validations in flight, by challenge token: of any number of posts for one challenge, one
/// validates and the others wait with it (V18). This is memory of one node. Nothing rests on it: two
/// nodes that validate one challenge meet in the guarded batch that stores the result, and one wins.
class Flights {
public:
    /// How many may run: each holds sockets and asks strangers for as long as those like.
    static constexpr std::size_t most = 512;
    static constexpr std::size_t most_of_account = 32;

    /// The flight for the token of a challenge of that account, and whether the caller is the first and must start it. nullptr where
    /// there is none and as many run as may.
    std::pair<std::shared_ptr<Flight>, bool> join(const std::string& token, store::AcmeAccountId account);
    /// As many run on this node as may, whoever's.
    [[nodiscard]] bool full() const;

private:
    friend class Landing;
    struct Running {
        Running(std::shared_ptr<Flight> f, std::int64_t a) : flight(std::move(f)), account(a) {}
        std::shared_ptr<Flight> flight;
        std::int64_t account;
    };
    void leave(const std::string& token);

    mutable std::mutex mutex_;
    std::unordered_map<std::string, Running> running_;
    std::unordered_map<std::int64_t, std::size_t> of_account_;
};

/// Ends a flight when it goes, on whatever way: also when the task was dropped or threw.
class Landing {
public:
    Landing(Flights& flights, std::string token, std::shared_ptr<Flight> flight)
        : flights_(&flights), token_(std::move(token)), flight_(std::move(flight)) {}
    Landing(Landing&&) noexcept = default;
    Landing& operator=(Landing&&) = delete;
    ~Landing();
    void set_result(store::AcmeChallengeRow row);
    [[nodiscard]] const std::string& token() const noexcept { return token_; }

private:
    Flights* flights_;
    std::string token_;
    std::shared_ptr<Flight> flight_;
};

}  // namespace postern::acme

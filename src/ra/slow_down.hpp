#pragma once
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/clock.hpp"

namespace postern::ra {

/// Wrong credentials of one source, each with what else tells it from its neighbours: a key with SCEP (S06), a user name with
/// EST. Each after the third doubles the time for which that pair, and no other, is refused without a look: fleets sit behind
/// one address, so neither an address nor an endpoint is ever shut out. In this node's memory; the oldest pairs are forgotten first,
/// and each an hour after its last wrong try. Thread safe.
class SlowDown {
public:
    static constexpr int free_tries = 3;
    static constexpr std::chrono::seconds longest{60};
    static constexpr std::chrono::hours forgotten_after{1};
    static constexpr std::size_t most_pairs = 16 * 1024;

    /// A credential that is being judged. It counts as wrong from its beginning, so that of many at once no more are judged than of
    /// many in a row; nobody's judgement, as its end without one is, takes that back.
    class Try {
    public:
        Try(Try&& other) noexcept;
        Try(const Try&) = delete;
        Try& operator=(const Try&) = delete;
        Try& operator=(Try&&) = delete;
        ~Try();
        /// How long its pair must wait instead, and nothing is counted; nullopt: judge it.
        [[nodiscard]] const std::optional<std::chrono::seconds>& wait() const noexcept { return wait_; }
        void wrong();
        /// The pair begins anew, but for what else of it is being judged.
        void right();

    private:
        friend class SlowDown;
        Try(SlowDown& of, std::string pair, std::string secret) : of_(&of), pair_(std::move(pair)), secret_(std::move(secret)) {}
        SlowDown* of_;  ///< null once it is settled
        std::string pair_, secret_;
        std::optional<std::chrono::seconds> wait_;
    };

    explicit SlowDown(const core::Clock& clock) : clock_(clock) {}
    SlowDown(const SlowDown&) = delete;
    SlowDown& operator=(const SlowDown&) = delete;
    /// `secret`: a digest of what is presented. The same one of the same pair that is being judged already is the same try: it tells
    /// nobody more, and a fleet with one password comes at once.
    [[nodiscard]] Try attempt(std::string pair, std::string secret);

private:
    struct Judged {
        int waiting = 0;           ///< for the same answer
        core::SteadyPoint until{}; ///< what it made the pair wait
    };
    struct Tries {
        int wrong = 0;
        core::SteadyPoint until{}, last{};
        std::uint64_t turn = 0;
        std::map<std::string, Judged> judging;  ///< by secret
    };
    enum class Verdict { wrong, right, none };
    void count(const std::string& pair, Tries& tries);
    void settle(const std::string& pair, const std::string& secret, Verdict verdict);
    [[nodiscard]] core::SteadyPoint until(int wrong) const;
    void forget(std::map<std::string, Tries>::iterator found);

    const core::Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, Tries> tries_;
    std::map<std::uint64_t, std::string> by_age_;
    std::uint64_t turn_ = 0;
};

}  // namespace postern::ra

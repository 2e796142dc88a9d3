#pragma once
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/clock.hpp"

namespace postern::ra {

/// Wrong credentials of one source (http::source_of), each with what else tells it from its neighbours: a key with SCEP (S06), a
/// user name with EST. Each after the free ones doubles the time for which that pair, and no other, is refused without a look: fleets
/// sit behind one address, so neither an address nor an endpoint is ever shut out. A source has so many pairs; whatever else comes from
/// it waits together, and never long. In this node's memory; the oldest pairs are forgotten first, and each an hour after its last wrong
/// try. Thread safe.
class SlowDown {
public:
    struct Pace {
        int free_tries;
        std::chrono::milliseconds longest;
    };
    static constexpr Pace of_pair{3, std::chrono::seconds(60)};
    /// Of many who may be behind one address: the wait of one must not be the end of the others. Four looks a second are too few to
    /// find a code that is good enough to be taken, and one device that errs every second shuts nobody out.
    static constexpr Pace of_source{32, std::chrono::milliseconds(250)};
    /// Of what nobody can guess, which costs a question to who sealed it.
    static constexpr Pace of_sealed{1000, std::chrono::milliseconds(250)};
    static constexpr std::chrono::hours forgotten_after{1};
    static constexpr std::size_t most_pairs = 16 * 1024, most_of_source = 256;

private:
    enum class Verdict { wrong, right, none };
    struct Pair {
        Pair(std::string s, std::optional<std::string> w) : source(std::move(s)), who(std::move(w)) {}
        std::string source;
        std::optional<std::string> who;  ///< nullopt: all for whom the source has no room
        auto operator<=>(const Pair&) const = default;
    };

public:
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
        /// Right, and no wrong one of the others is forgiven.
        void taken_back();
        /// It was wrong for one who judges, and another may still say that it is right: until then it counts, whatever comes between.
        void stays() noexcept { at_end_ = Verdict::wrong; }

    private:
        friend class SlowDown;
        Try(SlowDown& of, Pair pair, std::string secret) : of_(&of), pair_(std::move(pair)), secret_(std::move(secret)) {}
        void settle(Verdict verdict);
        SlowDown* of_;  ///< null once it is settled
        Pair pair_;
        std::string secret_;
        Verdict at_end_ = Verdict::none;
        bool counted_ = true;
        std::optional<std::chrono::seconds> wait_;
    };

    explicit SlowDown(const core::Clock& clock, Pace pace = of_pair) : clock_(clock), pace_(pace) {}
    SlowDown(const SlowDown&) = delete;
    SlowDown& operator=(const SlowDown&) = delete;
    /// `secret`: a digest of what is presented. The same one of the same pair that is being judged already is the same try: it tells
    /// nobody more, and a fleet with one password comes at once.
    [[nodiscard]] Try attempt(std::string source, std::string who, std::string secret);
    /// Of devices that bring many right ones at once, each its own: it counts once it is wrong, until the free tries are over.
    [[nodiscard]] Try attempt_of_fleet(std::string source, std::string who, std::string secret);

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
    /// Where the next try of `pair` counts.
    Pair counted_as(Pair pair) const;
    void begin(Try& one);
    Tries& tries_of(const Pair& pair);
    void count(const Pair& pair, Tries& tries);
    /// One that was not counted from its beginning, and is wrong.
    void count(const Pair& pair);
    [[nodiscard]] const Pace& pace_of(const Pair& pair) const noexcept { return pair.who ? pace_ : of_source; }
    void settle(const Pair& pair, const std::string& secret, Verdict verdict);
    [[nodiscard]] core::SteadyPoint until(const Pair& pair, int wrong) const;
    void forget(std::map<Pair, Tries>::iterator found);
    void forget_old();

    const core::Clock& clock_;
    Pace pace_;
    std::mutex mutex_;
    std::map<Pair, Tries> tries_;
    std::map<std::string, std::size_t> of_source_;  ///< pairs, by source
    std::map<std::uint64_t, Pair> by_age_;
    std::uint64_t turn_ = 0;
};

}  // namespace postern::ra

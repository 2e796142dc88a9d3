#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/async/cpu_pool.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/http/outbound.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "ra/predecessors.hpp"

namespace postern::ra {

/// A CRL of a predecessor that was verified; immutable.
struct KnownList {
    KnownList() = default;
    std::vector<core::Bytes> serials;  ///< sorted
    std::int64_t number = 0;
    core::TimePoint next_update{};
    core::TimePoint fetched{};
    [[nodiscard]] bool lists(const core::Bytes& serial) const;
};
/// `malformed`, `unauthenticated` (another issuer's, or a wrong signature) or `unavailable` (not of today).
core::Result<KnownList> read_list(core::BytesView der, const crypto::Certificate& issuer, core::TimePoint now);

/// What refuses who renews with a predecessor's certificate.
inline constexpr std::string_view predecessor_check = "renewal.predecessor";

/// Whether a predecessor still stands by a certificate, asked at the moment when somebody renews with it, and again where that is issued
/// later: its OCSP responder, else its CRL. What cannot be proven is not known, and then nobody renews.
class PredecessorStatus {
public:
    struct Deps {
        store::Database& db;
        http::Outbound& outbound;
        core::CpuPool& pool;
        core::Random& random;
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
    };
    explicit PredecessorStatus(Deps deps);

    /// nullopt: it stands; else why nobody renews with it.
    using Verdict = std::optional<std::string>;
    /// Errors: unavailable: its status is not known; the log says why.
    core::Task<core::Result<Verdict>> ask(store::PredecessorId predecessor, crypto::Certificate certificate, core::RequestId request, core::Deadline deadline);
    /// The same for who waits for the answer.
    /// Errors: unauthenticated, "renewal.predecessor": it is revoked there, or unknown there, or its status is not known; the log says why.
    core::Task<core::Result<void>> check(store::PredecessorId predecessor, crypto::Certificate certificate, core::RequestId request, core::Deadline deadline);

    /// A list is fetched again when it is an hour old; until its end it serves where that fails, and a minute later it is tried again.
    static constexpr std::chrono::hours fresh_for{1};
    static constexpr std::chrono::minutes between_fetches{1};
    static constexpr std::size_t most_list_octets = std::size_t{64} * 1024 * 1024, most_answer_octets = 64 * 1024;
    static constexpr std::chrono::seconds longest_list{20}, longest_answer{5};

private:
    struct Slot {
        std::shared_ptr<const KnownList> list;
        core::TimePoint asked{};  ///< when the last fetch began
        bool fetching = false;
    };
    class Fetching;
    core::Task<core::Result<Verdict>> by_ocsp(const Predecessor& predecessor, const crypto::Certificate& certificate, const crypto::Certificate& issuer, core::Deadline deadline);
    core::Task<core::Result<Verdict>> by_list(const Predecessor& predecessor, const crypto::Certificate& certificate, const crypto::Certificate& issuer, core::Deadline deadline);
    core::Task<core::Result<std::shared_ptr<const KnownList>>> list_of(const Predecessor& predecessor, const crypto::Certificate& issuer, core::Deadline deadline);
    core::Task<core::Result<std::shared_ptr<const KnownList>>> fetch(const Predecessor& predecessor, const crypto::Certificate& issuer, std::string key, core::Deadline deadline);
    core::Task<core::Result<core::Bytes>> obtain(http::OutboundRequest request, core::Deadline deadline);
    core::Task<core::Result<Verdict>> look_up(const Predecessor& predecessor, const crypto::Certificate& certificate, core::RequestId request, core::Deadline deadline);

    Deps deps_;
    observe::Counter good_, refused_, unknown_;
    std::mutex mutex_;  ///< never held across a suspension
    std::map<std::string, Slot> slots_;  ///< by source and issuer
};

}  // namespace postern::ra

#pragma once
#include <chrono>
#include <optional>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "store/batch.hpp"
#include "store/tables/credential_use.hpp"

/// Credentials that count once (one-time challenges, Intune's): reserved in the batch of the intent, consumed in that of the
/// certificate, released in that which ends an enrollment without one. The row is found by the enrollment, so whoever settles
/// what a crash left needs nothing else.
namespace postern::ra {

struct SingleUse {
    SingleUse() = default;
    SingleUse(core::Bytes d, core::TimePoint until) : digest(std::move(d)), kept_until(until) {}
    core::Bytes digest;           ///< of the credential, one-way and unique at its endpoint
    core::TimePoint kept_until{}; ///< the credential is worth nothing by itself from then on, so that its use may be forgotten
};

/// How long one that expired is still shown, and told from one that never was.
inline constexpr std::chrono::hours challenge_kept{24 * 7};
/// What a refusal for a credential that another request has is called.
inline constexpr std::string_view single_use_check = "challenge.single_use";
/// And one for a credential that ended, whoever had it (Binding::ended).
inline constexpr std::string_view credential_over_check = "challenge.valid";

/// A conflict at store::credential_use_reserve: somebody has it.
void reserve_credential(store::Batch& batch, const SingleUse& use, core::EndpointId endpoint, core::Bytes spki_sha256, core::EnrollmentId enrollment);
/// `certain`: the enrollment has one, and the batch must not be written without.
void consume_credential(store::Batch& batch, core::EnrollmentId enrollment, bool certain);
/// Nothing for enrollments that have none.
void release_credential(store::Batch& batch, core::EnrollmentId enrollment);

}  // namespace postern::ra

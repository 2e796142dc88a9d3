#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azure/account.hpp"
#include "core/async/task.hpp"
#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

/// What Intune is asked and told about SCEP requests. The contract is that of Microsoft's own library
/// (microsoft/Intune-Resource-Access), since no specification is published.
namespace postern::azure {

/// Receives the client-request-id of a call's newest attempt, a GUID by which Microsoft's support finds it; empty: nobody was
/// asked. To be read once the call has ended.
using ActivityRef = std::shared_ptr<std::string>;
inline ActivityRef new_activity() { return std::make_shared<std::string>(); }
/// ", activity GUID", or nothing where nobody was asked.
inline std::string shown(const ActivityRef& activity) { return activity && !activity->empty() ? ", activity " + *activity : std::string(); }

/// A CSR with the challenge of its SCEP profile inside.
struct ValidationRequest {
    ValidationRequest() = default;
    ValidationRequest(std::string t, core::Bytes c) : transaction_id(std::move(t)), csr(std::move(c)) {}
    std::string transaction_id;  ///< SCEP's transactionID, 1 to 255 characters; the same in all calls about this request
    core::Bytes csr;             ///< DER exactly as it came
    ActivityRef activity;        ///< null: nobody wants it
};

/// A certificate that was issued. Build it by success_notice().
struct SuccessNotice {
    SuccessNotice() = default;
    std::string transaction_id;
    core::Bytes csr;             ///< exactly that of the validation
    std::string thumbprint;      ///< SHA-1 of the certificate, 40 upper-case hex digits
    std::string serial;          ///< upper-case hex: a revocation request brings it back
    core::TimePoint expires{};
    std::string issuer;          ///< issuer's name, RFC 4514; not empty
    std::string issuer_id;       ///< stable id of the issuing CA (caConfiguration, certificateAuthority): a revocation request brings it back
    ActivityRef activity;        ///< null: nobody wants it
};
/// @param certificate DER of the leaf
/// Errors: malformed.
core::Result<SuccessNotice> success_notice(std::string transaction_id, core::Bytes csr, core::BytesView certificate, std::string issuer_id);

/// Nothing was issued, although Intune said Success.
struct FailureNotice {
    FailureNotice() = default;
    FailureNotice(std::string t, core::Bytes c, std::int32_t h, std::string d)
        : transaction_id(std::move(t)), csr(std::move(c)), hresult(h), description(std::move(d)) {}
    std::string transaction_id;
    core::Bytes csr;          ///< exactly that of the validation
    std::int32_t hresult = unexpected;
    std::string description;  ///< cut at 255 characters; empty becomes a sentence
    ActivityRef activity;     ///< null: nobody wants it
    static constexpr std::int32_t unexpected = -2147418113;  ///< E_UNEXPECTED, 0x8000ffff
};

/// What an administrator, or a changed profile, wants revoked.
struct RevocationRequest {
    RevocationRequest() = default;
    std::string context;    ///< opaque; goes back unchanged in the result
    std::string serial;     ///< hex as it came: compare without regard to case and leading zeros
    std::string issuer;     ///< may be empty
    std::string issuer_id;  ///< caConfiguration, may be empty
};

/// Intune's codes. From `retryable` on, Intune gives the request out again.
enum class RevocationCode {
    none,
    non_retryable,
    data_serialization,
    parameter_invalid,
    cryptography,
    certificate_not_found,
    conflict,  ///< revoked already
    not_supported,
    payload_too_large,
    retryable,
    unavailable,
    too_busy,
    authentication
};
std::string_view to_string(RevocationCode code) noexcept;  ///< as Intune spells it: "CertificateNotFoundError"

struct RevocationResult {
    RevocationResult() = default;
    RevocationResult(std::string c, RevocationCode r, std::string m)
        : context(std::move(c)), code(r), message(std::move(m)) {}
    std::string context;
    RevocationCode code = RevocationCode::none;  ///< none: it is revoked
    std::string message;                         ///< left out with `none`
};

/// One step of a test of an account, in the order in which they are made.
struct TestStep {
    TestStep() = default;
    std::string name;    ///< "token for Microsoft Graph", "list of services" and so on
    bool passed = false;
    bool skipped = false;  ///< an earlier step failed
    std::string result;  ///< what was found: "expires in 59 min", "AADSTS7000215: the client secret is wrong"
    std::string advice;  ///< what to do about it, with the portal's page; empty when passed
    std::string check;   ///< as in Problem, "intune.credentials"; empty when passed
};

/// Every call tries again within its own time (8 s) and the deadline, as intune.md §4.2 says. No call throws for
/// what Entra, Graph or Intune do. What was begun is awaited to its end, also by a caller that is cancelled. Errors of all calls:
///   forbidden           intune.<Code>       Intune's decision, final: any code but exactly "Success", the detail names the code alone
///   incorrect_response  intune.rejected     400 or another status that trying again does not change
///   unavailable         intune.unreachable  no connection, no answer in time, 408, 5xx
///   unavailable         intune.throttled    429; with retry_after
///   unavailable         intune.breaker      too many failures of late: not even asked; with retry_after
///   unavailable         intune.credentials  Entra refused the secret or certificate, or a fresh token was refused (401)
///   unavailable         intune.permission   403: a permission or the admin's consent is missing
///   unavailable         intune.service      the service is not in the list, moved and not found again, or at a host that is not Microsoft's
///   unavailable         intune.answer       not JSON, no code, or too long
///   unavailable         intune.disabled     the document says enabled = false
///   malformed           intune.request      no transactionID, or one of more than 255 characters: nobody was asked
/// What is unavailable may be tried again later with the same content; the others may not.
class Intune {
public:
    virtual ~Intune() = default;
    /// May this CSR have a certificate? Only a value says yes. Intune takes the same challenge twice: that it
    /// was used is the caller's to know.
    virtual core::Task<core::Result<void>> validate(AccountRef account, ValidationRequest request, core::Deadline deadline) = 0;
    /// After issuing, before the device has the certificate. The same notice may be sent again.
    virtual core::Task<core::Result<void>> notify_success(AccountRef account, SuccessNotice notice, core::Deadline deadline) = 0;
    /// Only for a request whose validation said Success.
    virtual core::Task<core::Result<void>> notify_failure(AccountRef account, FailureNotice notice, core::Deadline deadline) = 0;
    /// @param most 1 to 500; an empty page is not the end of the queue
    virtual core::Task<core::Result<std::vector<RevocationRequest>>> download_revocations(AccountRef account, int most,
                                                                                          core::Deadline deadline) = 0;
    /// @param results at least one, each context once
    virtual core::Task<core::Result<void>> upload_results(AccountRef account, std::vector<RevocationResult> results,
                                                          core::Deadline deadline) = 0;
    /// Goes through all that a call needs, with nothing from a cache, and changes nothing.
    virtual core::Task<std::vector<TestStep>> test(AccountRef account, core::Deadline deadline) = 0;
};

}  // namespace postern::azure

#pragma once
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ca/authorized.hpp"
#include "core/async/task.hpp"
#include "core/base/result.hpp"
#include "store/batch.hpp"

/// The port behind which certificates are signed (design §3). One backend a name; profiles name it.
namespace postern::ca {

/// What a backend can do beyond issuing.
struct Capabilities {
    Capabilities() = default;
    bool query = false;         ///< can be asked by enrollment id what became of a submission
    bool revoke = false;        ///< publishes revocations itself (CRL, OCSP) or passes them on
    bool asynchronous = false;  ///< issue() may answer Pending
    bool publicly_trusted = false;  ///< browsers know its root: their rules hold (Content::publicly_trusted)
};

/// What step 2 of an issuance fixed, and step 3 records before anything is signed.
struct Prepared {
    Prepared() = default;
    std::string issuer_key_id;  ///< hex of the issuer's subject key identifier; "" when unknown yet
    core::Bytes serial;         ///< empty when the backend draws it
    core::Bytes tbs;            ///< the to-be-signed certificate, or the upstream request
    core::Bytes linted;         ///< the backend's mark on exactly these octets after its lint
};

struct Issued {
    Issued() = default;
    std::string issuer_key_id;
    core::Bytes certificate;  ///< DER, not yet checked: the RA does that (step 5)
};
struct Pending {
    Pending() = default;
    std::string handle;
    std::chrono::seconds poll_after{5};
};
using Outcome = std::variant<Issued, Pending>;

struct Revoked {
    Revoked() = default;
    std::string issuer_key_id;
    core::Bytes serial;
    core::TimePoint at{};
    unsigned reason = 0;  ///< RFC 5280 §5.3.1
    core::TimePoint not_after{};
};

class Backend {
public:
    virtual ~Backend() = default;
    [[nodiscard]] virtual Capabilities capabilities() const noexcept = 0;
    /// Step 2: draws the serial, builds and lints. Nothing is signed, stored or sent.
    /// Errors: bad_content (lint, or outside the issuer's validity), unavailable.
    virtual core::Result<Prepared> prepare(const Authorized& authorized) = 0;
    /// Step 4, after the intent is durable: signs exactly `prepared.tbs`, or submits.
    /// Errors: unavailable (surely nothing was signed), internal (may have been signed).
    virtual core::Task<core::Result<Outcome>> issue(const Authorized& authorized, const Prepared& prepared,
                                                    core::Deadline deadline) = 0;
    /// Adds to the batch that records a revocation what the backend must remember with it. Also used
    /// for serials whose signature may exist without a certificate.
    virtual void record_revocation(store::Batch& batch, const Revoked& revoked) = 0;
    /// After that batch: publishes (signs a CRL, tells the upstream CA). Returns when the revocation
    /// can be seen, or `unavailable` at the deadline; it is published later all the same.
    virtual core::Task<core::Result<void>> publish_revocations(core::Deadline deadline) = 0;
    /// DER of the chain for a certificate of that issuer: issuing CA first, root left out unless it
    /// signs directly. Empty for an issuer that is not ours.
    [[nodiscard]] virtual std::vector<core::Bytes> chain(const std::string& issuer_key_id) const = 0;
    /// How far back not_before may lie and the last second an issued certificate may reach.
    [[nodiscard]] virtual core::TimePoint latest_not_after() const = 0;
};

/// Backends by name; filled once at the start by app.
class Backends {
public:
    void add(std::string name, Backend& backend) { list_.emplace_back(std::move(name), &backend); }
    [[nodiscard]] Backend* find(std::string_view name) const noexcept {
        for (const auto& [n, b] : list_)
            if (n == name) return b;
        return nullptr;
    }
    /// "builtin, upstream": for people who named another.
    [[nodiscard]] std::string names() const {
        std::string out;
        for (const auto& [n, b] : list_) out += (out.empty() ? "" : ", ") + n;
        return out;
    }
    [[nodiscard]] const std::vector<std::pair<std::string, Backend*>>& list() const noexcept { return list_; }
    /// The chain of whichever backend knows the issuer.
    [[nodiscard]] std::vector<core::Bytes> chain(const std::string& issuer_key_id) const {
        for (const auto& [n, b] : list_)
            if (auto c = b->chain(issuer_key_id); !c.empty()) return c;
        return {};
    }

private:
    std::vector<std::pair<std::string, Backend*>> list_;
};

}  // namespace postern::ca

#pragma once
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ca/authorized.hpp"
#include "ca/description.hpp"
#include "core/crypto/certificate.hpp"
#include "core/async/task.hpp"
#include "core/base/result.hpp"
#include "store/batch.hpp"

/// The port behind which certificates are signed (design §3). One backend a name; profiles name it.
namespace postern::ca {

/// What a backend can do beyond issuing.
struct Capabilities {
    Capabilities() = default;
    bool revoke = false;        ///< publishes revocations itself (CRL, OCSP) or passes them on
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

/// Not yet checked: the RA does that (step 5).
struct Issued {
    Issued() = default;
    std::string issuer_key_id;  ///< "" when only the certificate will tell
    core::Bytes certificate;    ///< DER
    std::string received;       ///< of a foreign CA: PEM as it came, the leaf first
};
struct Pending {
    Pending() = default;
    std::string handle;
    std::chrono::seconds poll_after{5};
};
/// The CA decided against it: surely nothing was issued.
struct Refused {
    Refused() = default;
    std::string reason;  ///< for the requester
    std::string log;     ///< for the officer
};
/// Nobody knows whether it was issued.
struct Lost {
    Lost() = default;
    explicit Lost(std::string w) : why(std::move(w)) {}
    std::string why;
};
/// Asked by request id: the CA knows nothing of it.
struct Absent {};
using Outcome = std::variant<Issued, Pending, Refused, Lost, Absent>;

/// What is known of a request that is with a foreign CA.
struct Submitted {
    Submitted() = default;
    core::EnrollmentId enrollment;
    core::RequestId request;
    std::string handle;   ///< of the last Pending
    std::string content;  ///< JSON, as in Prepared::tbs
    core::Bytes csr_der;
};

/// What came back, once it was found to be what was authorised.
struct Checked {
    Checked() = default;
    crypto::Certificate certificate;
    std::string issuer_key_id;
    std::string chain;  ///< of a foreign CA: PEM, the issuer first, as it was verified
};

/// How long things take at a CA that is not ours.
struct Foreign {
    Foreign() = default;
    std::chrono::milliseconds submission{};     ///< after which an issue() has surely ended
    std::chrono::milliseconds pending_limit{};  ///< after which nobody waits for a Pending any more
    bool poll = false, find = false;            ///< which of them it can be asked
};

/// An issuing CA that is ready and waits for its day.
struct Successor {
    Successor() = default;
    std::string key_id;
    std::vector<core::Bytes> chain;  ///< DER: its own certificate first, the root last
    core::TimePoint takes_over{};
};

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
    /// Step 5: whether what came back is what was authorised. Errors: internal, with the check's name.
    [[nodiscard]] virtual core::Result<Checked> check(const Issued& issued, const Content& content, const Prepared& prepared) const = 0;

    /// nullopt: it signs here. Else the RA keeps a record of each submission, and asks.
    [[nodiscard]] virtual std::optional<Foreign> foreign() const { return std::nullopt; }
    /// What became of a Pending; never Absent. A Problem: not known this time, ask again.
    virtual core::Task<core::Result<Outcome>> poll(Submitted submitted);
    /// What became of a submission whose answer was lost. A Problem as above.
    virtual core::Task<core::Result<Outcome>> find(Submitted submitted);
    /// Tells the foreign CA, before anything is recorded; repeating it does no harm. Errors: forbidden (it
    /// refuses), unsupported (it takes no revocations), unavailable (ask again).
    virtual core::Task<core::Result<void>> revoke(core::Bytes certificate_der, core::RequestId issued_by, unsigned reason);
    /// Whether it answers at all; for people. Nothing is issued.
    virtual core::Task<core::Result<std::string>> test();

    /// Adds to the batch that records a revocation what the backend must remember with it. Also used
    /// for serials whose signature may exist without a certificate.
    virtual void record_revocation(store::Batch& batch, const Revoked& revoked) = 0;
    /// After that batch: publishes (signs a CRL, tells the upstream CA). Returns when the revocation
    /// can be seen, or `unavailable` at the deadline; it is published later all the same.
    virtual core::Task<core::Result<void>> publish_revocations(core::Deadline deadline) = 0;
    /// DER of what goes along with a certificate of that issuer: issuing CA first, root left out unless it signs directly; where that root
    /// succeeds another, which clients may still know alone, what leads there (NewWithOld). Empty for an issuer that is not ours.
    [[nodiscard]] virtual std::vector<core::Bytes> chain(const std::string& issuer_key_id) const = 0;
    /// DER of that issuer, of who issued it, and so on; its root last. Empty for an issuer that is not ours.
    [[nodiscard]] virtual std::vector<core::Bytes> path(const std::string&) const { return {}; }
    /// Of today's issuing CA; "" where only a certificate will tell.
    [[nodiscard]] virtual std::string issuer() const { return {}; }
    /// Who takes over from it, where that is known already.
    [[nodiscard]] virtual std::optional<Successor> successor() const { return std::nullopt; }
    /// A CMS SignedData over this content of that type, by the key of today's issuing CA: how it vouches for its successor
    /// (RFC 8894 §4.7) and for a key that was made here (RFC 7030 §4.4.2). What it held of the content is cleansed.
    /// Errors: unsupported (no key here, or one that CMS has no signature for), unavailable.
    virtual core::Task<core::Result<core::Bytes>> sign_as_issuer(core::Bytes content, std::string content_type);
    /// The newest CRL that covers that serial, DER; nullopt: none is published here for it.
    [[nodiscard]] virtual std::optional<core::Bytes> crl(const std::string& issuer_key_id, core::BytesView serial) const;
    /// How far back not_before may lie and the last second an issued certificate may reach.
    [[nodiscard]] virtual core::TimePoint latest_not_after() const = 0;
    /// DER of what paths of its certificates end in, and of what leads there as far as it was declared: roots last. Where a root
    /// succeeds another, what each says of the other belongs here too (RFC 4210 §4.4). Empty: not known.
    [[nodiscard]] virtual std::vector<core::Bytes> anchors() const { return {}; }
    /// Other chains of that issuer, each like chain() and to another root, for clients that know that one alone. Empty: there is none.
    [[nodiscard]] virtual std::vector<std::vector<core::Bytes>> alternate_chains(const std::string&) const { return {}; }
};

/// Backends that documents describe: they come and go while the server runs. Thread safe.
class DescribedBackends {
public:
    virtual ~DescribedBackends() = default;
    /// null: not described, or disabled. What was given stays valid as long as this.
    [[nodiscard]] virtual Backend* find(std::string_view name) const = 0;
    /// Also one that is disabled: it takes no new requests, and is asked about those that it has.
    [[nodiscard]] virtual Backend* reach(std::string_view name) const = 0;
    /// All that are described from now on.
    virtual void describe(const std::vector<BackendDescription>& descriptions) = 0;
    /// Whether it could be one, on this machine. Errors: malformed, "$.argv: …".
    [[nodiscard]] virtual core::Result<void> judge(const BackendDescription& description) const = 0;
};

/// Backends by name; the lasting ones are added once at the start by app.
class Backends {
public:
    void add(std::string name, Backend& backend) { list_.emplace_back(std::move(name), &backend); }
    void add(DescribedBackends& described) { described_ = &described; }
    [[nodiscard]] Backend* find(std::string_view name) const {
        for (const auto& [n, b] : list_)
            if (n == name) return b;
        return described_ ? described_->find(name) : nullptr;
    }
    /// For what was handed over or issued before: a disabled one too. null: nobody can be asked.
    [[nodiscard]] Backend* reach(std::string_view name) const {
        for (const auto& [n, b] : list_)
            if (n == name) return b;
        return described_ ? described_->reach(name) : nullptr;
    }
    /// Whether it is there whatever documents say.
    [[nodiscard]] bool lasting(std::string_view name) const noexcept {
        for (const auto& [n, b] : list_)
            if (n == name) return true;
        return false;
    }
    [[nodiscard]] DescribedBackends* described() const noexcept { return described_; }
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
    /// Its other chains, likewise.
    [[nodiscard]] std::vector<std::vector<core::Bytes>> alternate_chains(const std::string& issuer_key_id) const {
        for (const auto& [n, b] : list_)
            if (auto c = b->alternate_chains(issuer_key_id); !c.empty()) return c;
        return {};
    }
    /// Its path, likewise.
    [[nodiscard]] std::vector<core::Bytes> path(const std::string& issuer_key_id) const {
        for (const auto& [n, b] : list_)
            if (auto p = b->path(issuer_key_id); !p.empty()) return p;
        return {};
    }

private:
    std::vector<std::pair<std::string, Backend*>> list_;
    DescribedBackends* described_ = nullptr;
};

}  // namespace postern::ca

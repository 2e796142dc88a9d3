#pragma once
#include <map>
#include <mutex>

#include "ca/backend.hpp"
#include "ca/builtin/authority.hpp"
#include "core/async/cpu_pool.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/crypto/certificate_template.hpp"
#include "core/observe/metrics.hpp"

namespace postern::ca {

/// Steps 2 and 4 of an issuance for one issuing CA. Thread safe.
class Issuance {
public:
    Issuance(std::shared_ptr<const Authority> issuer, std::string public_http, core::CpuPool& pool, core::Random& random,
             const core::Clock& clock, observe::Metrics& metrics);

    core::Result<Prepared> prepare(const Content& content);
    /// Signs `prepared.tbs` when it carries the mark of this process's own lint for this content: a
    /// Prepared is plain data, and what is signed is what was linted (X16). A refusal (bad_content) or `unavailable` means nothing was signed.
    core::Task<core::Result<Outcome>> issue(const Content& content, const Prepared& prepared, core::Deadline deadline);

private:
    /// Profile, its version, type of the requester's key (which decides the key usage).
    using Key = std::tuple<core::ProfileId, std::int64_t, crypto::KeyType>;
    using Form = std::shared_ptr<const crypto::CertificateTemplate>;
    Form form_for(const Content& content);
    [[nodiscard]] core::Bytes mark(const core::Bytes& tbs, const Content& content) const;
    [[nodiscard]] Form make_form(const Content& content) const;

    std::shared_ptr<const Authority> issuer_;
    IssuerFacts facts_;
    std::string public_http_;
    core::CpuPool& pool_;
    core::Random& random_;
    const core::Clock& clock_;
    core::Bytes mark_key_;
    observe::Counter signatures_;
    std::mutex mutex_;
    std::map<Key, Form> forms_;
};

}  // namespace postern::ca

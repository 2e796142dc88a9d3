#include "ca/builtin/issuance.hpp"

#include "ca/lint.hpp"
#include "core/crypto/digest.hpp"

namespace postern::ca {
namespace {

/// Profiles change rarely; a bound keeps a busy administrator from growing the cache for ever.
constexpr std::size_t most_forms = 256;

core::Problem nothing_signed(std::string detail) {
    core::Problem out(core::ProblemKind::unavailable, std::move(detail));
    out.retry_after = std::chrono::seconds(5);
    return out;
}

}  // namespace

Issuance::Issuance(std::shared_ptr<const Authority> issuer, std::string public_http, core::CpuPool& pool,
                   core::Random& random, const core::Clock& clock, observe::Metrics& metrics)
    : issuer_(std::move(issuer)), facts_(issuer_->facts()), public_http_(std::move(public_http)), pool_(pool),
      random_(random), clock_(clock), mark_key_(random.bytes(32)),
      signatures_(metrics.counter("postern_ca_signatures_total", "Signatures made with the CA keys.",
                                  {{"authority", issuer_->key_id}, {"kind", "certificate"}})) {}

Issuance::Form Issuance::make_form(const Content& content) const {
    crypto::CertificateShape shape;
    shape.algorithm = issuer_->key.default_algorithm();
    shape.issuer_der = facts_.subject_der;
    shape.authority_key_id = facts_.subject_key_id;
    shape.key_usage = content.key_usage;
    shape.extended_key_usage = content.extended_key_usage;
    shape.ca_issuers_url = ca_issuers_url(public_http_, issuer_->key_id);
    shape.crl_url = crl_url(public_http_, issuer_->key_id);
    return std::make_shared<const crypto::CertificateTemplate>(std::move(shape));
}

Issuance::Form Issuance::form_for(const Content& content) {
    const Key key(content.profile, content.profile_version, content.key.type());
    {
        const std::lock_guard lock(mutex_);
        const auto found = forms_.find(key);
        // Compared, not trusted: the content is what was authorised, the cache only saves work.
        if (found != forms_.end() && found->second->shape().key_usage == content.key_usage &&
            found->second->shape().extended_key_usage == content.extended_key_usage)
            return found->second;
    }
    auto made = make_form(content);
    const std::lock_guard lock(mutex_);
    if (forms_.size() >= most_forms) forms_.clear();
    forms_[key] = made;
    return made;
}

core::Bytes Issuance::mark(const core::Bytes& tbs, const Content& content) const {
    // The key at both ends: a MAC of one digest, of what never leaves the process.
    crypto::PartsDigest digest;
    digest.add(mark_key_).add(tbs).add(content.key.spki()).add(content.subject.to_der()).add(crypto::general_names_der(content.names));
    digest.add(core::to_ms(content.not_before)).add(core::to_ms(content.not_after)).add(content.profile.get()).add(content.profile_version);
    digest.add(content.security_identifier).add(mark_key_);
    const auto octets = digest.finish();
    return {octets.begin(), octets.end()};
}

core::Result<Prepared> Issuance::prepare(const Content& content) {
    const auto now = clock_.now();
    if (content.not_after <= now)
        return core::Problem(core::ProblemKind::bad_content,
                             "lint.validity: the certificate would have ended already, at " + core::rfc3339(content.not_after),
                             "lint.validity");
    if (!content.key.valid())
        return core::Problem(core::ProblemKind::bad_content, "lint.key: there is no public key", "lint.key");
    crypto::CertificateFields fields;
    fields.serial = random_serial(random_);
    fields.not_before = content.not_before;
    fields.not_after = content.not_after;
    fields.subject_der = content.subject.to_der();
    fields.spki = content.key.spki();
    fields.subject_key_id = content.key.key_identifier();
    fields.alt_names = content.names;
    fields.must_staple = content.must_staple;
    fields.security_identifier = content.security_identifier;

    Prepared out;
    out.issuer_key_id = issuer_->key_id;
    out.tbs = form_for(content)->to_be_signed(fields);
    out.serial = std::move(fields.serial);
    if (const auto linted = lint_to_be_signed(out.tbs, content, facts_, now); !linted) return linted.error();
    out.linted = mark(out.tbs, content);
    return out;
}

core::Task<core::Result<Outcome>> Issuance::issue(const Content& content, const Prepared& prepared, core::Deadline deadline) {
    if (prepared.issuer_key_id != issuer_->key_id)
        co_return core::Problem(core::ProblemKind::bad_content,
                                "the certificate was prepared for another issuing CA (" + prepared.issuer_key_id + ")");
    if (!core::equal_constant_time(prepared.linted, mark(prepared.tbs, content)))
        co_return core::Problem(core::ProblemKind::bad_content, "lint.mark: this is not the content that was linted", "lint.mark");
    if (std::chrono::steady_clock::now() >= deadline) co_return nothing_signed("there was no time left to sign");

    const auto algorithm = issuer_->key.default_algorithm();
    Issued out;
    out.issuer_key_id = issuer_->key_id;
    try {
        if (signs_inline(issuer_->key)) {
            out.certificate = crypto::assemble_signed(prepared.tbs, algorithm, issuer_->key.sign(algorithm, prepared.tbs));
        } else {
            // The job owns what it needs: the caller may be cancelled while it runs.
            auto job = [issuer = issuer_, tbs = prepared.tbs, algorithm] {
                return crypto::assemble_signed(tbs, algorithm, issuer->key.sign(algorithm, tbs));
            };
            auto made = co_await pool_.run(std::move(job));
            if (!made) co_return nothing_signed("the signing queue is full");
            out.certificate = std::move(*made);
        }
    } catch (const std::runtime_error& fault) {
        co_return core::Problem(core::ProblemKind::internal, std::string("signing failed: ") + fault.what());
    }
    signatures_.add();
    Outcome outcome(std::move(out));
    co_return outcome;
}

}  // namespace postern::ca

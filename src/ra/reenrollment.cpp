#include <algorithm>

#include "core/crypto/digest.hpp"
#include "ra/renewal.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/imported_certificate.hpp"

/// What EST asks beyond renewal by record: whole names, and certificates that ended.
namespace postern::ra {

namespace {

core::Bytes digest_of(core::BytesView der) {
    const auto digest = crypto::sha256(der);
    return {digest.begin(), digest.end()};
}

/// RFC 5280 §7.1 as far as ASCII goes.
std::string folded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
        out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

std::vector<std::pair<std::string, std::string>> subject_of(const crypto::DistinguishedName& subject, bool exact) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& entry : subject.entries)
        out.emplace_back(entry.type == crypto::DnAttribute::other ? entry.oid : std::string(crypto::short_name(entry.type)), exact ? entry.value : folded(entry.value));
    return out;
}

/// Each once, in an order of their own.
std::vector<std::pair<int, std::string>> names_of(const std::vector<crypto::GeneralName>& names) {
    std::vector<std::pair<int, std::string>> out;
    for (const auto& name : names) {
        auto text = name.type == crypto::GeneralNameType::dns ? folded(name.value) : name.value;
        text.append(name.der.begin(), name.der.end());
        out.emplace_back(static_cast<int>(name.type), std::move(text));
    }
    std::ranges::sort(out);
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

bool asks_for(const crypto::Csr& csr, const crypto::DistinguishedName& subject, const std::vector<crypto::GeneralName>& names, bool exact) {
    return subject_of(csr.subject(), exact) == subject_of(subject, exact) && names_of(csr.alt_names()) == names_of(names);
}

}  // namespace

core::Task<std::optional<RenewalRight>> find_late_renewal_right(store::Database& db, const Catalog& catalog, core::EndpointId endpoint, core::Bytes presented,
                                                                core::TimePoint now) {
    const auto certificate = crypto::Certificate::parse(presented);
    if (!certificate || certificate->not_after() >= now) co_return std::nullopt;
    // As it was in its last second; whether it was revoked is today's word.
    const auto ended = certificate->not_after();
    auto right = co_await find_renewal_right(db, endpoint, std::move(presented), ended, std::chrono::milliseconds(0));
    if (!right || right->predecessor) co_return std::nullopt;
    auto by_id = store::values(right->enrollment);
    const auto row = co_await store::read_one(db, store::enrollment_by_id, std::move(by_id));
    const auto* profile = row ? catalog.profile(store::EnrollmentRow::from(*row).profile) : nullptr;
    if (profile == nullptr || now > ended + profile->renew_after_expiry) co_return std::nullopt;
    right->evidence.at = now;
    right->after_expiry = true;
    co_return std::optional<RenewalRight>(std::move(*right));
}

core::Task<bool> on_record(store::Database& db, crypto::Certificate certificate) {
    const auto sha256 = digest_of(certificate.der());
    auto by_certificate = store::values(certificate.serial(), sha256);
    const auto issued = co_await db.read(store::certificate_presented, std::move(by_certificate));
    if (!issued.empty()) co_return true;
    auto by_digest = store::values(sha256, nullptr);
    const auto imported = co_await db.read(store::imported_certificate_by_digest, std::move(by_digest));
    co_return !imported.empty();
}

core::Task<core::Result<void>> check_same_names(store::Database& db, const RenewalRight& right, const crypto::Csr& csr) {
    if (const auto none = check_no_security_identifier(right.certificate); !none) co_return none.error();
    // A text that we wrote is told apart from its like in other letters: two devices may be called so.
    if (asks_for(csr, right.certificate.subject(), right.certificate.alt_names(), !right.predecessor)) co_return core::Result<void>();
    const core::Problem other(core::ProblemKind::forbidden,
                              "the request's subject and alternative names are neither those of the certificate that it renews nor those of the request which that came from",
                              "renewal.names");
    if (right.predecessor) co_return other;
    auto by_id = store::values(right.enrollment);
    const auto enrollment = co_await store::read_one(db, store::enrollment_by_id, std::move(by_id));
    const auto before = crypto::Csr::parse_kept(store::EnrollmentRow::from(enrollment.value()).csr);
    if (before && asks_for(csr, before->subject(), before->alt_names(), true)) co_return core::Result<void>();
    co_return other;
}

}  // namespace postern::ra

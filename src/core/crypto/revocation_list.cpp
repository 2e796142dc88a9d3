#include "core/crypto/revocation_list.hpp"

#include <algorithm>

#include "core/crypto/der.hpp"
#include "core/crypto/extensions.hpp"

namespace postern::crypto {
namespace {

using core::BytesView;
using core::Problem;
using core::ProblemKind;

Problem bad(std::string detail) { return {ProblemKind::malformed, "the CRL cannot be read: " + std::move(detail)}; }

std::optional<std::int64_t> small_number(BytesView der) {
    der::Reader reader(der);
    const auto element = reader.next(der::integer);
    const auto magnitude = element && reader.empty() ? der::unsigned_magnitude(*element) : std::nullopt;
    if (!magnitude || magnitude->size() > 8 || (magnitude->size() == 8 && magnitude->front() >= 0x80)) return std::nullopt;
    std::int64_t out = 0;
    for (const auto octet : *magnitude) out = out * 256 + octet;
    return out;
}

/// reasonCode, the only entry extension that matters here; 0 where there is none.
core::Result<unsigned> read_reason(BytesView sequence_der) {
    const auto extensions = read_extensions(sequence_der);
    if (!extensions) return bad(extensions.error().detail);
    unsigned reason = 0;
    for (const auto& extension : *extensions) {
        if (extension.oid == oid_reason_code) {
            der::Reader reader(extension.value);
            const auto code = reader.next(der::enumerated);
            if (!code || !reader.empty() || code->content.size() != 1 || code->content[0] > 10) return bad("an entry's reason is none of RFC 5280 §5.3.1");
            reason = code->content[0];
        } else if (extension.critical) {
            return bad("an entry has the critical extension " + extension.oid);
        }
    }
    return reason;
}

}  // namespace

std::optional<Problem> RevocationList::read_entries(BytesView content) {
    der::Reader list(content);
    while (!list.empty()) {
        const auto one = list.next(der::sequence);
        der::Reader fields(one ? one->content : BytesView());
        const auto serial = fields.next(der::integer);
        const auto magnitude = serial ? der::unsigned_magnitude(*serial) : std::nullopt;
        const auto time = fields.next();
        const auto revoked = time ? der::read_time(*time) : std::nullopt;
        if (!magnitude || !revoked) return bad("an entry is not a serial number and a time");
        CrlEntry entry;
        entry.serial = core::to_bytes(*magnitude);
        entry.revoked = *revoked;
        if (!fields.empty()) {
            const auto extensions = fields.next(der::sequence);
            if (!extensions || !fields.empty()) return bad("an entry has more than its extensions");
            const auto reason = read_reason(extensions->whole);
            if (!reason) return reason.error();
            entry.reason = *reason;
        }
        entries_.push_back(std::move(entry));
    }
    return std::nullopt;
}

std::optional<Problem> RevocationList::read_list_extensions(BytesView wrapped) {
    const auto extensions = read_extensions(wrapped);
    if (!extensions) return bad(extensions.error().detail);
    bool numbered = false;
    for (const auto& extension : *extensions) {
        if (extension.oid == oid_crl_number) {
            const auto number = small_number(extension.value);
            if (!number) return bad("its number is no INTEGER of at most 63 bits");
            number_ = *number;
            numbered = true;
        } else if (extension.oid == oid_authority_key_id) {
            der::Reader outer(extension.value);
            const auto sequence = outer.next(der::sequence);
            der::Reader fields(sequence ? sequence->content : BytesView());
            const auto id = fields.next(der::context(0));
            if (!id) return bad("authorityKeyIdentifier names no key");
            authority_key_id_ = core::to_bytes(id->content);
        } else if (extension.critical) {
            // Deltas and lists of one distribution point would be taken for the whole.
            return bad("it has the critical extension " + extension.oid + ", so it is no complete CRL");
        }
    }
    if (!numbered) return bad("it has no number");
    return std::nullopt;
}

std::optional<Problem> RevocationList::read_tbs(BytesView content) {
    der::Reader fields(content);
    const auto version = fields.next(der::integer);
    if (!version || version->content.size() != 1 || version->content[0] != 1) return bad("it is not version 2");
    const auto algorithm = fields.next(der::sequence);
    if (!algorithm || !std::ranges::equal(algorithm->whole, algorithm_)) return bad("the signature algorithms inside and outside of the signed part differ");
    const auto issuer = fields.next(der::sequence);
    if (!issuer) return bad("its issuer is missing");
    issuer_der_ = core::to_bytes(issuer->whole);
    const auto time = fields.next();
    const auto this_update = time ? der::read_time(*time) : std::nullopt;
    if (!this_update) return bad("its thisUpdate is no time");
    this_update_ = *this_update;
    if (fields.peek() == der::utc_time || fields.peek() == der::generalized_time) {
        const auto until = fields.next();
        next_update_ = until ? der::read_time(*until) : std::nullopt;
        if (!next_update_) return bad("its nextUpdate is no time");
    }
    if (fields.peek() == der::sequence) {
        const auto list = fields.next(der::sequence);
        if (!list) return bad("its list is broken");
        if (auto problem = read_entries(list->content)) return problem;
    }
    const auto extensions = fields.next(der::context_constructed(0));
    if (!extensions || !fields.empty()) return bad("what follows its list is not the extensions");
    return read_list_extensions(extensions->content);
}

core::Result<RevocationList> RevocationList::parse(BytesView der) {
    der::Reader outer(der);
    const auto whole = outer.next(der::sequence);
    if (!whole) return bad("it is not DER");
    if (!outer.empty()) return bad("bytes follow its end");
    der::Reader parts(whole->content);
    const auto tbs = parts.next(der::sequence);
    const auto algorithm = parts.next(der::sequence);
    const auto bits = parts.next(der::bit_string);
    const auto signature = bits ? der::whole_octets(*bits) : std::nullopt;
    if (!tbs || !algorithm || !signature || !parts.empty()) return bad("it is not content, algorithm and signature (RFC 5280 §5.1)");
    RevocationList out;
    out.tbs_ = core::to_bytes(tbs->whole);
    out.algorithm_ = core::to_bytes(algorithm->whole);
    out.signature_ = core::to_bytes(*signature);
    if (auto problem = out.read_tbs(tbs->content)) return std::move(*problem);
    return out;
}

bool RevocationList::signed_by(const PublicKey& issuer) const {
    const auto algorithm = signature_algorithm_from(algorithm_);
    return algorithm && issuer.verify(*algorithm, tbs_, signature_);
}

}  // namespace postern::crypto

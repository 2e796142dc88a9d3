#pragma once
#include <optional>

#include "ca/content.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/name.hpp"
#include "core/base/result.hpp"

namespace postern::ca {

/// What the issuer imposes on every certificate below it.
struct IssuerFacts {
    IssuerFacts() = default;
    core::Bytes subject_der;
    core::Bytes subject_key_id;
    std::optional<crypto::SignatureAlgorithm> algorithm;  ///< what it signs with; unset: not known here
    core::TimePoint not_before{};
    core::TimePoint not_after{};
};

/// The checks that need no profile: the signature is never spent on content that breaks RFC 5280 or
/// the Baseline Requirements, each under its own name: "lint.validity: …". What the request
/// brought about (its names, dates and key) is `bad_content`, and policy should have refused it before;
/// anything else is `internal`: our template or a record that it draws from is wrong, and every request
/// would meet it (X17). So no stranger can cause the second. `now` unset: backdating is not judged.
/// At most 1 ms. Takes the finished to-be-signed bytes, read back by our own parser, so that what is
/// linted is what is signed (X16).
core::Result<void> lint_to_be_signed(core::BytesView tbs, const Content& content, const IssuerFacts& issuer,
                                     std::optional<core::TimePoint> now = {});

/// Step 5 for any backend: the certificate carries the authorised key, names, dates, issuer.
core::Result<crypto::Certificate> check_issued(core::BytesView der, const Content& content, core::BytesView prepared_tbs,
                                               const crypto::PublicKey* issuer);

/// Why the text of one subject attribute would be refused by the lints, or empty: configuration is
/// judged by the same rules before anything is requested with it.
std::string why_no_subject_value(const crypto::DnEntry& entry);

}  // namespace postern::ca

#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "core/crypto/key.hpp"
#include "core/crypto/name.hpp"

namespace postern::crypto {

/// A certificate read back (RFC 5280), from our own DER reader: what step 5 of an issuance checks
/// and what lists show.
class Certificate {
public:
    Certificate() = default;
    /// `malformed` with the field that is wrong. Signatures are not checked here.
    static core::Result<Certificate> parse(core::BytesView der);

    [[nodiscard]] const core::Bytes& der() const noexcept { return der_; }
    [[nodiscard]] core::BytesView tbs() const noexcept { return core::BytesView(der_).subspan(tbs_offset_, tbs_size_); }
    [[nodiscard]] const core::Bytes& serial() const noexcept { return serial_; }  ///< magnitude, no leading zero
    [[nodiscard]] const core::Bytes& issuer_der() const noexcept { return issuer_der_; }
    [[nodiscard]] const core::Bytes& subject_der() const noexcept { return subject_der_; }
    [[nodiscard]] const DistinguishedName& subject() const noexcept { return subject_; }
    [[nodiscard]] core::TimePoint not_before() const noexcept { return not_before_; }
    [[nodiscard]] core::TimePoint not_after() const noexcept { return not_after_; }  ///< inclusive second
    [[nodiscard]] const core::Bytes& spki() const noexcept { return spki_; }
    [[nodiscard]] const std::vector<GeneralName>& alt_names() const noexcept { return alt_names_; }
    [[nodiscard]] const core::Bytes& authority_key_id() const noexcept { return authority_key_id_; }
    [[nodiscard]] const core::Bytes& subject_key_id() const noexcept { return subject_key_id_; }
    [[nodiscard]] bool is_ca() const noexcept { return is_ca_; }
    [[nodiscard]] bool signed_by(const PublicKey& issuer) const;

private:
    /// Fill the fields; a refusal, or nothing.
    std::optional<core::Problem> read_tbs(core::BytesView content);
    std::optional<core::Problem> read_extensions_into(core::BytesView sequence_der);

    core::Bytes der_, serial_, issuer_der_, subject_der_, spki_, authority_key_id_, subject_key_id_, signature_, algorithm_;
    DistinguishedName subject_;
    std::size_t tbs_offset_ = 0, tbs_size_ = 0;
    core::TimePoint not_before_{}, not_after_{};
    std::vector<GeneralName> alt_names_;
    bool is_ca_ = false;
};

/// "-----BEGIN LABEL-----", 64 columns, final newline (RFC 7468).
std::string to_pem(std::string_view label, core::BytesView der);
/// Blocks with that label, in order; `malformed` for broken base64 inside one.
core::Result<std::vector<core::Bytes>> from_pem(std::string_view label, std::string_view pem);

}  // namespace postern::crypto

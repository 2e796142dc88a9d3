#pragma once
#include "core/crypto/certificate_template.hpp"
#include "core/crypto/key.hpp"

namespace postern::crypto {

/// A CRL read back (RFC 5280 §5), as Postern itself publishes them: complete, version 2, with a
/// number.
class RevocationList {
public:
    RevocationList() = default;
    /// `malformed` with what is wrong: no DER, a delta or partial list, no cRLNumber, one over 63 bits.
    /// Signatures are not checked here.
    static core::Result<RevocationList> parse(core::BytesView der);

    [[nodiscard]] const core::Bytes& issuer_der() const noexcept { return issuer_der_; }
    [[nodiscard]] const core::Bytes& authority_key_id() const noexcept { return authority_key_id_; }
    [[nodiscard]] std::int64_t number() const noexcept { return number_; }
    [[nodiscard]] core::TimePoint this_update() const noexcept { return this_update_; }
    /// nullopt where the list does not say until when it counts.
    [[nodiscard]] const std::optional<core::TimePoint>& next_update() const noexcept { return next_update_; }
    [[nodiscard]] const std::vector<CrlEntry>& entries() const noexcept { return entries_; }
    [[nodiscard]] bool signed_by(const PublicKey& issuer) const;

private:
    /// Fill the fields; a refusal, or nothing.
    std::optional<core::Problem> read_tbs(core::BytesView content);
    std::optional<core::Problem> read_entries(core::BytesView content);
    std::optional<core::Problem> read_list_extensions(core::BytesView wrapped);

    core::Bytes tbs_, issuer_der_, authority_key_id_, signature_, algorithm_;
    std::int64_t number_ = 0;
    core::TimePoint this_update_{};
    std::optional<core::TimePoint> next_update_;
    std::vector<CrlEntry> entries_;
};

}  // namespace postern::crypto

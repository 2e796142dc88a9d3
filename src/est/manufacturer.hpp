#pragma once
#include "core/crypto/certificate.hpp"
#include "est/parts.hpp"
#include "store/tables/est_device.hpp"

namespace postern::est {

/// A client certificate that no record here knows, and that the trust anchors of an account vouch for (the Implicit trust anchor
/// database of RFC 7030 §3.6.2; the Explicit one is the record).
struct Vouched {
    Vouched() = default;
    ra::Account account;
    crypto::Certificate certificate;
    std::string serial;        ///< of the device, where the account looks for it; empty: not there
    std::string anchor;        ///< the trust anchor's CN, or else its subject
    std::string anchor_sha256; ///< hex
    std::optional<store::EstDeviceRow> row;  ///< of the account's list
};

/// Judged now: dates of all, signatures, at most six CAs between it and the anchor, purposes, revocation where the account says who knows; never a certificate
/// of the CAs that issue here, of a CA or of a registration authority, whoever vouches. Cost: on the pool. Errors: forbidden, with the
/// check ("credential.certificate", "credential.validity", "credential.purpose", "credential.chain", "credential.revoked").
core::Task<core::Result<Vouched>> find_vouched(Parts& parts, const Call& call, crypto::Certificate certificate);

}  // namespace postern::est

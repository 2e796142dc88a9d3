#pragma once
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace postern::crypto {

/// The certificates of a PKCS #7 or CMS SignedData (RFC 5652 §5.1) in BER or DER, in order and unread: what ".p7b" files and
/// exports of a CA are. Signers, contents and CRLs in it are not looked at, so nothing is proven. `malformed` for anything else.
core::Result<std::vector<core::Bytes>> certificate_bag(core::BytesView message);

}  // namespace postern::crypto

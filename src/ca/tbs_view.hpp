#pragma once
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/crypto/der.hpp"

namespace postern::ca {

/// A TBSCertificate taken apart without judgement (RFC 5280 §4.1): views into the caller's bytes,
/// as the lints see them.
struct TbsView {
    TbsView() = default;
    struct Extension {
        Extension() = default;
        std::string oid;
        bool critical = false;
        core::BytesView value;  ///< content of extnValue
    };
    core::BytesView version;  ///< content of the INTEGER; empty when the field is absent (v1)
    core::BytesView serial;   ///< content of the INTEGER
    core::BytesView algorithm, issuer, subject, spki;  ///< whole elements
    crypto::der::Element not_before, not_after;
    std::vector<Extension> extensions;

    [[nodiscard]] const Extension* find(std::string_view oid) const noexcept;
    /// Refuses everything that is not the ASN.1 of RFC 5280, trailing bytes and unique identifiers
    /// included; the text says which field.
    static core::Result<TbsView> read(core::BytesView tbs);
};

}  // namespace postern::ca

#pragma once
#include <vector>

#include "ca/backend.hpp"

/// What a CA that is not ours sent back, compared with what was authorised (threats.md X16).
namespace postern::ca {

/// What the backend declares of its CA.
struct Declared {
    Declared() = default;
    std::vector<crypto::Certificate> anchors;  ///< trust anchors and issuers on the way to them
    std::chrono::milliseconds earlier{}, later{};
    unsigned serial_octets = 1;
};

/// Certificates of a PEM text, 1 to 10, the first the leaf. internal, "issued.encoding".
core::Result<std::vector<core::Bytes>> read_chain(std::string_view pem);

/// Key and names are exactly the authorised ones; subject, dates, usages and extensions are within them and
/// within what was declared; it is no CA; a chain of CAs valid now leads to a declared anchor. Errors: internal with
/// the check that failed: issued.key, .names, .subject, .ca, .validity, .usage, .extensions, .serial, .chain, .lint.
core::Result<Checked> check_returned(const std::vector<core::Bytes>& chain, const Content& content, const Declared& declared,
                                     core::TimePoint now);

}  // namespace postern::ca

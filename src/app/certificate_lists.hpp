#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

/// Lists of certificates as CAs and their tools export them. Read where the command runs.
namespace postern::app {

struct ListedCertificate {
    ListedCertificate() = default;
    ListedCertificate(core::Bytes d, std::string w) : der(std::move(d)), where(std::move(w)) {}
    core::Bytes der;    ///< not looked into
    std::string where;  ///< "line 12", "certificate 3"
};
struct UnreadableCertificate {
    UnreadableCertificate() = default;
    UnreadableCertificate(std::string w, std::string y) : where(std::move(w)), why(std::move(y)) {}
    std::string where, why;
};
struct CertificateList {
    CertificateList() = default;
    std::vector<ListedCertificate> certificates;
    std::vector<UnreadableCertificate> unreadable;  ///< the rest is kept
};

/// What a file holds: DER certificates one after the other; PKCS #7 in DER, BER or PEM; PEM blocks with text around them; CSV, whose column is
/// found by its header (EJBCA's "base64Cert", certutil's "Binary Certificate") or is named `column`, in a cell PEM, base64, hexadecimal
/// digits or certutil's hex dump; or one base64 certificate a line. UTF-16 with a byte order mark, as Windows writes it, is read like UTF-8.
/// `malformed` where it is none of these.
core::Result<CertificateList> read_certificate_list(std::string_view contents, std::string_view column = {});

/// One cell: PEM, base64, hexadecimal digits or a hex dump; nullopt for anything else.
std::optional<core::Bytes> certificate_octets(std::string_view text);

}  // namespace postern::app

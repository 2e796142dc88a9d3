#pragma once
#include <array>
#include <optional>
#include <string_view>

namespace postern::ra {

inline constexpr std::string_view server_auth_oid = "1.3.6.1.5.5.7.3.1";

struct ExtendedKeyUsage {
    std::string_view name;
    std::string_view oid;
};
/// What a profile may give (RFC 5280 §4.2.1.12). anyExtendedKeyUsage, OCSP signing and the
/// certificate request agent are not here on purpose (X06).
inline constexpr std::array extended_key_usages{
    ExtendedKeyUsage{"serverAuth", server_auth_oid},
    ExtendedKeyUsage{"clientAuth", "1.3.6.1.5.5.7.3.2"},
    ExtendedKeyUsage{"codeSigning", "1.3.6.1.5.5.7.3.3"},
    ExtendedKeyUsage{"emailProtection", "1.3.6.1.5.5.7.3.4"},
    ExtendedKeyUsage{"timeStamping", "1.3.6.1.5.5.7.3.8"},
};

}  // namespace postern::ra

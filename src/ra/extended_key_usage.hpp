#pragma once
#include <array>
#include <optional>
#include <string_view>

namespace postern::ra {

inline constexpr std::string_view server_auth_oid = "1.3.6.1.5.5.7.3.1";
/// A registration authority (RFC 6402 §2.10): in the server's own profiles alone.
inline constexpr std::string_view cmc_ra_oid = "1.3.6.1.5.5.7.3.28";

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
    ExtendedKeyUsage{"cmcRA", cmc_ra_oid},
};

/// Purposes that give power over others. A request that names one which its profile does not give is
/// refused, so that nobody takes the certificate for what it is not; other purposes are passed over.
inline constexpr std::array powerful_key_usages{
    ExtendedKeyUsage{"any purpose", "2.5.29.37.0"},
    ExtendedKeyUsage{"code signing", "1.3.6.1.5.5.7.3.3"},
    ExtendedKeyUsage{"time stamping", "1.3.6.1.5.5.7.3.8"},
    ExtendedKeyUsage{"registration authority", cmc_ra_oid},
    ExtendedKeyUsage{"OCSP signing", "1.3.6.1.5.5.7.3.9"},
    ExtendedKeyUsage{"Kerberos client (PKINIT)", "1.3.6.1.5.2.3.4"},
    ExtendedKeyUsage{"Kerberos KDC (PKINIT)", "1.3.6.1.5.2.3.5"},
    ExtendedKeyUsage{"smart card logon", "1.3.6.1.4.1.311.20.2.2"},
    ExtendedKeyUsage{"certificate request agent", "1.3.6.1.4.1.311.20.2.1"},
    ExtendedKeyUsage{"key recovery agent", "1.3.6.1.4.1.311.21.6"},
    ExtendedKeyUsage{"CA exchange", "1.3.6.1.4.1.311.21.5"},
    ExtendedKeyUsage{"file recovery", "1.3.6.1.4.1.311.10.3.4.1"},
    ExtendedKeyUsage{"trust list signing", "1.3.6.1.4.1.311.10.3.1"},
};

}  // namespace postern::ra

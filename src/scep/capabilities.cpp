#include "scep/capabilities.hpp"

#include <array>
#include <string_view>

namespace postern::scep {

std::string capabilities(const MessagePolicy& policy, bool successor) {
    using crypto::CmsCipher;
    using crypto::CmsDigest;
    const bool aes = policy.allows(CmsCipher::aes128_cbc);
    struct Line {
        std::string_view keyword;
        bool offered;
    };
    const std::array<Line, 10> lines{{
        {"AES", aes},
        {"DES3", policy.allows(CmsCipher::des_ede3_cbc)},
        {"GetNextCACert", successor},
        {"POSTPKIOperation", true},
        {"Renewal", policy.renewal},
        {"SHA-1", policy.allows(CmsDigest::sha1)},
        {"SHA-256", policy.allows(CmsDigest::sha256)},
        // No keyword of RFC 8894. strongSwan 5.9.8 (Debian 12) mixes its flags up and takes SHA-256, AES and POST
        // for absent without it.
        {"SHA-384", policy.allows(CmsDigest::sha384)},
        {"SHA-512", policy.allows(CmsDigest::sha512)},
        // Stands for AES128-CBC, SHA-256 and POST together (§3.5.2).
        {"SCEPStandard", aes && policy.allows(CmsDigest::sha256)},
    }};
    std::string out;
    for (const auto& line : lines) {
        if (!line.offered) continue;
        if (!out.empty()) out += '\n';
        out += line.keyword;
    }
    return out;
}

}  // namespace postern::scep

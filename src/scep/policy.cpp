#include "scep/policy.hpp"

#include <algorithm>

namespace postern::scep {
namespace {

template <class T>
T chosen(const std::vector<T>& allowed, std::optional<T> asked, T usual) {
    const auto has = [&allowed](T each) { return std::ranges::find(allowed, each) != allowed.end(); };
    if (asked && has(*asked)) return *asked;
    return allowed.empty() || has(usual) ? usual : allowed.front();
}

}  // namespace

bool MessagePolicy::allows(crypto::CmsDigest d) const noexcept { return std::ranges::find(digests, d) != digests.end(); }
bool MessagePolicy::allows(crypto::CmsCipher c) const noexcept { return std::ranges::find(ciphers, c) != ciphers.end(); }
crypto::CmsCipher MessagePolicy::reply_cipher(std::optional<crypto::CmsCipher> asked) const {
    return chosen(ciphers, asked, crypto::CmsCipher::aes128_cbc);
}
crypto::CmsDigest MessagePolicy::reply_digest(std::optional<crypto::CmsDigest> asked) const {
    return chosen(digests, asked, crypto::CmsDigest::sha256);
}

}  // namespace postern::scep

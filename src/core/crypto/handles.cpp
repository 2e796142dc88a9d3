#include "core/crypto/handles.hpp"

#include <openssl/err.h>

#include <array>
#include <stdexcept>

namespace postern::crypto {

std::string last_error(std::string_view what) {
    std::string text(what);
    bool first = true;
    while (const unsigned long code = ::ERR_get_error()) {
        // The first one is the deepest: what went wrong. The rest is how it was passed up.
        if (!first) continue;
        first = false;
        std::array<char, 256> reason{};
        ::ERR_error_string_n(code, reason.data(), reason.size());
        text += ": ";
        text += reason.data();
    }
    return text;
}

void fail(std::string_view what) { throw std::runtime_error(last_error(what)); }

}  // namespace postern::crypto

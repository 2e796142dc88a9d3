#include "core/dns/public_suffix.hpp"

#include <libpsl.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace postern::dns {

bool is_public_suffix(std::string_view name) {
    static const std::unique_ptr<psl_ctx_t, void (*)(psl_ctx_t*)> list(psl_latest(nullptr), psl_free);
    if (!list) throw std::runtime_error("libpsl has no public suffix list; install the package publicsuffix");
    return psl_is_public_suffix(list.get(), std::string(name).c_str()) != 0;
}

}  // namespace postern::dns

#include "core/base/secret.hpp"

#include <string.h>  // explicit_bzero is glibc's, not <cstring>'s

namespace postern::core {

void cleanse(void* data, std::size_t size) noexcept {
    if (data != nullptr) ::explicit_bzero(data, size);
}

}  // namespace postern::core

#include "ra/challenge_methods.hpp"

#include <algorithm>
#include <iterator>

namespace postern::ra {

std::string methods_text() {
    std::string out;
    for (const auto method : challenge_methods) out.append(out.empty() ? "" : ", ").append(method);
    return out;
}

bool can_prove(std::string_view method, const crypto::GeneralName& name) noexcept {
    const bool by_dns = method.starts_with("dns-");
    if (name.type == crypto::GeneralNameType::ip) return !by_dns;
    return name.type == crypto::GeneralNameType::dns && (by_dns || !name.value.starts_with("*."));
}

std::vector<std::string> methods_for(const std::vector<std::string>& allowed, const crypto::GeneralName& name) {
    std::vector<std::string> out;
    std::copy_if(allowed.begin(), allowed.end(), std::back_inserter(out), [&](const std::string& method) { return can_prove(method, name); });
    return out;
}

}  // namespace postern::ra

#include "core/crypto/hardware_module.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/crypto/der.hpp"

namespace postern::crypto {

namespace {

constexpr std::string_view oid_hardware_module_name = "1.3.6.1.5.5.7.8.4";

/// Of an otherName that is one; nullopt for any other.
std::optional<core::BytesView> module_of(core::BytesView general_name) {
    auto name = der::Reader(general_name).next(der::context_constructed(0));
    if (!name) return std::nullopt;
    der::Reader parts(name->content);
    const auto type = parts.next(der::oid);
    if (!type || der::oid_text(type->content) != oid_hardware_module_name) return std::nullopt;
    const auto value = parts.next(der::context_constructed(0));
    return value && parts.empty() ? std::optional(value->content) : std::optional(core::BytesView());
}

}  // namespace

std::optional<std::string> hardware_module_serial(const Certificate& certificate) {
    std::optional<core::BytesView> found;
    for (const auto& name : certificate.alt_names()) {
        const auto module = name.type == GeneralNameType::other ? module_of(name.der) : std::nullopt;
        if (!module) continue;
        if (found) return std::nullopt;
        found = module;
    }
    if (!found) return std::nullopt;
    der::Reader outer(*found);
    const auto sequence = outer.next(der::sequence);
    if (!sequence || !outer.empty()) return std::nullopt;
    der::Reader fields(sequence->content);
    const auto type = fields.next(der::oid);
    const auto serial = fields.next(der::octet_string);
    if (!type || !serial || !fields.empty() || serial->content.empty()) return std::nullopt;
    const auto text = core::as_text(serial->content);
    const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
    return printable ? std::string(text) : core::hex(serial->content);
}

}  // namespace postern::crypto

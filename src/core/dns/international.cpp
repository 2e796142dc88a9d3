#include "core/dns/international.hpp"

#include <idn2.h>
#include <unictype.h>

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

namespace postern::dns {
namespace {

using Script = std::string_view;

/// Cyrillic and Greek small letters that fonts draw as ASCII ones.
constexpr std::u32string_view twins_of_ascii = U"асԁеһіјӏорԛѕԝхуѵαικνορυ";

/// Scripts that one language writes in one word. Latin may stand beside them, Latin and anything
/// else beside each other not (UTS 39 §5.2).
const std::set<Script> together[] = {
    {"Latin", "Han", "Hiragana", "Katakana"},
    {"Latin", "Han", "Bopomofo"},
    {"Latin", "Han", "Hangul"},
};

/// The characters behind "xn--"; empty when it does not decode.
std::u32string decoded(std::string_view label) {
    std::uint32_t* characters = nullptr;
    if (idn2_to_unicode_8z4z(std::string(label).c_str(), &characters, 0) != IDN2_OK) return {};
    const std::unique_ptr<std::uint32_t, void (*)(void*)> owner(characters, idn2_free);
    std::u32string out;
    for (const auto* c = characters; *c != 0; ++c) out.push_back(static_cast<char32_t>(*c));
    return out;
}

std::set<Script> scripts_of(std::u32string_view characters) {
    std::set<Script> out;
    for (const auto c : characters) {
        const uc_script_t* script = uc_script(c);
        const Script name = script == nullptr ? "an unknown script" : script->name;
        if (name != "Common" && name != "Inherited") out.insert(name);
    }
    return out;
}

bool written_together(const std::set<Script>& scripts) {
    return scripts.size() < 2 || std::ranges::any_of(together, [&](const auto& known) {
               return std::ranges::includes(known, scripts);
           });
}

}  // namespace

std::optional<std::string> why_no_a_label(std::string_view label) {
    std::uint8_t* out = nullptr;
    const std::string terminated(label);
    const int status = idn2_register_u8(nullptr, reinterpret_cast<const std::uint8_t*>(terminated.c_str()), &out, 0);
    idn2_free(out);
    if (status != IDN2_OK)
        return "\"" + terminated + "\" is no international label (IDNA 2008): " + idn2_strerror(status);
    const auto scripts = scripts_of(decoded(label));
    if (written_together(scripts)) return std::nullopt;
    std::string list;
    for (const auto& script : scripts) list += (list.empty() ? "" : " and ") + std::string(script);
    return "\"" + terminated + "\" mixes letters of " + list + ", which look like one another";
}

bool looks_like_ascii(std::string_view label) {
    if (!label.starts_with("xn--")) return false;
    const auto characters = decoded(label);
    bool foreign = false;
    for (const auto c : characters) {
        const bool neutral = (c >= U'0' && c <= U'9') || c == U'-';
        if (neutral) continue;
        if (twins_of_ascii.find(c) == std::u32string_view::npos) return false;
        foreign = true;
    }
    return foreign;
}

}  // namespace postern::dns

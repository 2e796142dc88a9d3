#include "core/crypto/certificate_uses.hpp"

#include "core/crypto/der.hpp"
#include "core/crypto/extensions.hpp"

namespace postern::crypto {
namespace {

core::Problem bad() { return {core::ProblemKind::malformed, "the certificate cannot be read: its extendedKeyUsage is no list of OIDs"}; }

/// The SEQUENCE OF Extension, which is the last field; empty where there is none.
core::BytesView extensions_of(const Certificate& certificate) {
    der::Reader outer(certificate.tbs());
    const auto whole = outer.next(der::sequence);
    der::Reader fields(whole ? whole->content : core::BytesView());
    while (const auto field = fields.next())
        if (field->tag == der::context_constructed(3)) return field->content;
    return {};
}

}  // namespace

core::Result<std::vector<std::string>> extended_key_usage(const Certificate& certificate) {
    std::vector<std::string> out;
    const auto der = extensions_of(certificate);
    if (der.empty()) return out;
    const auto extensions = read_extensions(der);
    if (!extensions) return bad();
    for (const auto& extension : *extensions) {
        if (extension.oid != oid_extended_key_usage) continue;
        der::Reader outer(extension.value);
        const auto list = outer.next(der::sequence);
        if (!list || !outer.empty()) return bad();
        der::Reader purposes(list->content);
        while (!purposes.empty()) {
            const auto purpose = purposes.next(der::oid);
            auto text = purpose ? der::oid_text(purpose->content) : std::string();
            if (text.empty()) return bad();
            out.push_back(std::move(text));
        }
    }
    return out;
}

}  // namespace postern::crypto

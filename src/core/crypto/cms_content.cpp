#include "core/crypto/cms_content.hpp"

#include <algorithm>
#include <array>

#include "core/crypto/ber.hpp"

namespace postern::crypto {
namespace {

using core::BytesView;
using core::Problem;
using core::ProblemKind;

struct TypeName {
    std::string_view oid, name;
};
constexpr std::array<TypeName, 7> type_names{{{oid_cms_data, "data"},
                                              {oid_cms_signed_data, "SignedData"},
                                              {oid_cms_enveloped_data, "EnvelopedData"},
                                              {"1.2.840.113549.1.7.5", "DigestedData"},
                                              {"1.2.840.113549.1.7.6", "EncryptedData"},
                                              {"1.2.840.113549.1.9.16.1.2", "AuthenticatedData"},
                                              {"1.2.840.113549.1.9.16.1.23", "AuthEnvelopedData"}}};

std::string type_name(std::string_view oid) {
    const auto* found = std::ranges::find(type_names, oid, &TypeName::oid);
    return std::string(found == type_names.end() ? oid : found->name);
}

}  // namespace

core::Result<der::Element> cms_content(BytesView message, std::string_view type) {
    const std::string wanted = "a CMS message of type " + type_name(type) + " is wanted here";
    if (message.empty()) return Problem{ProblemKind::malformed, wanted + ", and there is nothing"};
    if (message.size() > cms_most_octets) return Problem{ProblemKind::malformed, "the CMS message is larger than 256 KiB"};
    ber::Reader outer(message);
    const auto info = outer.next(der::sequence);
    if (!info) return Problem{ProblemKind::malformed, wanted + ", and this is not the BER of one"};
    if (!outer.empty()) return Problem{ProblemKind::malformed, "bytes follow the end of the CMS message"};
    ber::Reader fields(info->content);
    const auto oid = fields.next(der::oid);
    const std::string found = oid ? der::oid_text(oid->content) : std::string();
    if (found.empty()) return Problem{ProblemKind::malformed, wanted + ", and this does not begin with a content type"};
    if (found != type) return Problem{ProblemKind::malformed, wanted + ", and this is " + type_name(found)};
    const auto wrapped = fields.next(der::context_constructed(0));
    ber::Reader inner(wrapped ? wrapped->content : BytesView());
    const auto content = inner.next(der::sequence);
    if (!content || !inner.empty() || !fields.empty()) return Problem{ProblemKind::malformed, "the content of the CMS message is broken"};
    return *content;
}

std::optional<CmsIdentifier> cms_identifier(const der::Element& e) {
    CmsIdentifier out;
    if (e.tag == der::context(0) || e.tag == der::context_constructed(0)) {
        auto id = ber::octets(e, der::context(0));
        if (!id || id->empty()) return std::nullopt;
        out.subject_key_id = std::move(*id);
        return out;
    }
    if (e.tag != der::sequence) return std::nullopt;
    ber::Reader fields(e.content);
    const auto issuer = fields.next(der::sequence);
    const auto serial = fields.next(der::integer);
    if (!issuer || !serial || serial->content.empty() || !fields.empty()) return std::nullopt;
    out.issuer_der = core::to_bytes(issuer->whole);
    out.serial = core::to_bytes(serial->content);
    return out;
}

std::optional<CmsAlgorithm> cms_algorithm(const der::Element& e) {
    if (e.tag != der::sequence) return std::nullopt;
    ber::Reader fields(e.content);
    const auto oid = fields.next(der::oid);
    CmsAlgorithm out;
    out.oid = oid ? der::oid_text(oid->content) : std::string();
    if (out.oid.empty()) return std::nullopt;
    if (!fields.empty()) {
        out.parameters = fields.next();
        if (!out.parameters || !fields.empty()) return std::nullopt;
    }
    return out;
}

}  // namespace postern::crypto

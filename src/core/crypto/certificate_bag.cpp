#include "core/crypto/certificate_bag.hpp"

#include "core/crypto/ber.hpp"

namespace postern::crypto {
namespace {

constexpr std::string_view oid_signed_data = "1.2.840.113549.1.7.2";

core::Problem bad(std::string why) { return {core::ProblemKind::malformed, "it is no PKCS #7 with certificates: " + std::move(why)}; }

}  // namespace

core::Result<std::vector<core::Bytes>> certificate_bag(core::BytesView message) {
    ber::Reader outer(message);
    const auto info = outer.next(der::sequence);
    if (!info || !outer.empty()) return bad("it is not the BER of one sequence");
    ber::Reader parts(info->content);
    const auto type = parts.next(der::oid);
    if (!type || der::oid_text(type->content) != oid_signed_data) return bad("its type is not signedData");
    const auto wrapped = parts.next(der::context_constructed(0));
    ber::Reader inner(wrapped ? wrapped->content : core::BytesView());
    const auto signed_data = inner.next(der::sequence);
    if (!signed_data) return bad("it has no content");
    ber::Reader fields(signed_data->content);
    if (!fields.next(der::integer) || !fields.next(der::set) || !fields.next(der::sequence)) return bad("its version, algorithms and content are missing");
    std::vector<core::Bytes> out;
    if (fields.peek() != der::context_constructed(0)) return out;
    const auto bag = fields.next();
    if (!bag) return bad("its certificates are broken");
    ber::Reader certificates(bag->content);
    while (!certificates.empty()) {
        const auto one = certificates.next();
        if (!one) return bad("certificate " + std::to_string(out.size() + 1) + " is broken");
        // Attribute certificates and other kinds have context tags.
        if (one->tag == der::sequence) out.push_back(core::to_bytes(one->whole));
    }
    return out;
}

}  // namespace postern::crypto

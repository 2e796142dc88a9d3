#include "ca/tbs_view.hpp"

namespace postern::ca {
namespace {

namespace der = crypto::der;

core::Problem broken(std::string_view field) {
    return {core::ProblemKind::internal,
            "lint.encoding: the to-be-signed certificate has no well-formed " + std::string(field) + " (RFC 5280 section 4.1)",
            "lint.encoding"};
}

bool read_version(der::Reader& fields, core::BytesView& version) {
    if (fields.peek() != der::context_constructed(0)) return true;
    const auto wrapper = fields.next();
    if (!wrapper) return false;
    der::Reader inside(wrapper->content);
    const auto number = inside.next(der::integer);
    if (!number || !inside.empty()) return false;
    version = number->content;
    return true;
}

bool read_extension(core::BytesView content, TbsView::Extension& out) {
    der::Reader fields(content);
    const auto oid = fields.next(der::oid);
    if (!oid) return false;
    out.oid = der::oid_text(oid->content);
    if (out.oid.empty()) return false;
    if (fields.peek() == der::boolean) {
        const auto critical = fields.next(der::boolean);
        // DEFAULT FALSE is never written, and TRUE is ff (X.690 §11.1, §11.5).
        if (!critical || critical->content.size() != 1 || critical->content[0] != 0xff) return false;
        out.critical = true;
    }
    const auto value = fields.next(der::octet_string);
    if (!value || !fields.empty()) return false;
    out.value = value->content;
    return true;
}

}  // namespace

const TbsView::Extension* TbsView::find(std::string_view oid) const noexcept {
    for (const auto& e : extensions)
        if (e.oid == oid) return &e;
    return nullptr;
}

core::Result<TbsView> TbsView::read(core::BytesView tbs) {
    TbsView out;
    der::Reader whole(tbs);
    const auto sequence = whole.next(der::sequence);
    if (!sequence || !whole.empty()) return broken("TBSCertificate");
    der::Reader fields(sequence->content);
    if (!read_version(fields, out.version)) return broken("version");

    const auto serial = fields.next(der::integer);
    if (!serial || serial->content.empty()) return broken("serialNumber");
    out.serial = serial->content;
    const auto algorithm = fields.next(der::sequence);
    if (!algorithm) return broken("signature algorithm");
    out.algorithm = algorithm->whole;
    const auto issuer = fields.next(der::sequence);
    if (!issuer) return broken("issuer");
    out.issuer = issuer->whole;

    const auto validity = fields.next(der::sequence);
    if (!validity) return broken("validity");
    der::Reader dates(validity->content);
    const auto from = dates.next();
    const auto to = dates.next();
    if (!from || !to || !dates.empty()) return broken("validity");
    out.not_before = *from;
    out.not_after = *to;

    const auto subject = fields.next(der::sequence);
    if (!subject) return broken("subject");
    out.subject = subject->whole;
    const auto spki = fields.next(der::sequence);
    if (!spki) return broken("subjectPublicKeyInfo");
    out.spki = spki->whole;

    // issuerUniqueID [1] and subjectUniqueID [2] must not be used (§4.1.2.8): only [3] may follow.
    const auto wrapper = fields.next(der::context_constructed(3));
    if (!wrapper || !fields.empty()) return broken("extensions");
    der::Reader wrapped(wrapper->content);
    const auto list = wrapped.next(der::sequence);
    if (!list || !wrapped.empty() || list->content.empty()) return broken("extensions");
    der::Reader items(list->content);
    while (!items.empty()) {
        const auto item = items.next(der::sequence);
        Extension extension;
        if (!item || !read_extension(item->content, extension)) return broken("extension");
        out.extensions.push_back(std::move(extension));
    }
    return out;
}

}  // namespace postern::ca

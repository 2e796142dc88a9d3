// ca::TbsView, what the lints see: every view lies in the bytes, and the reader of finished
// certificates sees the same fields in them.
#include <algorithm>
#include <array>

#include "ca/tbs_view.hpp"
#include "core/crypto/certificate.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

namespace der = crypto::der;

bool inside(core::BytesView part, core::BytesView whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check_views(const ca::TbsView& view, core::BytesView tbs) {
    for (const auto part : {view.serial, view.algorithm, view.issuer, view.subject, view.spki, view.not_before.whole, view.not_after.whole})
        require(!part.empty() && inside(part, tbs), "every field is there and lies in the bytes");
    require(view.version.empty() || inside(view.version, tbs), "the version lies in the bytes");
    require(!view.extensions.empty(), "there are extensions");
    for (const auto& e : view.extensions) {
        require(!e.oid.empty() && inside(e.value, tbs), "an extension has a name and lies in the bytes");
        const auto first = std::ranges::find(view.extensions, e.oid, &ca::TbsView::Extension::oid);
        require(view.find(e.oid) == &*first, "an extension is found by its name");
    }
}

/// The same content as a certificate, with a signature that nobody looks at.
core::Bytes signed_form(const ca::TbsView& view, core::BytesView tbs) {
    constexpr std::array<std::uint8_t, 1> signature{0x5a};
    der::Writer out;
    out.begin(der::sequence).raw(tbs).raw(view.algorithm).bits(signature).end();
    return out.take();
}

}  // namespace

Outcome tbs(core::BytesView input) {
    const auto view = ca::TbsView::read(input);
    if (!view) {
        require(view.error().check == "lint.encoding" && !view.error().detail.empty(), "a refusal is the lint's and says which field");
        return Outcome::refused;
    }
    check_views(*view, input);
    const auto certificate = crypto::Certificate::parse(signed_form(*view, input));
    if (!certificate) return Outcome::refused;  // the lints' other checks refuse what it refuses
    require(certificate->issuer_der() == core::to_bytes(view->issuer) && certificate->subject_der() == core::to_bytes(view->subject) &&
                certificate->spki() == core::to_bytes(view->spki),
            "two readers find the same names and key");
    require(der::read_time(view->not_before) == certificate->not_before() && der::read_time(view->not_after) == certificate->not_after(),
            "two readers find the same validity");
    require(certificate->alt_names().empty() == (view->find("2.5.29.17") == nullptr), "two readers find the same extensions");
    require(core::as_text(view->serial).ends_with(core::as_text(certificate->serial())), "two readers find the same serial");
    return Outcome::accepted;
}

}  // namespace postern::fuzz

// app::read_certificate_list: whatever the file was, what was found in it reads the same once it is written as PEM.
#include "app/certificate_lists.hpp"

#include "core/crypto/certificate.hpp"
#include "core/crypto/certificate_bag.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {

Outcome certificate_list(core::BytesView input) {
    const auto copy = exact_copy(input);
    const auto list = app::read_certificate_list(core::as_text(copy));
    if (!list) {
        require(list.error().kind == core::ProblemKind::malformed && !list.error().detail.empty(), "a refusal is malformed and says why");
        return Outcome::refused;
    }
    std::string pem;
    bool plain = true;
    for (const auto& each : list->certificates) {
        require(!each.der.empty() && !each.where.empty(), "a certificate has octets and a place");
        if (crypto::certificate_bag(each.der)) plain = false;  // one in another is taken apart once
        pem += crypto::to_pem("CERTIFICATE", each.der);
    }
    for (const auto& bad : list->unreadable) require(!bad.where.empty() && !bad.why.empty(), "what cannot be read is named, with why");
    if (list->certificates.empty()) return Outcome::refused;
    if (plain) {
        const auto again = app::read_certificate_list(pem);
        require(again && again->certificates.size() == list->certificates.size() && again->unreadable.empty(), "as PEM all of them read again");
        for (std::size_t at = 0; at < again->certificates.size(); ++at) require(again->certificates[at].der == list->certificates[at].der, "as PEM they are the same");
    }
    return Outcome::accepted;
}

}  // namespace postern::fuzz

// crypto::CsrAttributes: what was read writes back to something that reads the same, and a template keeps RFC 9908 §3.4.
#include "core/crypto/csr_attributes.hpp"

#include <set>

#include "tests/fuzz/property.hpp"

namespace postern::fuzz {

Outcome csr_attributes(core::BytesView input) {
    const auto read = crypto::CsrAttributes::parse(input);
    if (!read) {
        require(read.error().kind == core::ProblemKind::malformed && !read.error().detail.empty(), "a refusal is malformed and says why");
        return Outcome::refused;
    }
    const auto written = read->to_der();
    const auto again = crypto::CsrAttributes::parse(written);
    require(again.has_value(), "what is written can be read");
    require(again->to_der() == written, "and writes the same octets");
    require(again->attributes == read->attributes, "attributes come back as they were");
    require(again->request.has_value() == read->request.has_value(), "a template comes back");
    if (!read->request) return Outcome::accepted;
    require(*again->request == *read->request, "the template comes back as it was");
    std::set<std::string> oids;
    for (const auto& extension : read->request->extensions) require(oids.insert(extension.oid).second, "no extension is asked for twice");
    for (const auto& attribute : read->request->attributes)
        require(attribute.oid != crypto::oid_extension_request && attribute.oid != crypto::oid_extension_template, "extensions are asked for in one place");
    return Outcome::accepted;
}

}  // namespace postern::fuzz

// est::read_csr_body: what is taken is what the same octets give in each of the other forms.
#include "core/base/encoding.hpp"
#include "est/bodies.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {

Outcome est_body(core::BytesView input) {
    const auto text = core::as_text(input);
    const auto read = est::read_csr_body(text, false);
    const auto binary = est::read_csr_body(text, true);
    if (!read) {
        require(read.error().kind == core::ProblemKind::malformed && read.error().check == "est.body" && !read.error().detail.empty(), "a refusal is malformed and says why");
        require(!binary || core::as_text(*binary) == text, "what is taken as DER alone is taken as it is");
        return Outcome::refused;
    }
    require(!read->empty() && read->size() <= input.size(), "something was read, and no more than came");
    std::string lines;
    est::append_lines(lines, *read);
    const auto again = est::read_csr_body(lines, false);
    require(again && *again == *read, "what is sent in lines reads the same");
    const auto armoured = est::read_csr_body("-----BEGIN CERTIFICATE REQUEST-----\n" + lines + "-----END CERTIFICATE REQUEST-----\n", false);
    require(armoured && *armoured == *read, "and in PEM armour");
    return Outcome::accepted;
}

}  // namespace postern::fuzz

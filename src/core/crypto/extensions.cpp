#include "core/crypto/extensions.hpp"

#include <algorithm>

namespace postern::crypto {
namespace {

using core::Problem;
using core::ProblemKind;

constexpr std::size_t most_extensions = 64;
constexpr std::uint8_t status_request = 5;  // RFC 6066 §8

Problem malformed(std::string detail) { return {ProblemKind::malformed, std::move(detail)}; }

}  // namespace

core::Result<std::vector<Extension>> read_extensions(core::BytesView sequence_der) {
    der::Reader outer(sequence_der);
    const auto sequence = outer.next(der::sequence);
    if (!sequence || !outer.empty()) return malformed("the extensions are not the DER of one sequence");
    if (sequence->content.empty()) return malformed("the list of extensions is empty; leave it out");
    std::vector<Extension> out;
    der::Reader elements(sequence->content);
    while (!elements.empty()) {
        const auto element = elements.next(der::sequence);
        if (!element) return malformed("the list of extensions holds something else");
        if (out.size() == most_extensions) return malformed("there are more than " + std::to_string(most_extensions) + " extensions");
        der::Reader fields(element->content);
        Extension extension;
        const auto oid = fields.next(der::oid);
        if (oid) extension.oid = der::oid_text(oid->content);
        if (extension.oid.empty()) return malformed("an extension has no object identifier");
        if (fields.peek() == der::boolean) {
            // An explicit FALSE is no DER, since it is the default; some encoders write it, and
            // nothing is ever copied from these bytes.
            const auto critical = fields.next(der::boolean);
            const auto value = critical ? der::read_boolean(*critical) : std::nullopt;
            if (!value) return malformed("the extension " + extension.oid + " has a broken critical flag");
            extension.critical = *value;
        }
        const auto value = fields.next(der::octet_string);
        if (!value || !fields.empty()) return malformed("the extension " + extension.oid + " is not an identifier and an OCTET STRING");
        extension.value = value->content;
        if (std::ranges::find(out, extension.oid, &Extension::oid) != out.end())
            return malformed("the extension " + extension.oid + " is there twice (RFC 5280 §4.2)");
        out.push_back(std::move(extension));
    }
    return out;
}

core::Result<bool> asks_status_request(core::BytesView extension_value) {
    der::Reader outer(extension_value);
    const auto sequence = outer.next(der::sequence);
    if (!sequence || !outer.empty() || sequence->content.empty()) return malformed("the TLS feature extension is not a list of features");
    bool found = false;
    der::Reader features(sequence->content);
    while (!features.empty()) {
        const auto feature = features.next(der::integer);
        const auto number = feature ? der::unsigned_magnitude(*feature) : std::nullopt;
        if (!number) return malformed("the TLS feature extension is not a list of features");
        if (number->size() == 1 && number->front() == status_request) found = true;
    }
    return found;
}

}  // namespace postern::crypto

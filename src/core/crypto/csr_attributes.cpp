#include "core/crypto/csr_attributes.hpp"

#include <algorithm>

#include "core/crypto/der.hpp"
#include "core/crypto/directory_string.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::Result;

constexpr std::string_view oid_rsa = "1.2.840.113549.1.1.1", oid_ec = "1.2.840.10045.2.1", oid_ed25519 = "1.3.101.112";
constexpr std::string_view oid_country = "2.5.4.6", oid_serial_number = "2.5.4.5";
constexpr std::size_t most_elements = 256;

Problem bad(std::string what) { return {core::ProblemKind::malformed, "the CSR attributes: " + std::move(what)}; }

bool is_rsa(const KeyWish& key) { return key.algorithm == oid_rsa; }

std::string_view curve_oid(KeyType type) {
    switch (type) {
        case KeyType::ec_p256: return "1.2.840.10045.3.1.7";
        case KeyType::ec_p384: return "1.3.132.0.34";
        case KeyType::ec_p521: return "1.3.132.0.35";
        case KeyType::ed25519:
        case KeyType::rsa: break;
    }
    return {};
}

/// An RSAPublicKey whose modulus has that length and is no key.
Bytes placeholder(unsigned bits) {
    Bytes modulus((bits + 7) / 8);
    modulus.back() = 0x01;
    modulus.front() |= static_cast<std::uint8_t>(1U << ((bits - 1) % 8));
    der::Writer out;
    out.begin(der::sequence).unsigned_integer(modulus).small_integer(65537).end();
    return out.take();
}

unsigned bits_of(BytesView magnitude) {
    if (magnitude.empty() || magnitude[0] == 0) return 0;
    unsigned top = 8;
    while ((magnitude[0] >> (top - 1)) == 0) --top;
    return static_cast<unsigned>((magnitude.size() - 1) * 8) + top;
}

void write_extension(der::Writer& out, const ExtensionWish& extension) {
    out.begin(der::sequence).oid(extension.oid);
    if (extension.critical) out.boolean_true();
    if (extension.value) out.primitive(der::octet_string, *extension.value);
    out.end();
}

void write_extensions(der::Writer& out, const std::vector<ExtensionWish>& extensions) {
    out.begin(der::sequence);
    for (const auto& each : extensions) write_extension(out, each);
    out.end();
}

void write_attribute(der::Writer& out, const AttributeWish& attribute) {
    out.begin(der::sequence).oid(attribute.oid).begin(der::set);
    if (attribute.values)
        for (const auto& value : *attribute.values) out.raw(value);
    out.end().end();
}

void write_subject(der::Writer& out, const std::vector<SubjectWish>& subject) {
    out.begin(der::sequence);
    for (const auto& rdn : subject) {
        out.begin(der::set).begin(der::sequence).oid(rdn.oid);
        const bool printable = rdn.oid == oid_country || rdn.oid == oid_serial_number;
        if (rdn.value) out.text(printable && is_printable_string(*rdn.value) ? der::printable_string : der::utf8_string, *rdn.value);
        out.end().end();
    }
    out.end();
}

/// Implicitly tagged: SubjectPublicKeyInfoTemplate.
void write_key(der::Writer& out, const KeyWish& key) {
    out.begin(der::context_constructed(0)).begin(der::sequence).oid(key.algorithm);
    if (!key.curve.empty()) out.oid(key.curve);
    else if (is_rsa(key)) out.primitive(der::null, {});
    out.end();
    if (is_rsa(key) && key.bits != 0) out.bits(placeholder(key.bits));
    out.end();
}

void write_template(der::Writer& out, const RequestTemplate& request) {
    out.begin(der::sequence).oid(oid_request_template).begin(der::set).begin(der::sequence).small_integer(0);
    if (!request.subject.empty()) write_subject(out, request.subject);
    if (request.key) write_key(out, *request.key);
    out.begin(der::context_constructed(1));
    for (const auto& each : request.attributes) write_attribute(out, each);
    if (!request.extensions.empty()) {
        const bool whole = std::ranges::all_of(request.extensions, [](const ExtensionWish& e) { return e.value.has_value(); });
        out.begin(der::sequence).oid(whole ? oid_extension_request : oid_extension_template).begin(der::set);
        write_extensions(out, request.extensions);
        out.end().end();
    }
    out.end().end().end().end();
}

Result<AttributeWish> read_attribute(const der::Element& element) {
    der::Reader fields(element.content);
    const auto oid = fields.next(der::oid);
    const auto values = fields.next(der::set);
    if (!oid || !values || !fields.empty()) return bad("an attribute is not an object identifier and a set");
    AttributeWish out(der::oid_text(oid->content), std::vector<Bytes>());
    if (out.oid.empty()) return bad("an object identifier is broken");
    der::Reader each(values->content);
    while (!each.empty()) {
        const auto value = each.next();
        if (!value) return bad("the values of " + out.oid + " are not DER");
        out.values->push_back(core::to_bytes(value->whole));
    }
    return out;
}

Result<std::vector<SubjectWish>> read_subject(const der::Element& element) {
    std::vector<SubjectWish> out;
    der::Reader rdns(element.content);
    while (!rdns.empty()) {
        const auto rdn = rdns.next(der::set);
        der::Reader single(rdn ? rdn->content : BytesView());
        const auto pair = single.next(der::sequence);
        if (!rdn || !pair || !single.empty() || out.size() == most_elements) return bad("the subject is not a list of single RDNs");
        der::Reader fields(pair->content);
        const auto oid = fields.next(der::oid);
        SubjectWish wish(oid ? der::oid_text(oid->content) : std::string(), std::nullopt);
        if (!fields.empty()) {
            const auto value = fields.next();
            wish.value = value ? directory_string(*value) : std::nullopt;
            if (!wish.value) return bad("a value of the subject is no text");
        }
        if (wish.oid.empty() || !fields.empty()) return bad("an RDN of the subject is not an object identifier with at most one value");
        out.push_back(std::move(wish));
    }
    return out;
}

Result<KeyWish> read_key(const der::Element& element) {
    der::Reader parts(element.content);
    const auto algorithm = parts.next(der::sequence);
    der::Reader fields(algorithm ? algorithm->content : BytesView());
    const auto oid = fields.next(der::oid);
    KeyWish out;
    if (oid) out.algorithm = der::oid_text(oid->content);
    if (out.algorithm.empty()) return bad("the key has no algorithm");
    if (fields.peek() == der::oid) out.curve = der::oid_text(fields.next(der::oid)->content);
    else if (fields.peek() == der::null) fields.next();
    if (!fields.empty()) return bad("the key's algorithm has other parameters than a curve");
    if (parts.empty()) return out;
    const auto bits = parts.next(der::bit_string);
    const auto octets = bits ? der::whole_octets(*bits) : std::nullopt;
    if (!octets || !parts.empty() || !is_rsa(out)) return bad("only an RSA key has a placeholder");
    der::Reader outer(*octets);
    const auto numbers = outer.next(der::sequence);
    der::Reader inner(numbers ? numbers->content : BytesView());
    const auto modulus = inner.next(der::integer);
    const auto magnitude = modulus ? der::unsigned_magnitude(*modulus) : std::nullopt;
    out.bits = magnitude ? bits_of(*magnitude) : 0;
    if (out.bits == 0 || !outer.empty()) return bad("the placeholder of the RSA key is none");
    return out;
}

Result<std::vector<ExtensionWish>> read_extension_wishes(BytesView der, bool partial) {
    der::Reader outer(der);
    const auto list = outer.next(der::sequence);
    if (!list || !outer.empty() || list->content.empty()) return bad("the extensions are not a list of one or more");
    std::vector<ExtensionWish> out;
    der::Reader elements(list->content);
    while (!elements.empty()) {
        const auto element = elements.next(der::sequence);
        der::Reader fields(element ? element->content : BytesView());
        const auto oid = fields.next(der::oid);
        ExtensionWish wish;
        if (oid) wish.oid = der::oid_text(oid->content);
        if (wish.oid.empty() || out.size() == most_elements) return bad("an extension has no object identifier");
        if (fields.peek() == der::boolean) {
            const auto flag = fields.next(der::boolean);
            const auto critical = flag ? der::read_boolean(*flag) : std::nullopt;
            if (!critical) return bad("an extension's critical flag is broken");
            wish.critical = *critical;
        }
        if (fields.peek() == der::octet_string) wish.value = core::to_bytes(fields.next(der::octet_string)->content);
        if (!fields.empty() || (!wish.value && !partial)) return bad("the extension " + wish.oid + " has no value, or more than one");
        if (std::ranges::find(out, wish.oid, &ExtensionWish::oid) != out.end()) return bad("the extension " + wish.oid + " is there twice");
        out.push_back(std::move(wish));
    }
    return out;
}

Result<RequestTemplate> read_template(BytesView der) {
    der::Reader outer(der);
    const auto sequence = outer.next(der::sequence);
    if (!sequence) return bad("the template is no sequence");
    der::Reader fields(sequence->content);
    const auto version = fields.next(der::integer);
    if (!version || version->content.size() != 1 || version->content[0] != 0) return bad("the template's version is not 0");
    RequestTemplate out;
    if (fields.peek() == der::sequence) {
        auto subject = read_subject(*fields.next(der::sequence));
        if (!subject) return subject.error();
        out.subject = std::move(*subject);
    }
    if (fields.peek() == der::context_constructed(0)) {
        auto key = read_key(*fields.next());
        if (!key) return key.error();
        out.key = std::move(*key);
    }
    const auto attributes = fields.next(der::context_constructed(1));
    if (!attributes || !fields.empty()) return bad("the template does not end with its attributes");
    der::Reader each(attributes->content);
    while (!each.empty()) {
        const auto element = each.next(der::sequence);
        if (!element || out.attributes.size() == most_elements) return bad("the template's attributes are broken");
        auto attribute = read_attribute(*element);
        if (!attribute) return attribute.error();
        const bool partial = attribute->oid == oid_extension_template;
        if (!partial && attribute->oid != oid_extension_request) {
            out.attributes.push_back(std::move(*attribute));
            continue;
        }
        if (!out.extensions.empty() || attribute->values->size() != 1) return bad("the template asks for extensions in more than one place");
        auto extensions = read_extension_wishes(attribute->values->front(), partial);
        if (!extensions) return extensions.error();
        out.extensions = std::move(*extensions);
    }
    return out;
}

}  // namespace

KeyWish KeyWish::of(KeySpec spec) {
    if (spec.type == KeyType::rsa) return {std::string(oid_rsa), {}, spec.bits};
    if (spec.type == KeyType::ed25519) return {std::string(oid_ed25519), {}, 0};
    return {std::string(oid_ec), std::string(curve_oid(spec.type)), 0};
}

void CsrAttributes::add(const KeyWish& key) {
    AttributeWish out(key.algorithm, std::vector<Bytes>());
    der::Writer value;
    if (!key.curve.empty()) value.oid(key.curve);
    else if (key.bits != 0) value.small_integer(key.bits);
    if (!value.bytes().empty()) out.values->push_back(value.take());
    attributes.push_back(std::move(out));
}

void CsrAttributes::add(const std::vector<ExtensionWish>& extensions) {
    std::vector<ExtensionWish> whole;
    std::ranges::copy_if(extensions, std::back_inserter(whole), [](const ExtensionWish& e) { return e.value.has_value(); });
    if (whole.empty()) return;
    der::Writer value;
    write_extensions(value, whole);
    attributes.emplace_back(std::string(oid_extension_request), std::vector<Bytes>(1, value.take()));
}

Bytes CsrAttributes::to_der() const {
    der::Writer out;
    out.begin(der::sequence);
    for (const auto& each : attributes) {
        if (each.values) write_attribute(out, each);
        else out.oid(each.oid);
    }
    if (request) write_template(out, *request);
    out.end();
    return out.take();
}

Result<CsrAttributes> CsrAttributes::parse(BytesView der) {
    if (!der::is_der(der)) return bad("they are not DER");
    der::Reader outer(der);
    const auto list = outer.next(der::sequence);
    if (!list) return bad("they are no sequence");
    CsrAttributes out;
    der::Reader elements(list->content);
    while (!elements.empty()) {
        const auto element = elements.next();
        if (!element || out.attributes.size() == most_elements) return bad("there are too many");
        if (element->tag == der::oid) {
            out.attributes.emplace_back(der::oid_text(element->content));
            if (out.attributes.back().oid.empty()) return bad("an object identifier is broken");
            continue;
        }
        if (element->tag != der::sequence) return bad("an element is neither an object identifier nor an attribute");
        auto attribute = read_attribute(*element);
        if (!attribute) return attribute.error();
        if (attribute->oid != oid_request_template) {
            out.attributes.push_back(std::move(*attribute));
            continue;
        }
        if (out.request || attribute->values->size() != 1) return bad("there is more than one template");
        auto request = read_template(attribute->values->front());
        if (!request) return request.error();
        out.request = std::move(*request);
    }
    return out;
}

}  // namespace postern::crypto

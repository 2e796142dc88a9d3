#include "core/crypto/certificate_template.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/crypto/der.hpp"
#include "core/crypto/extensions.hpp"
#include "core/crypto/security_identifier.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;

constexpr std::uint8_t uri_tag = der::context(6);  // GeneralName's
constexpr std::string_view oid_ca_issuers = "1.3.6.1.5.5.7.48.2";
constexpr std::string_view oid_ocsp = "1.3.6.1.5.5.7.48.1";

void extension(der::Writer& out, std::string_view oid, bool critical, BytesView value) {
    out.begin(der::sequence).oid(oid);
    if (critical) out.boolean_true();
    out.primitive(der::octet_string, value).end();
}

/// A named bit list: DER drops trailing zero bits (X.690 §11.2.2).
Bytes key_usage_value(const std::vector<KeyUsageBit>& usage) {
    std::uint8_t octet = 0;
    unsigned last = 0;
    for (const auto bit : usage) {
        const auto number = static_cast<unsigned>(bit);
        octet = static_cast<std::uint8_t>(octet | (0x80U >> number));
        last = std::max(last, number);
    }
    der::Writer out;
    out.bits(BytesView(&octet, 1), 7 - last);
    return out.take();
}

Bytes oids_value(const std::vector<std::string>& oids) {
    der::Writer out;
    out.begin(der::sequence);
    for (const auto& oid : oids) out.oid(oid);
    out.end();
    return out.take();
}

Bytes policies_value(const std::vector<std::string>& oids) {
    der::Writer out;
    out.begin(der::sequence);
    for (const auto& oid : oids) out.begin(der::sequence).oid(oid).end();
    out.end();
    return out.take();
}

Bytes basic_constraints_value(const CertificateShape& shape) {
    der::Writer out;
    out.begin(der::sequence);
    if (shape.ca) {
        out.boolean_true();
        if (shape.path_length) out.small_integer(*shape.path_length);
    }
    out.end();
    return out.take();
}

Bytes information_access_value(const CertificateShape& shape) {
    der::Writer out;
    out.begin(der::sequence);
    if (!shape.ocsp_url.empty()) out.begin(der::sequence).oid(oid_ocsp).text(uri_tag, shape.ocsp_url).end();
    if (!shape.ca_issuers_url.empty()) out.begin(der::sequence).oid(oid_ca_issuers).text(uri_tag, shape.ca_issuers_url).end();
    out.end();
    return out.take();
}

/// DistributionPointName with one URL, as certificates and issuing distribution points hold it.
void distribution_point_name(der::Writer& out, std::string_view url) {
    out.begin(der::context_constructed(0)).begin(der::context_constructed(0)).text(uri_tag, url).end().end();
}

Bytes distribution_points_value(std::string_view url) {
    der::Writer out;
    out.begin(der::sequence).begin(der::sequence);
    distribution_point_name(out, url);
    out.end().end();
    return out.take();
}

Bytes authority_key_id_value(BytesView id) {
    der::Writer out;
    out.begin(der::sequence).primitive(der::context(0), id).end();
    return out.take();
}

/// SEQUENCE { INTEGER 5 }: status_request (RFC 7633, RFC 6066 §8), as a whole extension.
Bytes must_staple_extension() {
    der::Writer value;
    value.begin(der::sequence).small_integer(5).end();
    der::Writer out;
    extension(out, oid_tls_feature, false, value.bytes());
    return out.take();
}

bool is_empty_name(BytesView der) { return der.size() == 2; }

}  // namespace

CertificateTemplate::CertificateTemplate(CertificateShape shape) : shape_(std::move(shape)) {
    der::Writer head;
    head.raw(algorithm_identifier(shape_.algorithm)).raw(shape_.issuer_der);
    algorithm_and_issuer_ = head.take();

    der::Writer issuer;
    if (!shape_.authority_key_id.empty())
        extension(issuer, oid_authority_key_id, false, authority_key_id_value(shape_.authority_key_id));
    issuer_extension_ = issuer.take();

    der::Writer usage;
    if (!shape_.key_usage.empty()) extension(usage, oid_key_usage, true, key_usage_value(shape_.key_usage));
    if (!shape_.extended_key_usage.empty())
        extension(usage, oid_extended_key_usage, false, oids_value(shape_.extended_key_usage));
    extension(usage, oid_basic_constraints, true, basic_constraints_value(shape_));
    usage_extensions_ = usage.take();

    der::Writer locations;
    if (!shape_.policies.empty()) extension(locations, oid_certificate_policies, false, policies_value(shape_.policies));
    if (!shape_.ocsp_url.empty() || !shape_.ca_issuers_url.empty())
        extension(locations, oid_authority_info_access, false, information_access_value(shape_));
    if (!shape_.crl_url.empty())
        extension(locations, oid_crl_distribution_points, false, distribution_points_value(shape_.crl_url));
    location_extensions_ = locations.take();
}

core::Bytes CertificateTemplate::to_be_signed(const CertificateFields& fields) const {
    // Text OIDs are parsed once a process, not once a certificate.
    static const Bytes key_id_oid = der::oid_content(oid_subject_key_id);
    static const Bytes alt_name_oid = der::oid_content(oid_subject_alt_name);
    static const Bytes must_staple = must_staple_extension();

    if (fields.serial.empty()) throw std::invalid_argument("a certificate without a serial number");
    der::Writer out;
    out.begin(der::sequence);
    out.begin(der::context_constructed(0)).small_integer(2).end();  // version 3
    out.unsigned_integer(fields.serial).raw(algorithm_and_issuer_);
    out.begin(der::sequence).time(fields.not_before).time(fields.not_after).end();
    out.raw(fields.subject_der).raw(fields.spki);
    out.begin(der::context_constructed(3)).begin(der::sequence);
    out.raw(issuer_extension_);
    if (!fields.subject_key_id.empty()) {
        out.begin(der::sequence).primitive(der::oid, key_id_oid);
        out.begin(der::octet_string).primitive(der::octet_string, fields.subject_key_id).end().end();
    }
    out.raw(usage_extensions_);
    if (!fields.alt_names.empty()) {
        out.begin(der::sequence).primitive(der::oid, alt_name_oid);
        if (is_empty_name(fields.subject_der)) out.boolean_true();  // RFC 5280 §4.2.1.6
        out.primitive(der::octet_string, general_names_der(fields.alt_names)).end();
    }
    out.raw(location_extensions_);
    if (fields.must_staple) out.raw(must_staple);
    if (!fields.security_identifier.empty())
        extension(out, oid_security_identifier, false, security_identifier_extension(fields.security_identifier));
    out.end().end().end();
    return out.take();
}

core::Bytes assemble_signed(BytesView tbs, SignatureAlgorithm algorithm, BytesView signature) {
    der::Writer out;
    out.begin(der::sequence).raw(tbs).raw(algorithm_identifier(algorithm)).bits(signature).end();
    return out.take();
}

core::Bytes crl_to_be_signed(const CrlFields& fields) {
    static const Bytes reason_oid = der::oid_content(oid_reason_code);
    der::Writer out;
    out.begin(der::sequence).small_integer(1);  // version 2
    out.raw(algorithm_identifier(fields.algorithm)).raw(fields.issuer_der).time(fields.this_update).time(fields.next_update);
    if (!fields.entries.empty()) {
        out.begin(der::sequence);
        for (const auto& entry : fields.entries) {
            out.begin(der::sequence).unsigned_integer(entry.serial).time(entry.revoked);
            if (entry.reason != 0) {
                const auto reason = static_cast<std::uint8_t>(entry.reason);
                out.begin(der::sequence).begin(der::sequence).primitive(der::oid, reason_oid);
                out.begin(der::octet_string).primitive(der::enumerated, BytesView(&reason, 1)).end();
                out.end().end();
            }
            out.end();
        }
        out.end();
    }
    out.begin(der::context_constructed(0)).begin(der::sequence);
    if (!fields.authority_key_id.empty())
        extension(out, oid_authority_key_id, false, authority_key_id_value(fields.authority_key_id));
    der::Writer number;
    number.small_integer(fields.number);
    extension(out, oid_crl_number, false, number.bytes());
    if (!fields.distribution_point.empty()) {
        der::Writer point;
        point.begin(der::sequence);
        distribution_point_name(point, fields.distribution_point);
        point.end();
        extension(out, oid_issuing_distribution_point, true, point.bytes());
    }
    out.end().end().end();
    return out.take();
}

}  // namespace postern::crypto

"""csrattrs (RFC 7030 §4.5, RFC 8951 §4, RFC 9908) and cacerts (RFC 7030 §4.1)."""
from cryptography import x509
from harness import der, pkcs10

from .probe import Deviation, NotOffered, certificates, decoded, row

TEMPLATE, EXTENSION_TEMPLATE = "1.2.840.113549.1.9.16.2.61", "1.2.840.113549.1.9.16.2.62"
EC_PUBLIC_KEY, RSA_ENCRYPTION = "1.2.840.10045.2.1", "1.2.840.113549.1.1.1"


def elements(p):
    """[(OID, values or None)] of the answer to csrattrs."""
    answer = p.get("csrattrs")
    if answer.status in (204, 404):
        raise NotOffered(f"csrattrs answers {answer.status}")
    p.status(answer, 200)
    p.need(answer.media_type == "application/csrattrs", f"Content-Type {answer.get('Content-Type')!r}")
    found = []
    try:
        for each in der.whole(decoded(answer)).expect(der.SEQUENCE, "CsrAttrs").children():
            if each.tag == der.OID:
                found.append((each.oid(), None))
                continue
            kind, values = each.expect(der.SEQUENCE, "an Attribute").children()
            found.append((kind.oid(), values.expect(der.SET, "values").children()))
    except (der.NotDer, ValueError) as broken:
        raise Deviation(f"no CsrAttrs: {broken}") from None
    return found


def of(found, oid):
    return [values for kind, values in found if kind == oid and values is not None]


@row("1.8", "csrattrs", "application/csrattrs, a SEQUENCE OF OID or Attribute, in DER")
def csrattrs_shape(p):
    return f"{len(elements(p))} elements"


@row("1.8", "csrattrs: extensionRequest and keys", "at most one extensionRequest, each extension once; at most one curve or size of key")
def csrattrs_legacy(p):
    found = elements(p)
    requests = of(found, pkcs10.EXTENSION_REQUEST)
    p.need(len(requests) <= 1, f"{len(requests)} extensionRequest attributes")
    for values in requests:
        p.need(len(values) == 1, "an extensionRequest with several values")
        oids = [each.children()[0].oid() for each in values[0].children()]
        p.need(len(oids) == len(set(oids)), "an extension twice")
    for kind in (EC_PUBLIC_KEY, RSA_ENCRYPTION):
        p.need(len(of(found, kind)) <= 1 and all(len(values) <= 1 for values in of(found, kind)), "several keys of one kind")
    return "as expected"


@row("1.8", "csrattrs: certificationRequestInfoTemplate (RFC 9908)", "at most one: version 0, subject, [0] key, [1] attributes; extensionRequest or extensionReqTemplate, not both")
def csrattrs_template(p):
    templates = of(elements(p), TEMPLATE)
    if not templates:
        raise NotOffered("no template")
    p.need(len(templates) == 1 and len(templates[0]) == 1, "several templates")
    parts = templates[0][0].expect(der.SEQUENCE, "the template").children()
    tags = [part.tag for part in parts]
    p.need(tags[0] == der.INTEGER and parts[0].integer() == 0, "version")
    allowed = [tag for tag in (der.SEQUENCE, 0xA0, 0xA1) if tag in tags[1:]]
    p.need(tags[1:] == allowed and tags[-1] == 0xA1, f"parts {tags}")
    kinds = [each.children()[0].oid() for each in parts[-1].children()]
    p.need(len(kinds) == len(set(kinds)) and not {pkcs10.EXTENSION_REQUEST, EXTENSION_TEMPLATE} <= set(kinds), f"attributes {kinds}")
    return "as expected"


@row("1.8", "a CSR that does as csrattrs says", "200")
def csrattrs_are_enough(p):
    found = elements(p)
    sizes = [values for values in of(found, RSA_ENCRYPTION)]
    key = p.key("rsa2048") if sizes and not of(found, EC_PUBLIC_KEY) else p.key()
    p.certificate(p.enroll(p.csr(key)), key)


@row("1.9", "cacerts", "every certificate is a CA's in its days; the last one is self-signed; each but it has its issuer there")
def cacerts_order(p):
    chain = [x509.load_der_x509_certificate(each) for each in certificates(p.status(p.get("cacerts"), 200))]
    for made in chain:
        p.need(made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca, f"{made.subject.rfc4514_string()} is no CA")
    p.need(chain[-1].subject == chain[-1].issuer, f"the last is {chain[-1].subject.rfc4514_string()}, which is no root")
    for made in chain:
        p.need(any(made.issuer == each.subject for each in chain), f"the issuer of {made.subject.rfc4514_string()} is not there")
    p.need(len({made.fingerprint(made.signature_hash_algorithm) for made in chain}) == len(chain), "a certificate twice")
    return f"{len(chain)} certificates"


@row("1.9", "cacerts of one connection and of the next", "the same octets")
def cacerts_repeats(p):
    first, second = p.get("cacerts"), p.get("cacerts")
    p.need(first.body == second.body, "other octets")

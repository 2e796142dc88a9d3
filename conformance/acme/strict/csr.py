"""What a CSR may say (RFC 8555 §7.4, §11.1; RFC 2986)."""
from cryptography import x509

from harness import der, jose, pkcs10
from harness.jose import Key
from harness.weak_keys import WeakRsa

from .probe import kind_of, row, shown
from .requests import alternatives, csr_for, general_name

NO_CSR = ("badCSR",)


def ready(p, *names):
    """(client, names, order URL, order), proven."""
    client = p.account()
    names = names or (p.name(),)
    url, order = client.ready(*names)
    return client, names, url, order


def refused(p, client, url, order, csrs, types=NO_CSR):
    """Each is refused, and leaves the order ready."""
    for what, csr in csrs.items():
        answer = client.finalize(order, csr)
        p.need(answer.status in (400, 403) and kind_of(answer) in types, f"{what}: {shown(answer)}")
        p.need(client.read(url)["status"] == "ready", f"{what}: the order is {client.read(url)['status']}")


def issued(p, client, url, order, csr):
    p.ok(client.finalize(order, csr))
    return client.fetched(url)[0]


def names_of(leaf):
    return sorted(leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName))


@row("5", "RFC 8555 §7.4", "a name too few, a name too many, another name", "400 badCSR, and the order stays ready; then the right one is issued", "J18")
def csr_of_other_names(p):
    client, names, url, order = ready(p, p.name(), p.name("www."))
    key = Key()
    refused(p, client, url, order, {"one less": csr_for(key, names[0]), "one more": csr_for(key, *names, p.name("more.")), "another": csr_for(key, names[0], p.name("x.")),
                                    "parent": csr_for(key, *names, p.target.suffix), "none": csr_for(key)})
    p.need(names_of(issued(p, client, url, order, csr_for(key, *names))) == sorted(names), "other names")


@row("1.2", "RFC 8555 §7.4", "a CSR with a CN alone", "issued, the name in the SAN")
def csr_with_common_name_only(p):
    client, names, url, order = ready(p)
    csr = csr_for(Key(), common_name=names[0], extensions=[])
    answer = client.finalize(order, csr)
    p.need(answer.status == 200, shown(answer))
    p.need(names_of(client.fetched(url)[0]) == list(names), "not in the SAN")


@row("5", "RFC 8555 §7.4", "a CN that is not among the names", "400 badCSR, and the order stays ready", "J18")
def csr_with_another_common_name(p):
    client, names, url, order = ready(p)
    refused(p, client, url, order, {"CN": csr_for(Key(), *names, common_name=p.name("other.")), "two CNs": csr_for(
        Key(), *names, subject=pkcs10.name([("CN", names[0]), ("CN", p.name("other."))]))})


@row("5", "RFC 5280 A.1 (ub-common-name)", "a CN of 65 octets that is one of the names", "400 badCSR, or issued without it: no certificate has a CN of more than 64", "X17")
def csr_with_a_long_common_name(p):
    name = p.name(f"{'a' * 55}.{'b' * 10}.")
    client, names, url, order = ready(p, name)
    answer = client.finalize(order, csr_for(Key(), name, common_name=name))
    if answer.status == 200:
        p.need(not client.fetched(url)[0].subject.rdns, "issued with it")
    else:
        p.problem(answer, 400, "badCSR")


@row("1.2", "RFC 8555 §7.4", "the names in another order, in capitals, each twice", "issued: compared as a set, without case")
def csr_of_the_same_set(p):
    client, names, url, order = ready(p, p.name(), p.name("www."))
    p.need(names_of(issued(p, client, url, order, csr_for(Key(), names[1].upper(), names[0], names[0]))) == sorted(names), "other names")


@row("5", "RFC 8555 §11.1", "a CSR signed with SHA-1, with MD5", "400 badCSR, and the order stays ready")
def csr_with_an_old_hash(p):
    client, names, url, order = ready(p)
    key = p.kept("RSA 2048", lambda: Key("RSA 2048"))
    refused(p, client, url, order, {"SHA-1": csr_for(key, *names, digest="sha1"), "ECDSA SHA-1": csr_for(Key(), *names, digest="sha1")})


@row("1.2", "RFC 8555 §7.4", "a CSR whose signature is wrong, of another key, of zeros", "400 badCSR, and the order stays ready")
def csr_with_a_wrong_signature(p):
    client, names, url, order = ready(p)
    key = Key()
    refused(p, client, url, order, {"wrong": csr_for(key, *names, bad_signature=True), "another's": csr_for(key, *names, spki_of=Key().private)})


@row("5", "RFC 5280 §4.2", "the SAN extension twice; basicConstraints twice", "400 badCSR (or malformed), and the order stays ready")
def csr_with_an_extension_twice(p):
    client, names, url, order = ready(p)
    san = pkcs10.alternative_names(dns=names)
    refused(p, client, url, order, {"SAN": csr_for(Key(), extensions=[san, san]),
                                    "basicConstraints": csr_for(Key(), extensions=[san, pkcs10.basic_constraints(False), pkcs10.basic_constraints(True)])},
            ("badCSR", "malformed"))


@row("5", "RFC 8555 §11.1", "RSA of 1024 bits, of close primes, of the ROCA family, with a small factor", "400 badCSR (or badPublicKey), and the order stays ready")
def csr_of_a_weak_key(p):
    client, names, url, order = ready(p)
    csrs = {"RSA 1024": csr_for(Key("RSA 1024"), *names)}
    csrs.update({name: WeakRsa(name).csr(names) for name in ("close-primes-2048", "roca-2048", "factor-751")})
    refused(p, client, url, order, csrs, ("badCSR", "badPublicKey"))


@row("5", "RFC 8555 §11.1, CVE-2008-0166", "an RSA key that Debian's OpenSSL of 2008 made", "400 badCSR (or badPublicKey), and the order stays ready")
def csr_of_a_debian_key(p):
    client, names, url, order = ready(p)
    refused(p, client, url, order, {"Debian": WeakRsa("debian-weak").csr(names)}, ("badCSR", "badPublicKey"))


@row("5", "RFC 8555 §11.1", "the account's own key; the key of another account", "400 badCSR, and the order stays ready", "J19")
def csr_of_an_account_key(p):
    client, names, url, order = ready(p)
    other = p.account()
    refused(p, client, url, order, {"own": csr_for(client.key, *names), "another's": csr_for(other.key, *names)})


@row("1.2", "acme.md §1.2", "a SAN with an e-mail address, a URI, a directory name, an otherName beside the name", "400 badCSR, and the order stays ready")
def csr_with_other_kinds_of_names(p):
    client, names, url, order = ready(p)
    dns = general_name(2, names[0].encode())
    others = {"mail": general_name(1, b"a@example.org"), "URI": general_name(6, b"https://example.org/"), "address": general_name(7, bytes([127, 0, 0, 1])),
              "UPN": general_name(0, der.oid(pkcs10.UPN) + der.context(0, der.utf8("a@example.org")), constructed=True),
              "directory name": general_name(4, pkcs10.name([("CN", "x")]), constructed=True)}
    refused(p, client, url, order, {what: csr_for(Key(), extensions=[alternatives(dns, each)]) for what, each in others.items()})


@row("5", "acme.md §1.2", "an address in the CN of a CSR for a name", "400 badCSR, and the order stays ready")
def csr_with_an_address_as_common_name(p):
    client, names, url, order = ready(p)
    refused(p, client, url, order, {"IPv4": csr_for(Key(), *names, common_name="127.0.0.1")})


@row("1.2", "RFC 8555 §7.4", "csr that is PEM, padded, no base64url, empty, a number; none; no DER; DER with more behind it", "400 badCSR or malformed, and the order stays ready")
def csr_that_is_none(p):
    client, names, url, order = ready(p)
    good = csr_for(Key(), *names)
    pem = "-----BEGIN CERTIFICATE REQUEST-----\n" + jose.b64(good) + "\n-----END CERTIFICATE REQUEST-----\n"
    for what, payload in {"PEM": {"csr": pem}, "padded": {"csr": jose.b64(good) + "="}, "empty": {"csr": ""}, "number": {"csr": 1}, "none": {}, "no DER": {"csr": jose.b64(b"x" * 300)},
                          "more": {"csr": jose.b64(good + b"\0")}, "half": {"csr": jose.b64(good[:100])}, "list": "[]"}.items():
        answer = client.post(order["finalize"], payload)
        p.need(answer.status == 400 and kind_of(answer) in ("badCSR", "malformed"), f"{what}: {shown(answer)}")
    p.need(client.read(url)["status"] == "ready", "the order is no longer ready")


@row("1.2", "threats.md X05", "a CSR that asks to be a CA: basicConstraints, keyCertSign", "400 badCSR, or issued and no CA", "X05")
def csr_that_wants_a_ca(p):
    client, names, url, order = ready(p)
    csr = csr_for(Key(), extensions=[pkcs10.alternative_names(dns=names), pkcs10.basic_constraints(True), pkcs10.key_usage("keyCertSign", "cRLSign")])
    answer = client.finalize(order, csr)
    if answer.status != 200:
        p.problem(answer, 400, "badCSR")
        return shown(answer)
    leaf = client.fetched(url)[0]
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    is_ca = any(each.oid == x509.BasicConstraints.oid and each.value.ca for each in leaf.extensions)
    p.need(not is_ca and not usage.key_cert_sign and not usage.crl_sign, "a CA was made")
    return "issued, and no CA"


@row("1.2", "RFC 8555 §7.4", "CSRs of P-384 and RSA 2048", "issued with that key")
def csr_of_other_keys(p):
    for kind in ("P-384", "RSA 2048"):
        client, names, url, order = ready(p)
        key = Key(kind)
        answer = client.finalize(order, csr_for(key, *names))
        p.need(answer.status == 200, f"{kind}: {shown(answer)}")
        p.need(client.fetched(url)[0].public_key().public_numbers() == key.private.public_key().public_numbers(), f"{kind}: another key")

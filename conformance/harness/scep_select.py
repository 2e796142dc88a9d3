"""Which of the certificates of GetCACert a device envelopes to, and takes as signer of what comes back.

apple    SecSCEP.c: of a bag, the first certificate with both usages; all chains must end in one certificate
windows  needs one that may encrypt keys, and stops without
general  RFC 8894's clients: one that issued none of the others and may encrypt keys, else the first
"""
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.serialization import Encoding

from .scep_reply import Unacceptable, require

CA_CERT, CA_RA_CERT = "application/x-x509-ca-cert", "application/x-x509-ca-ra-cert"


def _signed_by(certificate, issuer):
    if certificate.issuer != issuer.subject:
        return False
    key = issuer.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), certificate.signature_hash_algorithm)
        else:
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, ECDSA(certificate.signature_hash_algorithm))
    except InvalidSignature:
        return False
    return True


def chain(certificate, bag):
    """From the certificate up, as far as the bag goes."""
    found = [certificate]
    while not _signed_by(found[-1], found[-1]):
        above = [each for each in bag if each not in found and _signed_by(found[-1], each)]
        if not above:
            break
        found.append(above[0])
    return found


def usages(certificate):
    """(may sign, may encrypt keys); a certificate that does not say may both."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True, True
    return usage.digital_signature, usage.key_encipherment


def _apple(bag, content_type):
    if content_type == CA_CERT:
        return bag[0]
    tops = {chain(each, bag)[-1].public_bytes(Encoding.DER) for each in bag}
    require(len(tops) == 1, f"the chains of the bag end in {len(tops)} certificates")
    ras = [each for each in bag if usages(each) == (True, True) and not _signed_by(each, each)]
    require(ras, "failed to find candidate RA certificates")
    return ras[0]


def _windows(bag, _):
    encrypting = [each for each in bag if usages(each)[1]]
    require(encrypting, "requested certificate does not exist (0x8010002c): none may encrypt keys")
    leaves = [each for each in encrypting if not _issued_another(each, bag)]
    return (leaves or encrypting)[0]


def _issued_another(certificate, bag):
    return any(_signed_by(each, certificate) for each in bag)


def _general(bag, _):
    fitting = [each for each in bag if usages(each)[1] and not _issued_another(each, bag)]
    return (fitting or bag)[0]


_RULES = {"apple": _apple, "windows": _windows, "general": _general}


def recipient(rule, certificates, content_type):
    """The certificate (DER) of the list (DER) that a device with this rule uses, or Unacceptable."""
    require(certificates, "GetCACert gave no certificate")
    try:
        bag = [x509.load_der_x509_certificate(each) for each in certificates]
    except ValueError as wrong:
        raise Unacceptable(f"GetCACert gave no certificate: {wrong}") from wrong
    found = _RULES[rule](bag, content_type)
    require(isinstance(found.public_key(), rsa.RSAPublicKey), "the recipient has no RSA key")
    return certificates[bag.index(found)]


def issuing_ca(certificates, chosen):
    """Of the bag, the one that issued the chosen certificate; itself where nobody else did."""
    bag = [x509.load_der_x509_certificate(each) for each in certificates]
    one = x509.load_der_x509_certificate(chosen)
    above = chain(one, bag)
    return certificates[bag.index(above[1])] if len(above) > 1 else chosen

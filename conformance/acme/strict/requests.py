"""CSRs, right and wrong (RFC 2986), of keys of harness.jose and of harness.weak_keys."""
import ipaddress

from harness import der, pkcs10
from harness.seeded import Random


def csr_for(key, *names, common_name=None, subject=None, extensions=None, ips=(), **knobs):
    """DER. `names` are DNS names and stand in the SAN; `extensions` replaces what makes it; other knobs are those of pkcs10.csr."""
    if extensions is None:
        extensions = [pkcs10.alternative_names(dns=names, ip=ips)] if names or ips else []
    if subject is None:
        subject = pkcs10.name([("CN", common_name)] if common_name is not None else [])
    return pkcs10.csr(key.private, subject, Random(), extensions=extensions, **knobs)


def ip_name(text):
    """The identifier of an address in canonical text (RFC 8738 §3)."""
    return {"type": "ip", "value": ipaddress.ip_address(text).compressed}


def general_name(tag, content, constructed=False):
    return der.context(tag, content, constructed=constructed)


def alternatives(*names):
    """A SAN extension of general names that were made octet by octet."""
    return pkcs10.extension(pkcs10.SUBJECT_ALT_NAME, der.sequence(*names))

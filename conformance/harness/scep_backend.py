"""SCEP endpoints whose certificates come from a CA behind a command: what documents say of them."""

_RA_PROFILE = """
[[profile]]
name = "{name}-ra"
backend = "{name}"
lifetime = "90d"
keys = ["rsa-2048"]
key_usage = ["digitalSignature", "keyEncipherment"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]
"""
_ENDPOINT = """
[[profile]]
name = "{name}-device"
backend = "{name}"
lifetime = "30d"
keys = ["rsa-2048"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]
[[endpoint]]
name = "{name}-scep"
protocol = "scep"
profiles = ["{name}-device"]
get_crl = true
{ra}
[[account]]
name = "{name}-scep"
endpoint = "{name}-scep"
method = "access_code"
common_names = ["*"]
secret = {{generate = true}}
"""


def by_profile(ca):
    """The endpoint's line by which that CA issues the RA's certificate, too."""
    return f'ra_profile = "{ca.name}-ra"'


def document(ca, ra, own_profile=True):
    """TOML of a stand-in CA and its endpoint, "NAME-scep". `ra`: what the endpoint says of its RA; `own_profile`: with one for the RA."""
    return ca.document(timeout="60s") + (_RA_PROFILE if own_profile else "").format(name=ca.name) + _ENDPOINT.format(name=ca.name, ra=ra)

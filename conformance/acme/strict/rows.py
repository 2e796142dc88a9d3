"""All rows, in the order of the table."""
from . import (accounts, authorizations, bindings, caa, certificates, challenges, csr, dns_01, finalize, http_01, jws, key_change, keys, late, nonces, order_names, orders, others, renewal, revocation, tls_alpn_01,  # noqa: F401  (they add theirs)
               transport)
from .probe import ROWS

_ORDER = ("1.1", "1.2", "2.1", "2.3", "3", "4", "5")
assert {one.section for one in ROWS} <= set(_ORDER)
ROWS.sort(key=lambda one: _ORDER.index(one.section))

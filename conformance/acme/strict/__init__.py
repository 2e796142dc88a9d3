"""A strict ACME client that sends what no real one sends, and judges the answers by RFC 8555, 8737, 8738, 8659, 8657 and 9773.

probe.py      what is asked, one object a row; the list of rows
answers.py    what an answer says, and what is wrong with it
client.py     one key at one directory, all of whose messages can be wrong
requests.py   CSRs
world.py names.py   what the server asks back: web, name and TLS servers
targets.py    Postern and Pebble, started for the probe
table.py      the table as text and as Markdown
transport.py jws.py nonces.py keys.py accounts.py bindings.py key_change.py orders.py order_names.py authorizations.py challenges.py csr.py
finalize.py certificates.py revocation.py http_01.py dns_01.py tls_alpn_01.py caa.py renewal.py others.py late.py
              the rows; each is a function whose name is the row's

../probe runs it against any server, ../test_probe.py against Postern; ../gaps.toml lists what Postern does not do yet.
"""

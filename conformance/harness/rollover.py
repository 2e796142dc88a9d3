"""A new root for the built-in CA, which takes over in a moment: from then on it has two chains."""
import json
import socket
import ssl
from datetime import datetime, timedelta, timezone

from .laboratory import nodes_of
from .waiting import until
from .wire import ask


def succeed_root(server):
    """The key ids of the new issuing CA and of its root. A machine may be so busy that the time is over when the verb arrives."""
    for seconds in (10, 40, 160, 640):
        at = (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        done = server.verb("ca", "rollover", "--root", "--at", at, "--json", "--data", server.data)
        if "takes over in the future" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    return made["authority"], made["root"]["authority"]


def await_takeover(server, authorities):
    """Until it issues, and the server shows a certificate of its. Gives the new root, DER."""
    root = ask(f"{server.scep().split('/scep')[0]}/ca/{authorities[1]}.cer").body
    trusting = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(root))
    def issuing():
        return next(row["authority"] for row in json.loads(server.cli("ca", "authorities", "--json"))["authorities"] if row["role"] == "issuing")

    def is_trusted(node):
        try:
            with socket.create_connection(("127.0.0.1", node.port("https"))) as connection, trusting.wrap_socket(connection, server_hostname="127.0.0.1"):
                return True
        except ssl.SSLCertVerificationError:
            return False

    until(lambda: issuing() == authorities[0], "the successor does not take over")
    for node in nodes_of(server):
        until(lambda node=node: is_trusted(node), "a node's own certificate is not under the new root")
    return root

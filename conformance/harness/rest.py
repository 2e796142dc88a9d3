"""Postern's HTTPS listener as another program asks it: REST with a token, and pages that want a password."""
import base64
import http.client
import json
import ssl
import urllib.parse
from types import SimpleNamespace


class Rest:
    """`token`: of `principal create`; None asks as nobody."""

    def __init__(self, server, token=None):
        self.place = urllib.parse.urlsplit(server.directory()).netloc
        self.context = ssl.create_default_context(cafile=server.root)
        self.token = token

    def ask(self, method, path, body=None, headers=()):
        """Status, headers, body (octets), and `said`: the body's JSON, or None."""
        headers = dict(headers)
        if self.token and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            body, headers["Content-Type"] = json.dumps(body), "application/json"
        connection = http.client.HTTPSConnection(self.place, context=self.context, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            octets = answer.read()
        finally:
            connection.close()
        is_json = answer.headers.get_content_type() == "application/json"
        return SimpleNamespace(status=answer.status, headers=answer.headers, body=octets, said=json.loads(octets) if is_json else None)

    def page(self, path, password=None, user="mdm", method="GET"):
        """A page behind HTTP Basic."""
        headers = {}
        if password is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        return Rest.ask(self, method, path, headers=headers)


def token_of(server, name, role, tenant=None):
    """A new principal's token."""
    words = ["principal", "create", name, "--role", role, "--json"] + (["--tenant", tenant] if tenant else [])
    return json.loads(server.cli(*words))["token"]

"""Plain HTTP questions, past all proxies."""
import ssl
import urllib.error
import urllib.request
from types import SimpleNamespace


def ask(url, body=None, root=None, **headers):
    """GET, or POST when there is a body. Underscores in the names of headers stand for hyphens."""
    context = ssl.create_default_context(cafile=root) if root else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(url, data=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with opener.open(request, timeout=60) as answer:
            return SimpleNamespace(status=answer.status, headers=answer.headers, body=answer.read())
    except urllib.error.HTTPError as answer:
        return SimpleNamespace(status=answer.code, headers=answer.headers, body=answer.read())

"""What the management listener says, and waiting for it to say something else."""
import ssl
import time
from urllib.parse import urlsplit

from cryptography import x509

from .wire import ask

NET_SECONDS = 60


def readiness(server):
    answer = ask(server.ready["management"] + "/readyz")
    return answer.status, answer.body.decode()


def await_readiness(server, status):
    """Its text once it has the status; the time only bounds a hang."""
    end = time.monotonic() + NET_SECONDS
    while True:
        got, text = readiness(server)
        if got == status:
            return text
        assert time.monotonic() < end, f"still {got}: {text}"
        time.sleep(0.05)


def metrics(server):
    """{"name{labels}": value}"""
    lines = ask(server.ready["management"] + "/metrics").body.decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def await_metric(server, name, value):
    end = time.monotonic() + NET_SECONDS
    while (got := metrics(server).get(name)) != value:
        assert time.monotonic() < end, f"{name} is still {got}"
        time.sleep(0.05)


def crl_url(server):
    """As the server's own certificate names it."""
    where = urlsplit(server.directory())
    own = x509.load_pem_x509_certificate(ssl.get_server_certificate((where.hostname, where.port)).encode())
    points = own.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    return points[0].full_name[0].value

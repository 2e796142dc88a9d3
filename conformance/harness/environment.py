"""What every child process gets: no proxies, no trust store but the one that a test names."""
import os
from pathlib import Path

_DROPPED = {"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "LEGO_CA_CERTIFICATES"}

_BUILD = Path(__file__).resolve().parents[2] / "build/release"
LOAD = _BUILD / "bench/acme_load"
SCEP_LOAD = _BUILD / "bench/scep_load"
EST_LOAD = _BUILD / "bench/est_load"


def executable():
    """The Postern under test."""
    return Path(os.environ.get("POSTERN", _BUILD / "postern"))


def faulty_executable():
    """The same objects with fail points that obey POSTERN_FAIL."""
    return executable().with_name("postern-faulty")


def environment(**extra):
    kept = {k: v for k, v in os.environ.items() if k not in _DROPPED and not k.lower().endswith("_proxy")}
    return {**kept, "LC_ALL": "C.UTF-8", **extra}

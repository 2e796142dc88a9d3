"""Where seeds go, and what each kind needs to write them."""
import base64
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
CRYPTO = ROOT / "tests/data/crypto"
BASE = "https://ca.example:8443"


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def number(value, width=None):
    return b64(value.to_bytes(width or (value.bit_length() + 7) // 8, "big"))


def write(target, name, content):
    folder = HERE / target
    folder.mkdir(exist_ok=True)
    path = folder / f"seed-{name}"
    if not path.exists() or "--again" in sys.argv:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

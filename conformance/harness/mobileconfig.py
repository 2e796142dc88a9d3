"""Configuration profiles of Apple's devices (.mobileconfig), as a device reads them: nothing before the signature holds."""
import plistlib
import subprocess

from .environment import environment

TRUST, SCEP = ("com.apple.security.root", "com.apple.security.pkcs1"), "com.apple.security.scep"


def signed_content(path, root, at=None):
    """What somebody signed whom `root` (PEM file) vouches for, at a moment (Unix seconds) or now."""
    when = () if at is None else ("-attime", str(int(at)))
    done = subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", path, "-CAfile", root, "-purpose", "any", *when],
                          capture_output=True, check=False, env=environment())
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def read(path, root, at=None):
    """The whole profile, its trusted certificates (DER) and its one SCEP payload."""
    profile = plistlib.loads(signed_content(path, root, at))
    payloads = profile["PayloadContent"]
    [scep] = [each for each in payloads if each["PayloadType"] == SCEP]
    return profile, [each["PayloadContent"] for each in payloads if each["PayloadType"] in TRUST], scep["PayloadContent"]

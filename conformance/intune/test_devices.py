"""What the simulated devices send is what the profile of a sealed challenge asks for."""
import hashlib

import pytest
from harness import pkcs10
from harness.scep_device import Device
from harness.scep_style import ANDROID, APPLE, WINDOWS
from intune.profile import Profile

pytestmark = pytest.mark.together

PROFILE = Profile([("CN", "ann"), ("E", "ann@corp.test"), ("C", "DE")], upn=["ann@corp.test"], sid="S-1-5-21-1-2-3-1104")


def device(style, seed="d"):
    return Device("http://127.0.0.1", style, subject=PROFILE.subject, extensions=PROFILE.extensions(), seed=seed)


@pytest.mark.parametrize("style", [APPLE, WINDOWS, ANDROID], ids=lambda style: style.name)
def test_a_device_is_recognised(client, tenant, style):
    each = device(style)
    keys = [hashlib.sha256(pkcs10.public_key_info(each.key)).hexdigest()]
    challenge = tenant.mint_challenge(keys=keys, **PROFILE.binding())["challenge"]

    def code(csr):
        return client.post("validate", client.validation(csr, style.transaction_id(each.key))).json["code"]

    assert code(each.csr(challenge)) == "Success"
    assert code(device(style, "other").csr(challenge)) == "RegisteredKeyMismatch"
    assert code(each.csr(challenge, subject=pkcs10.name([("CN", "domain-controller")]))) == "SubjectNameMismatch"
    assert code(each.csr(challenge, extensions=[*PROFILE.extensions(), pkcs10.sid_extension("S-1-5-21-1-2-3-500")])) == "Success"
    assert code(each.csr(challenge, bad_signature=True)) == "CertificateRequestDecodingFailed"
    plain = Profile([("CN", "plain")])
    without = each.csr(tenant.mint_challenge(**plain.binding())["challenge"], subject=pkcs10.name(plain.subject), extensions=plain.extensions())
    assert code(without) == "Success", "no names, and none are wanted"

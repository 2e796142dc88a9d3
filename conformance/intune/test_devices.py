"""What the simulated devices send is what the profile of a sealed challenge asks for."""
import hashlib

import pytest
from harness import pkcs10
from harness.scep_device import Device
from harness.scep_style import ANDROID, APPLE, WINDOWS

pytestmark = pytest.mark.together

SID = "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1104"
EXTENSIONS = [pkcs10.key_usage("digitalSignature", "keyEncipherment"), pkcs10.extended_key_usage(pkcs10.CLIENT_AUTH),
              pkcs10.alternative_names(upn=["ann@corp.test"], uri=[SID])]
PROFILE = {"subject": [["CN", "ann"], ["E", "ann@corp.test"], ["C", "DE"]], "names": ["upn:ann@corp.test", f"uri:{SID}"], "key_size": 2048,
           "key_usage": ["digitalSignature", "keyEncipherment"], "extended_key_usage": [pkcs10.CLIENT_AUTH]}


def device(style, seed="d"):
    return Device("http://127.0.0.1", style, subject=[tuple(part) for part in PROFILE["subject"]], extensions=EXTENSIONS, seed=seed)


@pytest.mark.parametrize("style", [APPLE, WINDOWS, ANDROID], ids=lambda style: style.name)
def test_a_device_is_recognised(client, tenant, style):
    each = device(style)
    keys = [hashlib.sha256(pkcs10.public_key_info(each.key)).hexdigest()]
    challenge = tenant.mint_challenge(keys=keys, **PROFILE)["challenge"]

    def code(csr):
        return client.post("validate", client.validation(csr, style.transaction_id(each.key))).json["code"]

    assert code(each.csr(challenge)) == "Success"
    assert code(device(style, "other").csr(challenge)) == "RegisteredKeyMismatch"
    assert code(each.csr(challenge, subject=pkcs10.name([("CN", "domain-controller")]))) == "SubjectNameMismatch"
    assert code(each.csr(challenge, extensions=[*EXTENSIONS, pkcs10.sid_extension("S-1-5-21-1-2-3-500")])) == "Success"
    assert code(each.csr(challenge, bad_signature=True)) == "CertificateRequestDecodingFailed"

"""Extensions by which devices and people are named in a CSR, as Intune's profiles have Windows and Apple's devices ask, and as those who
want to be somebody else do."""
from . import der, pkcs10

SID_URI = "tag:microsoft.com,2022-09-14:sid:"
SID = "S-1-5-21-3623811015-3361044348-30300820-500"  # a domain's Administrator
SPN = "1.3.6.1.5.2.2"


def names(**kinds):
    """The extensions of a CSR that names that: dns, email, uri, upn, ip, each a list of texts."""
    return [pkcs10.alternative_names(**kinds)]


def requested(extensions):
    """The value of the subjectAltName among them (DER)."""
    [value] = [parts[-1].content for parts in (der.whole(each).children() for each in extensions)
               if parts[0].raw == der.oid(pkcs10.SUBJECT_ALT_NAME)]
    return value


def _other(oid, value):
    return pkcs10.extension(pkcs10.SUBJECT_ALT_NAME, der.sequence(der.context(0, der.oid(oid), der.context(0, value))))


# A security identifier in every dress that somebody could take for the right one.
DISGUISES = {
    "plain": names(uri=[SID_URI + SID]),
    "capitals": names(uri=[SID_URI.upper() + SID]),
    "small": names(uri=[SID_URI + SID.lower()]),
    "percent": names(uri=[(SID_URI + SID).replace(",", "%2C")]),
    "percent_twice": names(uri=[(SID_URI + SID).replace(",", "%252C")]),
    "percent_letters": names(uri=["%74%61%67:microsoft.com,2022-09-14:%73id:" + SID]),
    "more_behind": names(uri=[SID_URI + SID + "?a"]),
    "space_behind": names(uri=[SID_URI + SID + " "]),
    "fragment": names(uri=[SID_URI + SID + "#"]),
    "two": names(uri=[SID_URI + SID, SID_URI + SID[:-3] + "1104"]),
    "twice": names(uri=[SID_URI + SID, SID_URI + SID]),
    "of_a_group": names(uri=[SID_URI + "S-1-5-32-544"]),
    "as_host": names(dns=[SID_URI + SID]),
    "as_mailbox": names(email=[SID_URI + SID + "@corp.test"]),
    "as_principal": names(upn=[SID_URI + SID + "@corp.test"]),
    "utf16": [_other(SPN, der.string(der.BMP, SID_URI + SID))],
    "principal_utf16": [_other(pkcs10.UPN, der.string(der.BMP, SID_URI + SID))],
}

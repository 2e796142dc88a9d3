"""What a call can do instead of answering well. Each is a JSON object, made here and carried out by wire.py.

  carried_out  false: the call is not looked at beyond the journal, and nothing is recorded of it (default true)
  status, headers, body (base64)   of the answer, in place of its own
  set, remove  keys of the answer's JSON object
  bom, cut_body                    an octet order mark before it; only so many octets of the body, with a length to match
  encode       gzip or chunked
  pause        seconds before the first octet
  drip         seconds after each octet
  end_after    octets of the answer after which the connection ends, or, below zero, so many before its end; with `reset` by RST
  hold         no octet until the client leaves or `release` is called
  stale        the answer is well, and the connection is dead when the next request comes
"""
import base64

HUGE = 10 << 20


def well():
    return {}


def instead(**answered):
    """HTTP 200 with this object, whatever the request is like; nothing is recorded."""
    return {"carried_out": False, "json": answered}


def code(text):
    """A code of Intune's; unknown ones and the wrong case too."""
    return instead(code=text, errorDescription=f"scripted {text}")


def no_code():
    return {"remove": ["code"]}


def fields(**changed):
    """Keys of an answer that is right otherwise, and carried out: code=None, errorDescription=None, expires_in="3599" …"""
    return {"set": changed}


def extra_fields():
    return fields(code2="SubjectNameMismatch", nested={"code": "ChallengeExpired"}, **{"@odata.type": "#whatever"})


def status(number, retry_after=None, body=None, content_type="application/json", carried_out=False):
    """`retry_after`: seconds or a text as it stands; `{"in": seconds}` makes a date of the stand-in's clock."""
    headers = [["Content-Type", content_type]] + ([["Retry-After", retry_after]] if retry_after is not None else [])
    made = {"carried_out": carried_out, "status": number, "headers": headers}
    if body is not None:
        made["body"] = base64.b64encode(body.encode() if isinstance(body, str) else body).decode()
    else:
        made["json"] = {"error": {"code": f"Scripted{number}", "message": f"scripted {number}"}}
    return made


def throttled(retry_after=None):
    return status(429, retry_after)


def body(octets, content_type="application/json", number=200):
    return status(number, body=octets, content_type=content_type)


def redirect(url, number=307):
    """To wherever: nobody who holds a token should follow."""
    return {"carried_out": False, "status": number, "headers": [["Location", url]], "body": ""}


def html():
    return body("<!DOCTYPE html><html><body>Our services aren't available right now</body></html>", "text/html")


def empty():
    return body(b"")


def no_content():
    return {"carried_out": False, "status": 204, "headers": [], "body": ""}


def malformed():
    return body('{"code": Success, "errorDescription": ""')


def not_an_object():
    return body('["Success"]')


def truncated(octets=20):
    """The right answer, of which the rest is missing though its length is right."""
    return {"cut_body": octets}


def huge():
    """10 MB of JSON that says Success at its end."""
    return {"fill": HUGE}


def bom():
    return {"bom": True}


def gzip():
    return {"encode": "gzip"}


def chunked():
    return {"encode": "chunked"}


def slow(seconds):
    return {"pause": seconds}


def drip(seconds):
    return {"drip": seconds}


def silence(carried_out=False):
    return {"carried_out": carried_out, "hold": True}


def reset(after=0, carried_out=False):
    """RST after so many octets of the answer."""
    return {"carried_out": carried_out, "end_after": after, "reset": True}


def closed(after=0, carried_out=False):
    return {"carried_out": carried_out, "end_after": after}


def lost_reply():
    """Carried out and recorded; the client learns nothing."""
    return reset(0, carried_out=True)


def stale():
    return {"stale": True}

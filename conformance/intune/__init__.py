"""A stand-in for Entra ID, Microsoft Graph and Intune, written from what is published of them, apart from Postern's client.

  cd conformance && python3 -m intune --folder FOLDER     prints the URLs, ends with its standard input

world.py      everything at one moment: listeners, scripts, who may ask what
entra.py      tokens             graph.py       discovery
validation.py challenges, notifications         challenge.py   seals, and the comparison with the CSR
revocation.py the queue          proxy.py       CONNECT
behaviours.py how it can misbehave              wire.py        HTTP as octets
control.py    the control door   client.py      IntuneStandIn
profile.py    a SCEP profile, for devices and challenges alike
journal.py    what it was asked, and what was wrong with it
"""
from . import behaviours
from .client import IntuneStandIn

__all__ = ["IntuneStandIn", "behaviours"]

"""Real ACME clients behind one interface: issue, renew and revoke, each a run with what the person at it reads."""
from .acme_tiny import AcmeTiny
from .acmetool import Acmetool
from .apache import Apache
from .caddy import Caddy
from .certbot import Certbot
from .client import Eab, Run, own_file, own_folder, unprivileged_folder
from .dehydrated import Dehydrated
from .lego import Lego
from .node import Node
from .uacme import Uacme

KINDS = {client.name: client for client in (Certbot, Lego, Dehydrated, Uacme, AcmeTiny, Acmetool, Caddy, Apache, Node)}

__all__ = ["KINDS", "Certbot", "Eab", "Lego", "Run", "own_file", "own_folder", "unprivileged_folder"]

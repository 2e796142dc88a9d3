"""What the real clients and the probe are given."""
import shutil
from pathlib import Path

import pytest

from programs import JARS, BouncyCastle
from strict.probe import Endpoint, Target

HERE = Path(__file__).resolve().parent


def users(server, document):
    """"name:password" of each account of a document."""
    return {name: f"{secret['user']}:{secret['password']}" for name, secret in server.apply(document).items()}


@pytest.fixture(scope="session")
def fleet(server):
    """"name:password" of each account of clients.toml."""
    return users(server, HERE / "clients.toml")


@pytest.fixture(scope="session")
def target(server):
    """What the probe is pointed at."""
    user = users(server, HERE / "probe_target.toml")

    def endpoint(name, account=None):
        return Endpoint(server.est(name), user[account or name.replace("probed", "probe")])

    others = {"elsewhere": endpoint("probed-elsewhere"), "neighbour": endpoint("probed", "probe-neighbour"), "bound": endpoint("probed-bound"),
              "pending": endpoint("probed-pending"), "keys": endpoint("probed-keys"), "few_keys": endpoint("probed-few-keys")}
    return Target(endpoint("probed", "probe"), str(server.root), others, suffix=".probe.test",
                  revoke=lambda serial: server.cli("cert", "revoke", serial.zfill(len(serial) + len(serial) % 2)))


@pytest.fixture(scope="session")
def classes(tmp_path_factory):
    lacking = [tool for tool in ("java", "ecj") if not shutil.which(tool)] + [jar.name for jar in JARS if not jar.is_file()]
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    return BouncyCastle.compiled(tmp_path_factory.mktemp("classes"))

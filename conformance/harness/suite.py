"""What every suite of conformance/run stands on: the database and the server that its options name."""
import os
from contextlib import contextmanager

import pytest

from .nodes import Nodes
from .postgres import Cluster
from .server import Postern

SUFFIX = "conformance.test"


def node_count():
    """How many nodes the suite runs on; each connection goes to the next of them."""
    return int(os.environ.get("CONFORMANCE_NODES", "1"))


@pytest.fixture(scope="session")
def database():
    """Of the suite's server, or None with the embedded store."""
    if os.environ.get("CONFORMANCE_STORE", "sqlite") == "sqlite":
        yield None
        return
    with Cluster() as cluster:
        yield cluster.database()


@contextmanager
def serving(folder, database, configuration=""):
    """One server, or several that look like one, as the options say; that it stops cleanly counts. `configuration`: more of its postern.toml."""
    executable = os.environ["POSTERN"]
    nodes = node_count()
    if nodes > 1:
        postern = Nodes(executable, folder, SUFFIX, database, nodes, configuration=configuration)
    else:
        options = ["--store", database.url] if database else []
        if configuration:
            (folder / "postern.toml").write_text(configuration)
            options += ["--config", folder / "postern.toml"]
        postern = Postern(executable, folder, SUFFIX, options=options)
    try:
        postern.start()
        yield postern
        if nodes > 1:
            assert min(postern.connections()) > 0, "a node was never asked"
    finally:
        postern.stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory, database):
    """The suite's; how it stops counts for the last case."""
    with serving(tmp_path_factory.mktemp("server"), database) as postern:
        yield postern


@pytest.fixture
def own_server(tmp_path_factory, database):
    """Of one case, with a store of its own: for what is for good, as a laboratory's clock that was set forward."""
    with serving(tmp_path_factory.mktemp("own"), database.cluster.database() if database else None) as postern:
        yield postern

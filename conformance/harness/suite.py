"""What every suite of conformance/run stands on: the database and the server that its options name."""
import os

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


@pytest.fixture(scope="session")
def server(tmp_path_factory, database):
    """One server for the suite, or several that look like one; that it stops cleanly counts for the last case."""
    executable, folder = os.environ["POSTERN"], tmp_path_factory.mktemp("server")
    nodes = node_count()
    if nodes > 1:
        postern = Nodes(executable, folder, SUFFIX, database, nodes)
    else:
        postern = Postern(executable, folder, SUFFIX, options=("--store", database.url) if database else ())
    try:
        postern.start()
        yield postern
        if nodes > 1:
            assert min(postern.connections()) > 0, "a node was never asked"
    finally:
        postern.stop()

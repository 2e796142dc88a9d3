"""SIGKILL in the first start, when each of its files has just appeared: the next start finishes it."""
import pytest

from harness.environment import executable
from harness.load import enroll
from harness.server import Postern

# In the order in which they are made.
FILES = ("lock", "keys/master", "postern.db", "keys/*.key", "root.pem", "tls/server.key", "tls/server.pem", "control.sock")


@pytest.mark.parametrize("pattern", FILES)
def test_a_first_start_that_was_killed_is_finished(tmp_path_factory, pattern):
    server = Postern(executable(), tmp_path_factory.mktemp("s"), "bench.test")
    try:
        server.kill_in_start(lambda: any(server.data.glob(pattern)))
        server.start()
        (_, serial, _), = enroll(server, server.data.parent)
        assert serial in [row["serial"] for row in server.all_certificates()]
    finally:
        server.stop()

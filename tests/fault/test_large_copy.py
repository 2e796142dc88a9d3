"""postern copy of a large store: however many rows there are, it holds no more than a batch of them."""
import subprocess
import time
from pathlib import Path

from fill import fill
from harness.environment import environment, executable
from harness.load import enroll
from harness.postgres import Cluster
from harness.server import Postern

CERTIFICATES = 60_000
MEMORY_KIB = 96 * 1024  # half of what the table of certificates alone would take


def test_a_copy_takes_memory_for_a_batch_and_not_for_the_store(tmp_path, capsys):
    server = Postern(executable(), tmp_path, "bench.test")
    server.start()
    enroll(server, tmp_path)
    server.stop()
    store = server.data / "postern.db"
    fill(store, CERTIFICATES)
    assert store.stat().st_size > 1.5 * MEMORY_KIB * 1024
    with Cluster() as cluster:
        database = cluster.database()
        with (tmp_path / "said").open("w+") as out:
            process = subprocess.Popen([server.executable, "copy", "--data", server.data, "--to", database.url],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment())
            peak = 0
            while process.poll() is None:
                peak = max(peak, high_water(process.pid))
                time.sleep(0.02)
            out.seek(0)
            said = out.read()
        assert process.returncode == 0, said
        assert database.value("SELECT count(*) FROM certificate") > CERTIFICATES
    with capsys.disabled():
        print(f"\n{said.splitlines()[-2].split(' from ')[0]}: at most {peak // 1024} MiB")
    assert 0 < peak < MEMORY_KIB


def high_water(pid):
    """KiB; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)

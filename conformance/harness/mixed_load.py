"""Requests of mixed good and bad kind, and issuances by ACME, SCEP and EST, in ten parts; and what the server's heap holds between them."""
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from .environment import EST_LOAD, LOAD, SCEP_LOAD, environment
from .management import crl_url, metrics

MIX = LOAD.with_name("http_mix")
COUNTER = LOAD.with_name("heap_count.so")  # preloaded into the server
PARTS = 10
NET_SECONDS = 3600
# A page of 4096 octets with SQLite's headers takes a block of 5120 from mimalloc; SQLite counts 4352.
PAGE_BLOCK = 5120 / 4352


def counting():
    """What the server's environment needs so that its metrics tell the heap in use."""
    return {"LD_PRELOAD": str(COUNTER)}


def heap_in_use(server):
    """Bytes, once the connections of the load are gone. Without the page caches of the store's connections: they
    grow with the database up to 8 MB each, whatever the requests were."""
    end = time.monotonic() + 60
    while True:
        now = metrics(server)
        load = [now[f'postern_http_connections{{listener="{name}"}}'] for name in ("https", "est", "http")]
        if not any(load):
            return now["postern_heap_in_use_bytes"] - now["postern_store_cache_bytes"] * PAGE_BLOCK
        assert time.monotonic() < end, f"connections of the load are left: {load}"
        time.sleep(0.05)


def _run(command):
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL,
                          timeout=NET_SECONDS, env=environment())
    assert done.returncode == 0, f"{' '.join(map(str, done.args))}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def run_parts(server, requests, issuances, told=lambda line: None):
    """The heap in use after each of ten parts; `told` hears of each."""
    Path(MIX).stat()
    https, crl = urlsplit(server.directory()), urlsplit(crl_url(server))
    user, password = server.basic()
    heaps = []
    for part in range(1, PARTS + 1):
        mixed = _run([MIX, "--https", https.port, "--http", crl.port, "--crl", crl.path, "--requests", requests // PARTS])
        issued = _run([LOAD, "--directory", server.directory(), "--ca", server.root, "--suffix", server.suffix, "--http01-port",
                       server.http01_port, "--orders", issuances // PARTS, "--warmup", 0, "--time-limit", NET_SECONDS])
        enrolled = _run([SCEP_LOAD, "--url", server.scep(), "--challenge", server.access_code(), "--enrollments", issuances // PARTS, "--warmup", 0,
                         "--time-limit", NET_SECONDS])
        equipped = [_run([EST_LOAD, "--url", server.est("equipment"), "--ca", server.root, "--user", user, "--password", password, "--enrollments",
                          issuances // PARTS, "--warmup", 0, "--time-limit", NET_SECONDS, *more]) for more in ([], ["--renew"])]
        heaps.append(heap_in_use(server))
        told(f"part {part}: {mixed}; ACME {issued.splitlines()[0]}; SCEP {enrolled.splitlines()[0]}; "
             f"EST {equipped[0].splitlines()[0]}, renewals {equipped[1].splitlines()[0]}; heap in use {heaps[-1] / 1024:.0f} KiB")
    return heaps

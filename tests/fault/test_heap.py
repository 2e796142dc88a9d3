"""A small form of bench/heap: the heap in use after the load is what it was after the first tenth of it."""
from harness.environment import executable
from harness.mixed_load import counting, run_parts
from harness.server import Postern

REQUESTS = 20_000
ISSUANCES = 200
BOUND = 1024 * 1024


def test_the_heap_stays_where_it_was(tmp_path_factory, capsys):
    server = Postern(executable(), tmp_path_factory.mktemp("s"), "bench.test")
    server.variables = counting()
    try:
        server.start()
        heaps = run_parts(server, REQUESTS, ISSUANCES)
    finally:
        server.stop()
    with capsys.disabled():
        print(f"\nheap in use: {heaps[0] / 1024:.0f} KiB after the first tenth, {heaps[-1] / 1024:.0f} KiB at the end")
    assert heaps[0] > 0
    assert heaps[-1] <= heaps[0] + BOUND

#!/usr/bin/python3
"""A PostgreSQL cluster for a C++ test: tests/support/cluster.hpp starts this, sends a command a line and reads an
answer a line. It ends with its standard input."""
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "conformance"))
from harness.postgres import Cluster, Standby  # noqa: E402


def place(cluster):
    return f"{cluster.folder} {cluster.port}"


def main():
    with ExitStack() as stack:
        primary = stack.enter_context(Cluster())
        standby = None
        print(place(primary), flush=True)
        for line in sys.stdin:
            command = line.strip()
            answer = "done"
            if command == "restart":
                primary.restart()
            elif command == "crash":
                primary.crash()
                primary.start()
            elif command == "stop":
                primary.stop()
            elif command == "standby":
                standby = stack.enter_context(Standby(primary))
                answer = place(standby)
            elif command == "fail over":
                standby.caught_up()
                primary.crash()
                standby.promote()
            else:
                raise AssertionError(f"no command {command!r}")
            print(answer, flush=True)


if __name__ == "__main__":
    main()

"""Starts the stand-in with one tenant; prints one line of JSON (`control` and all URLs) and ends with its standard input.

The exit status is 1 if it met a fault of its own; the trace is on standard error.
"""
import argparse
import asyncio
import json
import sys
from pathlib import Path

from .control import Control
from .world import World


async def serve(options):
    world = World(options.folder, options.host)
    control = Control(world)
    await world.open()
    await control.site.open()
    tenant = control.add_tenant()
    print(json.dumps({"control": f"http://127.0.0.1:{control.site.port}", "urls": control.urls(), "tenant": tenant}), flush=True)
    try:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    finally:
        await control.site.close()
        await world.close()
    return 1 if world.faults else 0


def main():
    parser = argparse.ArgumentParser(prog="intune", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="for the certificates of the listeners")
    parser.add_argument("--host", default="localhost", help="the name in the URLs that it gives (default localhost)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    sys.exit(asyncio.run(serve(options)))


main()

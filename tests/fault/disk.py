"""A disk below one server that can be broken and mended while it runs."""
import subprocess
from pathlib import Path

SHIM = Path(__file__).with_name("disk_shim.c")


class Disk:
    def __init__(self, folder):
        """`folder`: where the shim and its switches go; must exist and be empty."""
        self._folder = folder
        self._shim = folder / "disk_shim.so"
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", self._shim, SHIM, "-ldl"], check=True)

    def variables(self, data):
        """What the server's environment gets so that the files below `data` are on this disk."""
        return {"LD_PRELOAD": str(self._shim), "DISK_FAULTS": str(self._folder), "DISK_FOLDER": str(data)}

    def break_(self, what):
        (self._folder / what).touch()

    def mend(self, what):
        (self._folder / what).unlink()

    def failed_syncs(self):
        counter = self._folder / "syncs"
        return counter.stat().st_size if counter.exists() else 0

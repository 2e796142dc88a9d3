"""Compiles each header alone: it must include what it uses."""
import subprocess
from concurrent.futures import ThreadPoolExecutor

# As cmake/Toolchain.cmake, without the warnings: they are the build's business.
COMMAND = ["g++", "-std=c++20", "-fcoroutines", "-fsyntax-only", "-DBOOST_ASIO_SEPARATE_COMPILATION",
           "-DBOOST_BEAST_SEPARATE_COMPILATION", "-DBOOST_ASIO_NO_DEPRECATED", "-x", "c++", "-"]


def check(root, jobs):
    names = sorted(p.relative_to(root / "src").as_posix() for p in (root / "src").rglob("*.hpp"))
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        return [offence for offence in pool.map(lambda name: _compile(root, name), names) if offence]


def _compile(root, name):
    # Twice: an include guard that does not work shows at once.
    unit = f'#include "{name}"\n#include "{name}"\n'
    done = subprocess.run(COMMAND[:1] + ["-Isrc"] + COMMAND[1:], cwd=root, input=unit, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0:
        return None
    lines = done.stdout.splitlines() or ["g++ failed without a word"]
    why = next((line for line in lines if "error:" in line), lines[0])
    return f"src/{name}:1: does not compile alone: {why}"

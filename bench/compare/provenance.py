"""When, where and of which commit something is measured. Standard library only."""

import datetime
import os
import pathlib
import platform
import subprocess

# Of the flags in /proc/cpuinfo the first that is there says which kernels annulus runs.
INSTRUCTIONS = {"avx512_vnni": "AVX-512 VNNI", "avx512bw": "AVX-512", "avx2": "AVX2", "ssse3": "SSSE3", "asimd": "NEON"}


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def cpu_model():
    """The name, then what tells apart machines that share it."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    known = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = known.get("flags", known.get("Features", "")).split()
    parts = [f"{name} {known[key]}" for key, name in {"cpu family": "family", "model": "model"}.items() if key in known]
    parts += [name for flag, name in INSTRUCTIONS.items() if flag in flags][:1]
    return f"{known.get('model name', platform.machine())} ({', '.join([*parts, f'{os.cpu_count()} cores'])})"


def git(*arguments):
    command = ["git", "-C", str(pathlib.Path(__file__).parent), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def commit():
    """Of the tree that this file is in, "-dirty" if files differ from it. Adding records does not make it so."""
    name = git("rev-parse", "--short", "HEAD").stdout.strip()
    written = (":(top,exclude)bench/records", ":(top,exclude)bench/RESULTS.md")
    changed = git("diff", "--quiet", "HEAD", "--", ":(top)", *written).returncode == 1
    return name + "-dirty" * changed if name else "unknown"


def provenance(command):
    return {"date": now(), "commit": commit(), "cpu": cpu_model(), "command": command}

#!/usr/bin/env python3
"""User seconds and memory of compiling programs that include annulus, as multiples of `#include <Eigen/Dense>`.

    run.py [--compiler g++] [--flags "-O2"] [--rounds 3] [--records bench/records]

The programs are one-liners below, the example of README.md, and what stands beside this file. Rounds go through all
programs in turn; the median of each is shown. Needs Eigen and xsimd installed. Standard library only.
"""

import argparse
import pathlib
import re
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "compare"))

from provenance import provenance  # noqa: E402
from results import append  # noqa: E402

UNIT = "#include <Eigen/Dense>"
HEADERS = ("approx_top_k/approx_min_k.hpp", "knn/knn.hpp", "quantization/product_quantizer.hpp", "lsh/index.hpp", "annulus.hpp")


def programs():
    """Source by name, the unit of measure first."""
    result = {UNIT: UNIT + "\n"}
    for header in HEADERS:
        result[f"#include <annulus/{header}>"] = f"#include <annulus/{header}>\n"
    for path in sorted(HERE.glob("*.cpp")):
        result[path.stem] = path.read_text()
    example = re.search(r"```cpp\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return result | {"README's example": example[1]}


def compile_once(command, source):
    """(user seconds, MB at most) of the compiler, by a process that starts nothing else."""
    program = (
        "import resource, subprocess, sys;"
        "code = subprocess.run(sys.argv[1:]).returncode;"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(used.ru_utime, used.ru_maxrss / 1024);"
        "sys.exit(code)"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "program.cpp"
        path.write_text(source)
        done = subprocess.run(
            [sys.executable, "-c", program, *command, "-c", str(path), "-o", str(path.with_suffix(".o"))],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--flags", default="-O2", help="of optimisation and instruction set")
    parser.add_argument("--eigen", default="/usr/include/eigen3", help="the folder that Eigen/ is in")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="a regular expression for names of programs")
    parser.add_argument("--records", type=pathlib.Path, help="the folder whose compile_time.jsonl the rows are added to")
    arguments = parser.parse_args()

    compiler = [arguments.compiler, "-std=c++20", *shlex.split(arguments.flags)]
    command = [*compiler, f"-I{ROOT / 'include'}", "-isystem", arguments.eigen]
    sources = {n: s for n, s in programs().items() if n == UNIT or re.search(arguments.only, n)}
    results = {name: [] for name in sources}
    for _ in range(arguments.rounds):
        for name, source in sources.items():
            results[name].append(compile_once(command, source))

    unit = statistics.median(seconds for seconds, _ in results[UNIT])
    rows = []
    for name, runs in results.items():
        seconds = statistics.median(seconds for seconds, _ in runs)
        most = max(megabytes for _, megabytes in runs)
        rows.append(({"program": name}, {"user s": f"{seconds:.2f}", "of Eigen/Dense": f"{seconds / unit:.2f}", "MB": f"{most:.0f}"}))
        print(f"{name:55}", *(f"{value:>8}" for value in rows[-1][1].values()))
    if arguments.records:
        command = f"bench/compile_time/run.py, {shlex.join(compiler)}"
        append(arguments.records, "compile_time/programs", rows, provenance(command))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes README.md: what the hot loops of 64-bit ARM cost, as llvm-mca computes it.

    costs.py --clang clang++-19 --mca llvm-mca-19 [--flags=-isystem/folder/of/xsimd ...]

Compiles hot_loops.cpp for each processor, takes the innermost loop of each function and asks llvm-mca for its cycles.
Beside them stands the limit: the loads and vector operations that the loop cannot do without, or all that it has,
divided by how many the processor begins in a cycle. Standard library only; needs clang, llvm-mca, and g++'s headers for
aarch64.
"""

import argparse
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"

# -mcpu: 128-bit loads and vector operations that LLVM's model of the processor begins in a cycle.
PROCESSORS = {"neoverse-n1": (2, 2), "neoverse-v1": (3, 4), "apple-m1": (4, 3)}

# What a loop does; its function, or a part of its name; how many of the units an iteration is; loads and vector
# operations that a unit cannot do without. Of a dictionary the last entry is for all processors not named.
LOOPS = (
    ("squared L2 of floats, d = 128: a row", "float_l2", 1, 64, 64),
    ("the same, four rows at a time: a row", "many_rows", 0.5, 40, 64),
    ("squared L2 of halves, d = 128: a row", "one_to_many", 0.125, 32, 128),
    ("inner product of uint8, d = 128: a row", "uint8_dot", 1, 16, 8),
    ("inner product of int8, d = 128: a row", "int8_dot", 1, 16, 8),
    ("squared L2 of uint8, d = 128: a row", "uint8_l2", 1, 16, 16),
    ("sq8 codes, d = 128, four at a time: a row", "sq8_four_rows", 4, 10, {"neoverse-v1": 8, "others": 18}),
    ("bits that differ, 256 bits, four rows at a time: a row", "hamming", 4, 2.5, 6.75),
    ("scan of 4-bit codes: a sub-quantiser of 32 codes, one of four queries", "shuffled_nibbles", 4, 1.25,
     {"neoverse-v1": 8.5, "others": 6.5}),
    ("scan of 8-bit codes: a sub-quantiser of 64 codes", "sum_block", 1, 20, {"neoverse-n1": 80, "others": 48}),
    ("RaBitQ's look-ups: 24 bits of 16 rows", "shuffle_lookup", 1, 9, {"neoverse-v1": 25, "others": 19}),
    ("tile of 8-bit products: four coordinates of 12 x 8", "multiply_tileIa", 1, 5, 24),
    ("tile of 16-bit products: two coordinates of 12 x 8", "multiply_tileIs", 1, 5, {"apple-m1": 50, "others": 98}),
    ("join of 8-bit codes: four coordinates of 4 x 4", "multiply_panels", 2, 2, 4),
)


def run(command, text=""):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def functions(assembly):
    """The lines of each function by its name."""
    result = {}
    lines = None
    for line in assembly.splitlines():
        if label := re.match(r"(\w+):", line):
            lines = result.setdefault(label[1], [])
        elif ".cfi_endproc" in line:
            lines = None
        elif lines is not None:
            lines.append(line.split("//")[0].rstrip())
    return result


def innermost_loop(lines):
    """The innermost loop with the most instructions."""
    best = []
    for end, line in enumerate(lines):
        branch = re.match(r"\s+(?:b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+, #\d+,|b)\s+(\.L\w+)", line)
        if not branch:
            continue
        body = []
        for previous in reversed(lines[: end + 1]):
            if previous.startswith(".L"):
                if previous == branch[1] + ":" and len(body) > len(best):
                    best = body[::-1]
                break
            if re.match(r"\s+[a-z]", previous):
                body.append(previous)
    return best


def simulate(mca, processor, loop):
    """Cycles an iteration, in a loop of many, and cycles in which its operations can at best be issued."""
    iterations = 200
    command = [mca, "-mtriple=aarch64-linux-gnu", f"-mcpu={processor}", f"-iterations={iterations}"]
    text = run(command, "\n".join(loop) + "\n")
    total, operations, width = (
        int(re.search(name + r":\s+(\d+)", text)[1]) for name in ("Total Cycles", "Total uOps", "Dispatch Width")
    )
    return total / iterations, operations / iterations / width


def costs(options, processor):
    # Loops over a constant number of coordinates are unrolled, so that what is left is the loop over rows.
    unrolled = ["-funroll-loops", "-mllvm", "-unroll-threshold=4000", "-mllvm", "-unroll-full-max-count=64"]
    command = [options.clang, "--target=aarch64-linux-gnu", f"-mcpu={processor}", "-std=c++20", "-O3", "-DNDEBUG"]
    command += [*unrolled, f"-I{INCLUDE}", *options.flags, "-S", str(HERE / "hot_loops.cpp"), "-o", "-"]
    all_functions = functions(run(command))
    loads_a_cycle, operations_a_cycle = PROCESSORS[processor]
    result = []
    for _, name, units, loads, operations in LOOPS:
        # One that is spelled out is the whole name; of others it is a part.
        names = [f for f in all_functions if f == name] or [f for f in all_functions if name in f]
        loop = max((innermost_loop(all_functions[f]) for f in names), key=len)
        if not loop:
            raise SystemExit(f"{processor}: no loop in {names}")
        if isinstance(operations, dict):
            operations = operations.get(processor, operations["others"])
        found, issue = (cycles / units for cycles in simulate(options.mca, processor, loop))
        result.append((found, max(loads / loads_a_cycle, operations / operations_a_cycle, issue)))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clang", default="clang++")
    parser.add_argument("--mca", default="llvm-mca")
    parser.add_argument("--flags", nargs="*", default=[])
    options = parser.parse_args()

    columns = [costs(options, processor) for processor in PROCESSORS]
    version = re.search(r"LLVM version (\S+)", run([options.mca, "--version"]))[1]
    lines = [
        "<!-- Written by costs.py. Change that. -->",
        "",
        "# What the loops cost on 64-bit ARM",
        "",
        "Cycles computed by llvm-mca, not measured: of the loops of [hot_loops.cpp](hot_loops.cpp), compiled by clang",
        f"{version} for each processor, with everything in the L1 cache. In brackets how many times the limit that",
        "is: the loads and vector operations that a loop cannot do without, or all operations that it has, divided by",
        "how many begin in a cycle. LLVM's model of apple-m1 is that of an older and narrower core: M1 begins four",
        "vector operations in a cycle, not three. Half of the vector pipes of Neoverse N1 and V1 multiply 16 bits and",
        "convert halves. A look-up in a table is two operations on V1; in one of 64 bytes it is three on N1, and",
        "counted as one elsewhere.",
        "",
        "`./costs.py --clang clang++-19 --mca llvm-mca-19` writes this page.",
        "",
        "| loop | " + " | ".join(PROCESSORS) + " |",
        "|---|" + "---|" * len(PROCESSORS),
    ]
    for i, (what, *_) in enumerate(LOOPS):
        cells = [f"{found:.3g} ({found / limit:.2f})" for found, limit in (column[i] for column in columns)]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    (HERE / "README.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

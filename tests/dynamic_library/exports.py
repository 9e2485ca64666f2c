#!/usr/bin/env python3
"""Holds the functions that annulus::dynamic shows to those of annulus.h and of the recorded interface.

exports.py NM ABI HEADER LIBRARY: a library, shared or static, shows the functions that HEADER declares as
ANNULUS_EXPORT and nothing else, and ABI, the record of what the last release shows, has the same. A function that is
new is added to the record (target annulus_record_abi); one that is gone needs another major version.
"""
import re
import subprocess
import sys
from pathlib import Path


def shown_by(nm, library):
    if ".so" in Path(library).name or library.endswith(".dylib"):
        kinds, flags = "TDBRVWuGi", ["-D"]
    else:
        # Objects of a static library also show, to each other, tables and inline functions.
        kinds, flags = "T", []
    text = subprocess.run([nm, "-P", *flags, library], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in text.splitlines() if len(line.split()) > 1 and line.split()[1] in kinds}


def main(nm, abi, header, library):
    declared = set(re.findall(r"ANNULUS_EXPORT[^;(]*?(annulus_\w+)\(", Path(header).read_text()))
    recorded = set(re.findall(r"<elf-symbol name='(\w+)'", Path(abi).read_text()))
    shown = shown_by(nm, library)
    faults = [f"{name}: in {where}" for name, where in
              [*((n, "annulus.h, not in the record") for n in declared - recorded),
               *((n, "the record, not in annulus.h") for n in recorded - declared),
               *((n, "annulus.h, not in the library") for n in declared - shown),
               *((n, "the library, not in annulus.h") for n in shown - declared)]]
    print("\n".join(sorted(faults)))
    return bool(faults) or not declared


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

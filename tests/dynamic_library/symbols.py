#!/usr/bin/env python3
"""Holds that an object of an instruction set can be reached by its table of functions alone.

symbols.py NM OBJDUMP OBJECT...: each object defines one global symbol, annulus_functions_<set>, needs none of annulus,
shares no symbol with a program (weak, unique or common ones), and has no code that runs before main.
"""
import pathlib
import re
import subprocess
import sys


def main(nm, objdump, objects):
    faults = []
    for name in objects:
        expected = "annulus_functions_" + pathlib.Path(name).stem.removeprefix("annulus_")
        table = None
        for line in subprocess.run([nm, "-P", name], capture_output=True, text=True, check=True).stdout.splitlines():
            symbol, kind = line.split()[:2]
            if kind == "U":
                if "annulus" in symbol:
                    faults.append(f"{name} needs {symbol}")
            elif kind in "wv" and len(line.split()) == 2:
                pass  # a weak symbol that is not defined here
            elif kind.isupper() or kind in "uvw":
                if symbol == expected:
                    table = symbol
                else:
                    faults.append(f"{name} shows {symbol} ({kind})")
        if table is None:
            faults.append(f"{name} does not show {expected}")
        sections = subprocess.run([objdump, "-h", name], capture_output=True, text=True, check=True).stdout
        faults += [f"{name} has a section {section}, which runs before main"
                   for section in re.findall(r"\.(?:init_array|ctors|preinit_array)\S*", sections)]
    print("\n".join(faults[:50]))
    return bool(faults) or not objects


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))

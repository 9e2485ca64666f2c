#!/usr/bin/env python3
"""Prints where a version is written that is not that of version.hpp, or not of its major one; fails for any."""
import re
import sys
from pathlib import Path

root = Path(sys.argv[1])
header = (root / "include/annulus/version.hpp").read_text()
version = ".".join(re.findall(r"define ANNULUS_VERSION_[A-Z]+ (\d+)", header))
faults = []


def expect(name, pattern, expected):
    """The first match in a file, as changelogs begin with the latest version."""
    found = re.search(pattern, (root / name).read_text(), flags=re.MULTILINE)
    if not found or found[1] != expected:
        faults.append(f"{name}: {found[1] if found else 'no version'}, not {expected}")


expect("CHANGELOG.md", r"^## \[(\d[\d.]*)\]", version)
expect("CITATION.cff", r"^version: (\S+)", version)
expect("packaging/debian/changelog", r"^annulus \((\S+)-\d+\)", version)
expect("packaging/vcpkg/annulus/vcpkg.json", r'^  "version": "(\S+)"', version)
for page in [root / "README.md", *root.glob("docs/**/*.md")]:
    for major in re.findall(r"find_package\(annulus (\d+)", page.read_text()):
        if major != version.split(".")[0]:
            faults.append(f"{page}: find_package(annulus {major}...")
print("\n".join(faults))
sys.exit(bool(faults))

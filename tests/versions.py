#!/usr/bin/env python3
"""Prints where the version of the library is written and is not that of version.hpp; fails for any."""
import re
import sys
from pathlib import Path

root = Path(sys.argv[1])
version = ".".join(re.findall(r"define ANNULUS_VERSION_[A-Z]+ (\d+)", (root / "include/annulus/version.hpp").read_text()))
minor = version.rpartition(".")[0]
places = [
    ("CHANGELOG.md", r"^## \[(\d\S*)\]", version),
    ("CITATION.cff", r"^version: (\S+)", version),
    ("packaging/debian/changelog", r"^annulus \((\S+)-\d+\)", version),
    ("packaging/vcpkg/annulus/vcpkg.json", r'^  "version": "(\S+)"', version),
    *((str(page.relative_to(root)), r"find_package\(annulus (\d\S*)", minor)
      for page in [root / "README.md", *sorted(root.glob("docs/**/*.md"))] if "find_package(annulus 1" in page.read_text()),
]
faults = []
for name, pattern, expected in places:
    found = re.findall(pattern, (root / name).read_text(), flags=re.MULTILINE)
    latest = found[:1] if name.endswith(("CHANGELOG.md", "changelog")) else found
    faults += [f"{name}: {each.rstrip(')')}, not {expected}" for each in latest if each.rstrip(")") != expected]
    if not found:
        faults.append(f"{name}: no version")
print("\n".join(faults))
sys.exit(bool(faults))

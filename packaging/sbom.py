#!/usr/bin/env python3
"""Writes sbom.cdx.json, the bill of materials of the library and of its Python package (CycloneDX 1.5).

`sbom.py --check` tells, and fails, where the file is another, or where the lists below do not name what CMakeLists.txt,
cmake/, tests/, python/ and pyproject.toml ask for. What bench/ compares with and docs/ are made with is not listed.
"""
import json
import re
import sys
import tomllib
from pathlib import Path

# By the name that CMake's find_package or pyproject.toml has, or, of headers, that of the file: what it is called, the
# least version that is asked for there, its licence, and what asks for it.
CMAKE = {
    "Eigen3": ("Eigen", "", "MPL-2.0", "library"),
    "xsimd": ("xsimd", "", "BSD-3-Clause", "library"),
    "nlohmann_json": ("JSON for Modern C++", "3.9", "MIT", "files of indexes"),
    "xxhash.h": ("xxHash", "", "BSD-2-Clause", "files of indexes"),
    "liburing.h": ("liburing", "", "LGPL-2.1-or-later OR MIT", "rows on disk"),
    "ZLIB": ("zlib", "", "Zlib", "compressed .npz"),
    "HDF5": ("HDF5", "1.10", "a BSD-style licence", "ann-benchmarks' files"),
    "MPI": ("an implementation of MPI, as Open MPI", "", "BSD-3-Clause-Open-MPI", "shards"),
    "Catch2": ("Catch2", "", "BSL-1.0", "tests"),
    "benchmark": ("Google Benchmark", "", "Apache-2.0", "tests"),
    "nanobind": ("nanobind", "", "BSD-3-Clause", "building the Python package"),
}
PYPI = {
    "numpy": ("1.22", "BSD-3-Clause", "Python package"),
    "scipy": ("", "BSD-3-Clause", "sparse rows in Python"),
    "scikit-learn": ("", "BSD-3-Clause", "annulus.sklearn"),
    "tqdm": ("", "MPL-2.0 AND MIT", "progress bars"),
    "numba": ("", "BSD-2-Clause", "metrics in Python"),
    "mpi4py": ("", "BSD-3-Clause", "annulus.mpi"),
    "xxhash": ("", "BSD-2-Clause", "annulus.mpi"),
    "pytest": ("", "MIT", "tests"),
    "scikit-build-core": ("0.10", "Apache-2.0", "building the Python package"),
    "nanobind": ("2.4", "BSD-3-Clause", "building the Python package"),
}
LEAST_VERSIONS = {"Eigen3": "3.4", "xsimd": "8.1", "xxhash.h": "0.8", "liburing.h": "2.2"}  # checked otherwise
REQUIRED = ["library", "Python package"]
EXCLUDED = ["tests", "building the Python package"]
TOOLS = {"Threads", "Python", "Python3"}  # of the system and of CMake

root = Path(__file__).resolve().parents[1]


def components():
    for asked, (name, least, licence, use) in CMAKE.items():
        yield f"cmake:{asked}", name, least or LEAST_VERSIONS.get(asked, ""), licence, use
    for name, (least, licence, use) in PYPI.items():
        yield f"pypi:{name}", name, least, licence, use


def document():
    version = ".".join(re.findall(r"define ANNULUS_VERSION_[A-Z]+ (\d+)",
                                  (root / "include/annulus/version.hpp").read_text()))
    parts = []
    for ref, name, least, licence, use in components():
        is_expression = " OR " in licence or " AND " in licence
        is_named = licence.startswith("a ")
        part = {"type": "library", "bom-ref": ref, "name": name}
        if ref.startswith("pypi:"):
            part["purl"] = f"pkg:pypi/{name}"
        part["scope"] = "required" if use in REQUIRED else "excluded" if use in EXCLUDED else "optional"
        part["licenses"] = ([{"expression": licence}] if is_expression else
                            [{"license": {"name" if is_named else "id": licence}}])
        part["properties"] = [{"name": "annulus:for", "value": use}]
        if least:
            part["properties"].append({"name": "annulus:least-version", "value": least})
        parts.append(part)
    direct = [part["bom-ref"] for part in parts if part["scope"] == "required"]
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {"type": "library", "bom-ref": "annulus", "name": "annulus", "version": version,
                                   "licenses": [{"license": {"id": "MIT"}}]}},
        "components": parts,
        "dependencies": [{"ref": "annulus", "dependsOn": direct}],
    }


def asked_by_cmake():
    """What is looked for, and the least version that find_package names, or none."""
    found = {}
    for path in [root / "CMakeLists.txt", *root.glob("cmake/*.cmake"), root / "tests/CMakeLists.txt",
                 root / "python/CMakeLists.txt"]:
        text = re.sub(r"#.*", "", path.read_text())
        for name, least in re.findall(r"find_(?:package|dependency)\((\w+) *([\d.]+)?", text):
            found[name] = found.get(name) or least
        for name in re.findall(r"FetchContent_Declare\(\s*(\w+)|find_path\(\s*\w+ (\S+\.h)", text):
            found.setdefault("".join(name), "")
    return {name: least for name, least in found.items() if name not in TOOLS}


def asked_by_pyproject():
    with open(root / "python/pyproject.toml", "rb") as file:
        project = tomllib.load(file)
    lists = [project["build-system"]["requires"], project["project"]["dependencies"],
             *project["project"]["optional-dependencies"].values()]
    found = {}
    for name, least in (re.fullmatch(r"([\w-]+)(?:>=([\d.]+))?", line).groups() for part in lists for line in part):
        found[name] = found.get(name) or least or ""
    return found


def faults(file, text):
    if not file.exists() or file.read_text() != text:
        yield f"{file.name} is not what sbom.py writes"
    for listed, asked in (({name: entry[1] for name, entry in CMAKE.items()}, asked_by_cmake()),
                          ({name: entry[0] for name, entry in PYPI.items()}, asked_by_pyproject())):
        for name in sorted(listed.keys() | asked.keys()):
            if listed.get(name) != asked.get(name):
                yield f"{name}: listed {listed.get(name)!r}, asked for {asked.get(name)!r} (least versions; None: not)"


def main(arguments):
    file = root / "packaging/sbom.cdx.json"
    text = json.dumps(document(), indent=1) + "\n"
    if arguments != ["--check"]:
        file.write_text(text)
        return 0
    found = list(faults(file, text))
    print("\n".join(found))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

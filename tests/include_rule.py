#!/usr/bin/env python3
"""Holds the rule of the layers over the include lines of include/annulus: which folder may include which.

Prints every line that breaks it, public headers that annulus.hpp leaves out, and where the list of headers in
ARCHITECTURE.md is not that of the folder; fails where there are any.
"""
import pathlib
import re
import sys

base = ["core/base"]
simd = base + ["core/simd"]
rows = simd + ["storage/archive.hpp", "core/rows"]
kernels = rows + ["core/kernels"]
metric = kernels + ["core/metric"]
core = metric + ["core/select", "core/codes", "core/result", "storage/archive.hpp", "storage/metric_archive.hpp"]
files = core + ["storage"]
allowed = {
    "core/base": base,
    "storage": base + ["storage"],
    "core/simd": simd,
    "core/rows": rows,
    "core/kernels": kernels,
    "core/metric": metric,
    "core/select": metric + ["core/select"],
    "core/codes": metric + ["core/codes"],
    "core/result": metric + ["core/result"],
    "approx_top_k": core + ["approx_top_k"],
    "metrics": core + ["metrics"],
    "knn": core + ["knn"],
    # Exact search is what estimates of recall and tuning compare with.
    "nndescent/graph": core + ["knn", "nndescent/graph"],
    "nndescent/index": core + ["knn", "nndescent/graph", "nndescent/index"],
    "nndescent": core + ["nndescent"],
    "quantization/scan": core + ["quantization/scan"],
    "quantization": core + ["quantization"],
    "lsh": core + ["lsh/*.hpp"],
    "lsh/families": core + ["lsh/families", "lsh/*.hpp"],
    "io/data": files + ["io/data", "quantization"],
    "io/index": files + ["io/index", "version.hpp"],
    "io/faiss": files + ["io/faiss", "knn", "quantization"],
    "disk": files + ["disk", "io/index", "nndescent", "knn", "version.hpp"],
    # Without Eigen and xsimd.
    "dynamic": ["annulus.h", "core/base", "core/rows/matrix.hpp", "core/result/neighbors.hpp",
                "core/result/filter.hpp", "dynamic/*.hpp"],
    "dynamic/engine": [""],
    # Opt-in: shards of any index.
    "mpi": [""],
}


def may_include(folder, header):
    for place in allowed[folder]:
        if place.endswith("/*.hpp"):
            if str(header.parent) == place[: -len("/*.hpp")]:
                return True
        elif header.is_relative_to(place):
            return True
    return False


def headers_of_page(page):
    """Those of the items "- `name.hpp`" under the headings "### `folder`", from include/annulus on."""
    folder, headers = None, set()
    for line in page.read_text().splitlines():
        if heading := re.match("### `(?:include/annulus)?([^`]*)`", line):
            folder = heading[1]
        elif item := re.match(r"- `(\w+\.hpp)`", line):
            headers.add(pathlib.Path(folder or "", item[1]))
    return headers


def main(include, page):
    faults = []
    headers = sorted(path.relative_to(include) for path in include.rglob("*.hpp"))
    included = {header: re.findall(r"#include <annulus/(\S+)>", (include / header).read_text()) for header in headers}
    for header, others in included.items():
        if header.parent == pathlib.Path("."):
            continue  # annulus.hpp, which includes all, and version.hpp
        faults += [f"{header}: may not include {other}" for other in others
                   if not may_include(str(header.parent), pathlib.Path(other))]
    reached, waiting = set(), ["annulus.hpp"]
    while waiting:
        header = waiting.pop()
        if header not in reached:
            reached.add(header)
            waiting += included[pathlib.Path(header)]
    for header in map(str, headers):
        text = (include / header).read_text()
        if header not in reached and "annulus.hpp leaves this header out" not in re.sub(r"\s*///\s*", " ", text):
            if "nlohmann" not in text and not header.startswith(("io/index/", "dynamic/", "mpi/")):
                faults.append(f"annulus.hpp does not include {header}")
    listed = headers_of_page(page)
    faults += [f"{page.name} does not list {header}" for header in headers if header not in listed]
    faults += [f"{page.name} lists {header}, which is not there" for header in sorted(listed - set(headers))]
    print("\n".join(faults))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(*map(pathlib.Path, sys.argv[1:])))

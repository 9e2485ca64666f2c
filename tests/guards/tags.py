#!/usr/bin/env python3
"""Universal Ctags finds the definitions of the library: tags.py CTAGS INCLUDE."""
import subprocess
import sys

NAMES = {
    "approx_min_k",
    "build_knn_graph",
    "flat_index",
    "id_type",
    "kmeans",
    "knn",
    "lsh_index",
    "matrix_view",
    "nndescent_index",
    "one_to_one",
    "parallel_for",
    "product_quantizer",
    "top_k",
    "with_metric",
}

ctags, include = sys.argv[1:]
if "Universal Ctags" not in subprocess.run([ctags, "--version"], capture_output=True, text=True).stdout:
    print("not Universal Ctags")
    sys.exit(77)
command = [ctags, "--recurse", "--languages=C++", "--langmap=C++:.hpp", "-f", "-", include]
lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
missing = NAMES - {line.split("\t")[0] for line in lines if not line.startswith("!")}
print(f"{len(lines)} tags; missing: {', '.join(sorted(missing)) or 'none'}")
sys.exit(1 if missing else 0)

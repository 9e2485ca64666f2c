"""Tables and plots of a run of run.py, from the measurements in its folder. Also by itself: report.py FOLDER."""

import json
import pathlib
import sys

import lsh_plots
import peers
import plots
from comparison_tables import (
    codec_tables,
    exact_tables,
    file_tables,
    flat_code_tables,
    graph_tables,
    metric_tables,
    peer_graph_tables,
)
from lsh_tables import lsh_tables

# In the order of printing: the comparisons of each kind, and its tables.
KINDS = (
    (("knn", "approx_min_k"), exact_tables),
    (("graph build", "index build", "graph search"), graph_tables),
    (("peer graph build", "peer graph search", "peer graph threads"), peer_graph_tables),
    (("codec train", "codec encode", "codec scan", "codec adist"), codec_tables),
    (("flat codes",), flat_code_tables),
    (("lsh notebook", "lsh build", "lsh target", "lsh search"), lsh_tables),
    (("metric knn", "metric graph build", "metric graph search"), metric_tables),
    (("file read", "file map and use"), file_tables),
    (peers.COMPARISONS, peers.peer_tables),
)


def of(measurements, *comparisons):
    return [m for m in measurements if m["comparison"] in comparisons]


def tables(measurements):
    chosen = ((of(measurements, *comparisons), tables_of) for comparisons, tables_of in KINDS)
    return [table for own, tables_of in chosen if own for table in tables_of(own)]


def read(paths):
    return [json.loads(line) for path in sorted(paths) for line in path.read_text().splitlines()]


def write(out):
    """Prints the tables, and writes them and the plots beside the measurements."""
    out = pathlib.Path(out)
    measurements = read(out.glob("results-*.jsonl"))
    text = "\n".join(table.text() for table in tables(measurements))
    (out / "tables.md").write_text(text)
    print(text)
    searches = of(measurements, "graph search", "metric graph search", "peer graph search")
    plots.plot(of(measurements, "knn", "approx_min_k"), searches, out)
    lsh_plots.plot(of(measurements, "lsh notebook", "lsh search"), out)


if __name__ == "__main__":
    write(sys.argv[1])

#!/usr/bin/env python3
"""Searches from disk: disk_index beside DiskANN's StaticDiskIndex, in turns, at equal recall, on one thread.

    python -m venv venv && venv/bin/pip install diskannpy==0.7.0
    venv/bin/python bench/compare/disk_search.py --bench build/bench/bench_disk_search --data DIR --folder DIR

`--data` holds base and query as fvecs or bvecs; indexes are built in `--folder` where they are not there. Both read past the
system's cache of files, so that no memory but their own holds rows. Prints a table, and with --json one line of all figures.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

import numpy

K = 10
BEAMS = [round(10 * 1.12**i) for i in range(32)]  # to 335


def read_vecs(path):
    raw = numpy.fromfile(path, dtype=numpy.uint8)
    d = int(raw[:4].view(numpy.int32)[0])
    size = 4 if path.suffix == ".fvecs" else 1
    rows = raw.reshape(-1, 4 + d * size)[:, 4:]
    return numpy.ascontiguousarray(rows).view(numpy.float32 if size == 4 else numpy.uint8)


def squared_distances(rows, ids, query):
    return ((rows[ids].astype(numpy.float32) - query.astype(numpy.float32)) ** 2).sum(axis=1)


def kth_distances(rows, queries):
    """Of each query, the squared distance of its K-th neighbour."""
    wide, kth = rows.astype(numpy.float32), []
    norms = (wide**2).sum(axis=1)
    for query, products in zip(queries, (p for some in numpy.array_split(queries, 20) for p in some.astype(numpy.float32) @ wide.T)):
        near = numpy.argpartition(norms - 2 * products, 2 * K)[: 2 * K]
        kth.append(numpy.sort(squared_distances(rows, near, query))[K - 1])
    return kth


def anonymous_bytes():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def bytes_read():
    """By this process, from disks."""
    lines = pathlib.Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("read_bytes:"))


class Annulus:
    name = "annulus"

    def __init__(self, bench, base, query, folder, storage, options):
        command = [bench, base, query, folder, storage]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.options = options
        self.answer()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, command):
        print(command, file=self.process.stdin, flush=True)
        return self.answer()

    def search(self, beam, _):
        return self.ask(f"search {beam} {self.options}")

    def widths(self):
        return (0,)


class DiskANN:
    name = "DiskANN"

    def __init__(self, rows, queries, folder, bytes_a_row, given):
        import diskannpy

        folder.mkdir(exist_ok=True)
        if not any(folder.iterdir()):
            diskannpy.build_disk_index(
                rows, "l2", str(folder), complexity=given.diskann_complexity, graph_degree=given.diskann_degree,
                search_memory_maximum=(bytes_a_row + 0.5) * len(rows) / 2**30, build_memory_maximum=8,
                num_threads=given.threads)
        before = anonymous_bytes()
        # With one thread, which is all that searches, it waits for ever while it is loaded.
        self.index = diskannpy.StaticDiskIndex(str(folder), num_threads=2, num_nodes_to_cache=0)
        self.memory = anonymous_bytes() - before
        self.rows, self.queries, self.kth = rows, queries, kth_distances(rows, queries)

    def search(self, complexity, width):
        complexity = max(complexity, K)
        arguments = {"k_neighbors": K, "complexity": complexity, "beam_width": width}
        before, start = bytes_read(), time.perf_counter()
        found = self.index.batch_search(self.queries, num_threads=1, **arguments).identifiers
        seconds, read = time.perf_counter() - start, bytes_read() - before
        hits = sum(int((squared_distances(self.rows, ids, query) <= kth * (1 + 1e-6)).sum())
                   for ids, query, kth in zip(found, self.queries, self.kth))
        times = []
        for query in self.queries[:200]:
            start = time.perf_counter()
            self.index.search(query, **arguments)
            times.append(1e6 * (time.perf_counter() - start))
        n = len(self.queries)
        return {"queries_a_second": n / seconds, "recall": hits / (K * n), "bytes": read / n, "reads": read / n / 4096,
                "us_median": statistics.median(times), "anonymous_bytes": self.memory}

    def widths(self):
        return (2, 4, 8)


def narrowest(peer, width, target):
    """The narrowest beam that reaches the recall; None where none does."""
    step = 4
    for at in range(step - 1, len(BEAMS), step):
        if peer.search(BEAMS[at], width)["recall"] >= target:
            reaching = (i for i in range(at - step + 1, at) if peer.search(BEAMS[i], width)["recall"] >= target)
            return BEAMS[next(reaching, at)]
    return None


def settings_for(peer, target):
    """The beam and the width of the quickest search that reaches the recall."""
    found = []
    for width in peer.widths():
        beam = narrowest(peer, width, target)
        if beam is not None:
            found.append((peer.search(beam, width)["queries_a_second"], beam, width))
    return max(found)[1:] if found else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--storages", default="sq8,rabitq+sq8")
    parser.add_argument("--diskann-bytes", default="32", help="bytes a row of DiskANN's codes in memory, several by commas")
    parser.add_argument("--diskann-degree", type=int, default=64)
    parser.add_argument("--diskann-complexity", type=int, default=100, help="of building")
    parser.add_argument("--targets", default="0.95,0.99")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="for building")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()

    base, query = (next(path for path in sorted(given.data.glob(f"{name}.?vecs"))) for name in ("base", "query"))
    rows, queries = read_vecs(base), read_vecs(query)
    peers = {}
    for storage in given.storages.split(","):
        options = "estimates=1" if storage.startswith("rabitq") else ""
        peers[f"annulus {storage}"] = Annulus(given.bench, base, query, given.folder, storage, options)
    for size in given.diskann_bytes.split(","):
        folder = given.folder / f"diskann-{size}"
        peers[f"DiskANN, codes of {size} bytes"] = DiskANN(rows, queries, folder, int(size), given)

    disk = peers[next(iter(peers))].ask("disk")
    print("disk, random reads of 4 KiB a second:", {depth: round(disk[f"reads_a_second_{depth}"]) for depth in (1, 8, 16, 32)}, flush=True)
    print("| recall | index | beam | queries a second | median, us | reads a query | bytes a query | memory, MB |")
    print("|---|---|---|---|---|---|---|---|")
    records = []
    for target in map(float, given.targets.split(",")):
        settings = {name: settings_for(peer, target) for name, peer in peers.items()}
        rounds = [{name: peer.search(*settings[name]) for name, peer in peers.items() if settings[name]}
                  for _ in range(given.rounds)]
        for name, setting in settings.items():
            if setting is None:
                print(f"| {target} | {name} | not reached | | | | | |")
                continue
            median = {key: statistics.median(r[name][key] for r in rounds) for key in rounds[0][name]}
            records.append({"target": target, "index": name, "beam": setting, **median})
            beam = f"{setting[0]}, {setting[1]} at a time" if setting[1] else setting[0]
            memory = median.get("memory_bytes", median["anonymous_bytes"]) / 1e6
            print(f"| {median['recall']:.4f} | {name} | {beam} | {median['queries_a_second']:.0f} | {median['us_median']:.0f} | "
                  f"{median['reads']:.1f} | {median['bytes']:.0f} | {memory:.0f} |", flush=True)
    if given.json:
        print(json.dumps({"disk": disk, "records": records}))


if __name__ == "__main__":
    main()

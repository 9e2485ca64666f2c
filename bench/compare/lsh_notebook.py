"""The protocol of the notebook that the features of hash tables are taken from, on colour histograms."""

from dataclasses import dataclass, field

import annulus_compare
import numpy as np

import datasets
from lsh_problems import contender, mean_size
from measure import race

SEEDS = range(10)
TABLES = [5, 10, 15, 20, 50, 100]
PROBES = [10, 15, 20, 50, 100]  # a table, of 5
TOLERANCE = 1e-5  # in distances whose unit is the radius


@dataclass
class Notebook:
    """100 of the rows are queries, at a scale at which a width of 4 suits them."""

    rows: np.ndarray
    queries: np.ndarray = field(init=False)
    nearest: np.ndarray = field(init=False)

    def __post_init__(self):
        rows = self.rows.astype(np.float64)
        radius = np.mean([np.linalg.norm(rows - row, axis=1).mean() for row in rows[:100]]) / 2.5
        self.rows = np.ascontiguousarray(rows / radius, dtype=np.float32)
        self.queries = self.rows[:100]
        self.nearest = np.array([np.delete(self.distances(i, slice(None)), i).min() for i in range(100)])

    def distances(self, query, ids):
        return np.linalg.norm(self.rows[ids].astype(np.float64) - self.queries[query].astype(np.float64), axis=1)

    def recall(self, found):
        """By distance, of lists of ids."""
        hits = 0
        for i, ids in enumerate(found):
            ids = np.asarray(ids, dtype=np.int64)
            ids = ids[(ids != i) & (ids < len(self.rows))]
            hits += ids.size > 0 and self.distances(i, ids).min() <= self.nearest[i] + TOLERANCE
        return hits / len(found)

    def build(self, n_projections, n_tables, seed):
        return annulus_compare.LshPStableL2(self.rows, n_projections, n_tables, seed, 1, 4.0)


def cells():
    """(tables, probes a table, total probes); 0 probes a table are the own buckets alone."""
    yield from ((tables, 0, 0) for tables in TABLES)
    for probes in PROBES:
        yield from ((5, probes, 5 * probes), (5, probes, 5 * (probes + 1)))


def spread_evenly(book, n_projections, probes, seed):
    """As many probes as from one heap, but the same number in each of 5 tables: candidates of each query."""
    singles = [book.build(n_projections, 1, 5 * seed + table) for table in range(5)]
    found = [index.candidates(book.queries, probes) for index in singles]
    return [np.unique(np.concatenate(of_query)) for of_query in zip(*found)]


def run(options, records):
    for dataset in datasets.load(options.data, options.quick):
        if not dataset.name.startswith("hist") or not options.wants("lsh_notebook", dataset.name):
            continue
        book = Notebook(dataset.base)
        seeds = SEEDS[:2] if options.quick else SEEDS
        n, d = book.rows.shape
        case = {"dataset": dataset.name, "metric": "euclidean", "n": n, "d": d, "n_queries": len(book.queries)}
        for n_projections in (15, 30):
            print(f"lsh_notebook {dataset.name} K = {n_projections}", flush=True)
            compare_searches(book, n_projections, seeds, case, records)
            compare_builds(book, n_projections, case, records)


def compare_searches(book, n_projections, seeds, case, records):
    racers, extra = [], {}
    flat = annulus_compare.FlatIndex(book.rows, "euclidean")
    racers.append(contender("exact", lambda i: flat.search(book.queries, 6)))
    extra["exact"] = {"recall": book.recall(flat.search(book.queries, 6)[0])}
    for tables, probes, total in cells():
        figures = []
        for seed in seeds:
            index = book.build(n_projections, tables, seed)
            ids, own = index.search_with_stats(book.queries, 6, total)
            own["recall"] = book.recall(ids)
            if total > 0:
                together = index.candidates(book.queries, total)
                apart = spread_evenly(book, n_projections, total // 5, seed)
                own |= {"found": book.recall(together), "found_of": mean_size(together)}
                own |= {"found_evenly": book.recall(apart), "found_evenly_of": mean_size(apart)}
            figures.append(own)
        index = book.build(n_projections, tables, 0)
        name = f"L = {tables}" + (f", T = {probes}, {total} probes" if total else "")
        racers.append(contender(name, lambda i, x=index, t=total: x.search(book.queries, 6, t), "ours"))
        means = {key: float(np.mean([own[key] for own in figures])) for key in figures[0]}
        sd = float(np.std([own["recall"] for own in figures], ddof=1))
        extra[name] = means | {"recall_sd": sd, "n_tables": tables, "probes_a_table": probes, "n_probes": total}
    timing = race(racers, rounds=15)
    case = case | {"comparison": "lsh notebook", "n_projections": n_projections, "n_seeds": len(seeds)}
    records.add(case, racers, timing, extra)


def compare_builds(book, n_projections, case, records):
    """Beside a bare matrix product of the projections' size."""
    for tables in (5, 20, 100):
        directions = np.random.default_rng(1).standard_normal((book.rows.shape[1], n_projections * tables))
        directions = directions.astype(np.float32)
        racers = [
            contender("annulus", lambda i, t=tables: book.build(n_projections, t, i), "ours"),
            contender("float matrix product", lambda i, p=directions: book.rows @ p, "yardstick"),
        ]
        timing = race(racers, rounds=7)
        own = {"comparison": "lsh build", "n_projections": n_projections, "n_tables": tables}
        describe = book.build(n_projections, tables, 0).describe()
        extra = {"annulus": {"bytes_a_row_and_table": describe["bytes"] / len(book.rows) / tables, "buckets": describe}}
        records.add(case | own, racers, timing, extra)

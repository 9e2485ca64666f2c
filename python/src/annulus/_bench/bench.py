"""`python -m annulus bench`."""

import numpy as np

import annulus

from .contenders import OURS, chosen_peers
from .race import by_name, frontier, race, table


def run(options):
    if options.k < 1 or options.n_queries < 1 or options.rounds < 1:
        raise ValueError("-k, --n-queries and --rounds must be at least 1")
    peers = chosen_peers(options.peers)
    rows, queries, metric = load(options)
    if len(rows) < options.k:
        raise ValueError(f"there are {len(rows)} rows, fewer than -k = {options.k}")
    print(f"annulus {annulus.__version__}, {annulus.instruction_set()}, threads: {options.threads or 'all'}")
    print(f"{len(rows):,} rows of {rows.shape[1]} floats, {len(queries):,} queries in a batch, ", end="")
    print(f"k = {options.k}, {metric}")
    points = race([*OURS, *peers], rows, queries, options.k, metric, options.threads, options.rounds)
    print("\nqueries a second at a recall (in brackets: the best recall of those that do not get there)\n")
    print(table(points))
    if options.output:
        plot(points, options.output, f"{len(rows):,} x {rows.shape[1]}, {metric}", options.k)
        print(f"\nplot: {options.output}")
    return points


def load(options):
    """(rows, queries, metric), float32."""
    if options.data.endswith((".hdf5", ".h5")):
        rows, queries, metric = read_hdf5(options.data)
    else:
        rows, queries, metric = read_npy(options.data), None, "euclidean"
    if options.queries:
        queries = read_npy(options.queries)
    if rows.ndim != 2 or (queries is not None and (queries.ndim != 2 or queries.shape[1] != rows.shape[1])):
        shapes = f"{rows.shape}" + ("" if queries is None else f" and {queries.shape}")
        raise ValueError(f"rows and queries must have the shape (n, dim) with one dim, not {shapes}")
    if queries is None:
        rows, queries = held_out(rows, options.n_queries)
    if len(queries) == 0:
        raise ValueError("there are no queries")
    rows, queries = (np.ascontiguousarray(a, dtype=np.float32) for a in (rows, queries[: options.n_queries]))
    return rows, queries, options.metric or metric


def held_out(rows, n_queries):
    """The rows without some, and these."""
    n_queries = min(n_queries, len(rows) // 2)
    if n_queries == 0:
        raise ValueError(f"there are {len(rows)} rows: too few to take queries from")
    is_query = np.zeros(len(rows), dtype=bool)
    is_query[np.random.default_rng(1).choice(len(rows), n_queries, replace=False)] = True
    return rows[~is_query], rows[is_query]


def read_npy(path):
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise ValueError(f"{path} must be a .npy file of numbers")
    return array


def read_hdf5(path):
    try:
        import h5py
    except ImportError as error:
        raise ImportError("HDF5 files need h5py: pip install h5py") from error
    with h5py.File(path) as file:
        distance = file.attrs.get("distance", "euclidean")
        metric = {"euclidean": "euclidean", "angular": "cosine", "dot": "inner_product"}.get(distance)
        if metric is None:
            raise ValueError(f"the distance of {path} is {distance!r}, must be euclidean, angular or dot")
        for name in ("train", "test"):
            if not isinstance(file.get(name), h5py.Dataset):
                raise ValueError(f"{path} has no data set {name!r}, as files of ann-benchmarks have")
        return file["train"][:], file["test"][:], metric


def plot(points, path, title, k):
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError("the plot needs matplotlib: pip install matplotlib, or --output ''") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for name, group in by_name(points).items():
        shown = [(p.recall, p.queries_per_second) for p in frontier(group)]
        axes.plot(*zip(*shown), "o-" if name.startswith("annulus") else "s--", markersize=4, label=name)
    # Logarithmic in what is missing to 1 (and a little): what counts lies near it.
    axes.set_xscale("function", functions=(lambda x: -np.log(1.001 - np.minimum(x, 1)), lambda y: 1.001 - np.exp(-y)))
    ticks = [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 1]
    axes.set(xticks=ticks, xticklabels=map(str, ticks), yscale="log", title=title)
    axes.set(xlim=(min(0.9, min(p.recall for p in points)), 1), xlabel=f"recall@{k}", ylabel="queries a second")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)

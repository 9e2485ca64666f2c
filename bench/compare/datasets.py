"""Point sets to search: those shipped, random ones, and those of a folder."""

import pathlib
from dataclasses import dataclass

import h5py
import numpy as np

SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "examples" / "data"


@dataclass
class Dataset:
    name: str
    metric: str  # as annulus names it
    base: np.ndarray  # float32 or uint8
    queries: np.ndarray
    truth: np.ndarray = None  # ids of the nearest, a row a query


def read_vecs(path):
    path = pathlib.Path(path)
    dtype = {".fvecs": np.float32, ".bvecs": np.uint8, ".ivecs": np.int32}[path.suffix]
    raw = np.fromfile(path, dtype=np.uint8)
    d = int(raw[:4].view(np.int32)[0])
    rows = raw.reshape(-1, 4 + d * np.dtype(dtype).itemsize)
    return np.ascontiguousarray(rows[:, 4:]).view(dtype)


def distances(metric, query, rows):
    """In double precision, of one query to rows."""
    if metric == "bit_hamming":
        return np.bitwise_count(rows ^ query).sum(axis=1, dtype=np.float64)
    q, x = query.astype(np.float64), rows.astype(np.float64)
    if metric == "sqeuclidean":
        return ((x - q) ** 2).sum(axis=1)
    product = x @ q
    if metric == "inner_product":
        return -product
    return 1 - product / np.maximum(np.linalg.norm(x, axis=1) * np.linalg.norm(q), np.finfo(np.float64).tiny)


def metric_of_truth(base, queries, truth, truth_distances):
    """The metric under which the distances of a ground truth are right, None for one that is not compared here."""
    for metric in ("sqeuclidean", "cosine"):
        computed = distances(metric, queries[0], base[truth[0]])
        if np.allclose(computed, truth_distances[0], rtol=1e-3, atol=1e-5):
            return metric
    return None


def from_folder(folder):
    base, queries = (sorted(folder.glob(f"{part}.[fb]vecs")) for part in ("base", "query"))
    if not base or not queries:
        return []
    base, queries = read_vecs(base[0]), read_vecs(queries[0])
    truth = read_vecs(folder / "groundtruth.ivecs")
    stored = folder / "groundtruth_dist.fvecs"
    metric = metric_of_truth(base, queries, truth, read_vecs(stored)) if stored.exists() else "sqeuclidean"
    sets = [Dataset(folder.name, metric, base, queries, truth)] if metric else []
    by_product = folder / "groundtruth_ip.ivecs"
    if by_product.exists():
        sets.append(Dataset(folder.name, "inner_product", base, queries, read_vecs(by_product)))
    return sets


@dataclass
class Csr:
    """Rows of ascending members."""

    indptr: np.ndarray
    indices: np.ndarray

    def __len__(self):
        return len(self.indptr) - 1

    def __getitem__(self, i):
        if not 0 <= i < len(self):
            raise IndexError(i)
        return self.indices[self.indptr[i] : self.indptr[i + 1]]

    def head(self, n):
        indptr = self.indptr[: n + 1]
        return Csr(indptr, self.indices[: indptr[-1]])


@dataclass
class Sets:
    name: str
    base: Csr
    queries: Csr
    dim: int
    truth: np.ndarray


def load_bits(data):
    """The sets of packed bits in the folder `data`, which `load` leaves out."""
    for folder in sorted(pathlib.Path(data).glob("*bit*")) if data else []:
        base, queries = (read_vecs(folder / f"{part}.bvecs") for part in ("base", "query"))
        yield Dataset(folder.name, "bit_hamming", base, queries, read_vecs(folder / "groundtruth.ivecs"))


def load_sets(data):
    """The sets of sets there, under the Jaccard distance."""
    for path in sorted(pathlib.Path(data).glob("*/base.indptr.i32")) if data else []:

        def rows(part, folder=path.parent):
            indptr, indices = (np.fromfile(folder / f"{part}.{what}.i32", np.int32) for what in ("indptr", "indices"))
            return Csr(indptr.astype(np.int64), indices)

        base, queries = rows("base"), rows("query")
        dim = 1 + int(max(base.indices.max(), queries.indices.max()))
        yield Sets(path.parent.name, base, queries, dim, read_vecs(path.parent / "groundtruth.ivecs"))


def from_hdf5(path):
    """A file as https://github.com/erikbern/ann-benchmarks publishes them."""
    with h5py.File(path) as file:
        metric = {"euclidean": "sqeuclidean", "angular": "cosine"}.get(file.attrs.get("distance"))
        if metric is None:
            return []
        base, queries = (np.ascontiguousarray(file[part][:], dtype=np.float32) for part in ("train", "test"))
        return [Dataset(path.stem, metric, base, queries, file["neighbors"][:])]


def shipped():
    words = read_vecs(SHIPPED / "words-20k.fvecs")
    queries = np.ascontiguousarray(words[:: len(words) // 1000])
    return [Dataset("words-20k", metric, words, queries) for metric in ("sqeuclidean", "cosine", "inner_product")]


def random(n=100_000, d=128):
    rng = np.random.default_rng(1)
    base, queries = (rng.standard_normal((rows, d), dtype=np.float32) for rows in (n, 1000))
    as_bytes = [np.clip(128 + 32 * x, 0, 255).astype(np.uint8) for x in (base, queries)]
    return [
        Dataset("random-float", "sqeuclidean", base, queries),
        Dataset("random-uint8", "sqeuclidean", *as_bytes),
    ]


def manifold(n=100_000, d=960, latent=24, seed=5):
    """Like descriptors of images: positive, and in clusters near a curved surface of few dimensions."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((200, latent), dtype=np.float32)
    turned = rng.standard_normal((latent, d), dtype=np.float32) / np.float32(np.sqrt(latent))
    offsets = rng.standard_normal(d, dtype=np.float32) - 1

    def rows(count):
        x = centres[rng.integers(len(centres), size=count)]
        x = x + 0.5 * rng.standard_normal((count, latent), dtype=np.float32)
        x = np.logaddexp(2 * x @ turned + offsets, np.float32(0))  # a smooth max(., 0)
        return np.abs(x + 0.05 * rng.standard_normal(x.shape, dtype=np.float32), out=x)

    return Dataset("manifold-960", "sqeuclidean", rows(n), rows(1000))


def heavy_tails(n=200_000, d=32, seed=6):
    """A mixture whose clusters differ in size and width, with rows far outside them (Student's t of 3 degrees)."""
    rng = np.random.default_rng(seed)
    centres = 4 * rng.standard_normal((300, d), dtype=np.float32)
    spreads = rng.lognormal(0, 0.5, 300).astype(np.float32)
    shares = rng.pareto(1.5, 300) + 0.1

    def rows(count):
        of = rng.choice(300, count, p=shares / shares.sum())
        tails = np.sqrt(3 / rng.chisquare(3, count)).astype(np.float32)
        return centres[of] + (spreads[of] * tails)[:, None] * rng.standard_normal((count, d), dtype=np.float32)

    return Dataset("heavy-tails-32", "sqeuclidean", rows(n), rows(1000))


MADE = {"manifold-960": manifold, "heavy-tails-32": heavy_tails}


def load_and_make(data, quick):
    """The sets of the folder `data`, where there is one, and those that are made."""
    yield from load(data, quick) if data else ()
    for make in MADE.values():
        yield make(20_000) if quick else make()


def load(data, quick):
    """The sets of the folder `data`, one at a time; without a folder those that need none."""
    if data is None:
        yield from shipped()
        yield from random(20_000 if quick else 100_000)
        return
    for folder in sorted(p for p in pathlib.Path(data).iterdir() if p.is_dir()):
        found = from_folder(folder)
        if not found:
            print(f"{folder.name}: nothing here that the peers can search", flush=True)
        yield from found
    for path in sorted(pathlib.Path(data).rglob("*.hdf5")):
        yield from from_hdf5(path)

"""Product quantisation beside faiss and nanopq: training, encoding, scanning, and what is found."""

import pathlib
import tempfile
from dataclasses import dataclass

import annulus_compare
import faiss
import nanopq
import numpy as np

from measure import Contender, race

N_TRAINED = 25_600  # vectors that codebooks are trained on
PQ_ITER = 20  # rounds of k-means, on all sides
K = 10
K_FACTOR = 10  # times k candidates are ranked by the rows, where they are
DEPTHS = (1, 10, 100)  # of the lists in which the true nearest is looked for


@dataclass
class Codec:
    m: int
    bits: int
    rotated: bool = False

    @property
    def name(self):
        return f"{'O' if self.rotated else ''}PQ{self.m}x{self.bits}"

    @property
    def ks(self):
        return 2**self.bits


CODECS = {
    128: [Codec(8, 8), Codec(16, 8), Codec(16, 8, True), Codec(16, 4), Codec(32, 4)],
    384: [Codec(48, 8), Codec(48, 8, True), Codec(96, 4)],
    784: [Codec(56, 8), Codec(56, 8, True), Codec(112, 4)],
    100: [Codec(10, 8), Codec(10, 8, True), Codec(20, 4)],
}


def as_float(dataset, rows):
    """Under the cosine all sides get unit vectors, whose L2 distances rank alike."""
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    if dataset.metric != "cosine":
        return rows
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def our_quantizer(codec, rows, threads):
    kind = annulus_compare.OptimizedProductQuantizer if codec.rotated else annulus_compare.ProductQuantizer
    quantizer = kind(codec.m, codec.ks)
    quantizer.fit(rows, PQ_ITER, threads=threads)
    return quantizer


class FaissQuantizer:
    """Of the rotation with 20 rounds, or without, and a codebook trained on all rows given."""

    def __init__(self, codec, rows):
        d = rows.shape[1]
        self.rotation = faiss.OPQMatrix(d, codec.m) if codec.rotated else None
        if codec.rotated:
            self.rotation.niter = PQ_ITER
            self.rotation.train(rows)
        self.pq = faiss.ProductQuantizer(d, codec.m, codec.bits)
        self.pq.cp.niter = PQ_ITER
        self.pq.cp.max_points_per_centroid = len(rows)
        self.pq.train(self.rotated(rows))

    def rotated(self, rows):
        return rows if self.rotation is None else self.rotation.apply(rows)

    def encode(self, rows):
        return self.pq.compute_codes(self.rotated(rows))

    def mean_squared_error(self, rows):
        rotated = self.rotated(rows)
        return float(((rotated - self.pq.decode(self.pq.compute_codes(rotated))) ** 2).sum(axis=1).mean())

    def index(self, codec, rows, fast_scan):
        kind = faiss.IndexPQFastScan if fast_scan else faiss.IndexPQ
        index = kind(rows.shape[1], codec.m, codec.bits)
        index.pq = self.pq
        index.is_trained = True
        if self.rotation is not None:
            index = faiss.IndexPreTransform(self.rotation, index)
        index.add(rows)
        return index


def nanopq_quantizer(codec, rows):
    if codec.rotated:
        quantizer = nanopq.OPQ(M=codec.m, Ks=codec.ks, verbose=False)
        return quantizer.fit(rows, parametric_init=True, pq_iter=PQ_ITER, rotation_iter=10, seed=123)
    quantizer = nanopq.PQ(M=codec.m, Ks=codec.ks, verbose=False)
    return quantizer.fit(rows, iter=PQ_ITER, seed=123)


def found_shares(search, queries, truth):
    """Of the queries, the share whose nearest row is among the first 1, 10, 100."""
    ids = search(queries, max(DEPTHS))[0].astype(np.int64)
    return [float((ids[:, :depth] == truth[:, None]).any(axis=1).mean()) for depth in DEPTHS]


def compare_training(codec, rows, base, case, options, records):
    """Quantisers of all sides, and what it took to train them."""
    trained = {}

    def keeping(name, train):
        def call(_):
            trained[name] = train()

        return call

    racers = [
        Contender("annulus", keeping("annulus", lambda: our_quantizer(codec, rows, options.threads)), "ours"),
        Contender("faiss", keeping("faiss", lambda: FaissQuantizer(codec, rows))),
    ]
    racers.append(Contender("nanopq", keeping("nanopq", lambda: nanopq_quantizer(codec, rows))))
    timing = race(racers, rounds=1 if codec.rotated else 3, warm_up=False)
    extra = {}
    for name, quantizer in trained.items():
        if name == "nanopq":
            decoded = quantizer.decode(quantizer.encode(base))
            error = float(((base - decoded) ** 2).sum(axis=1).mean())
        else:
            error = quantizer.mean_squared_error(base)
        extra[name] = {"mean_squared_error": error}
    records.add({"comparison": "codec train"} | case, racers, timing, extra)
    errors = {name: e["mean_squared_error"] for name, e in extra.items()}
    best = min(error for name, error in errors.items() if name != "annulus")
    records.check(errors["annulus"] <= 1.01 * best, f"{case}: mean squared errors {errors}")
    return trained


def compare_encoding(codec, trained, base, case, options, records):
    part = base[:50_000]
    racers = [
        Contender("annulus", lambda i: trained["annulus"].encode(part, options.threads), "ours"),
        Contender("faiss", lambda i: trained["faiss"].encode(part)),
    ]
    if "nanopq" in trained:
        few = part[:5_000]

        def encode(_):
            trained["nanopq"].encode(few)

        racers.append(Contender("nanopq, a tenth", encode))
    timing = race(racers, rounds=5)
    records.add({"comparison": "codec encode"} | case | {"n": len(part)}, racers, timing, {})


def compare_scanning(codec, trained, base, queries, truth, case, options, records):
    ours, theirs = trained["annulus"], trained["faiss"]
    codes = ours.encode(base, options.threads)
    rotated = codec.rotated
    fast = (annulus_compare.RotatedFastScanIndex if rotated else annulus_compare.FastScanIndex)(ours, base)
    threads = options.threads
    searches = {
        "annulus, tables of bytes": ("ours", lambda q, k: fast.search(q, k, False, threads)),
        "annulus, bytes, then floats": ("ours", lambda q, k: fast.search(q, k, True, threads)),
        "annulus, re-ranked": ("ours", lambda q, k: fast.search_rows(q, k, base, K_FACTOR, threads)),
        "annulus, tables of floats": ("ours", lambda q, k: ours.search(codes, q, k, threads)),
    }

    def faiss_search(index):
        return lambda q, k: index.search(q, k)[::-1]

    def refined(index):
        refine = faiss.IndexRefineFlat(index, faiss.swig_ptr(base))
        refine.k_factor = K_FACTOR
        return faiss_search(refine)

    index = theirs.index(codec, base, fast_scan=codec.bits == 4)
    kind = "faiss.IndexPQFastScan" if codec.bits == 4 else "faiss.IndexPQ"
    searches[kind] = ("peer", faiss_search(index))
    searches[f"{kind}, re-ranked"] = ("peer", refined(index))

    extra = {}
    for name, (_, search) in searches.items():
        extra[name] = {"found": found_shares(search, queries, truth), "code_bytes": codec.m * codec.bits / 8}
    by_bytes_and_floats = fast.search(queries, K, True, threads)[0]
    records.check(
        np.array_equal(by_bytes_and_floats, ours.search(codes, queries, K, threads)[0]),
        f"{case}: tables of bytes and then floats find what tables of floats find",
    )
    racers = [Contender(name, lambda i, s=search: s(queries, K), role) for name, (role, search) in searches.items()]
    records.add({"comparison": "codec scan"} | case, racers, race(racers, rounds=7), extra)

    if "nanopq" in trained and codec.bits == 8:
        nano = trained["nanopq"]
        nano_codes = nano.encode(base[:5000])[np.arange(len(base)) % 5000]
        racers = [
            Contender("annulus", lambda i: ours.adist(queries[i % len(queries)], codes), "ours"),
            Contender("nanopq", lambda i: nano.dtable(queries[i % len(queries)]).adist(nano_codes)),
        ]
        records.add({"comparison": "codec adist"} | case | {"n_queries": 1}, racers, race(racers, rounds=9), {})


def check_files(codec, trained, base, queries, case, records):
    """What annulus writes faiss searches alike, and the other way round; and a file read is written back as it was."""
    ours = trained["annulus"]
    if codec.bits == 4:
        file = annulus_compare.faiss_file(annulus_compare.FastScanIndex(ours, base))
    else:
        file = annulus_compare.faiss_file(ours, ours.encode(base))
    theirs = faiss.IndexRefineFlat(trained["faiss"].index(codec, base, codec.bits == 4), faiss.swig_ptr(base))
    theirs.k_factor = K_FACTOR

    def alike(found, expected):
        (_, distances), (expected_distances, _) = found, expected
        return np.allclose(distances, expected_distances, rtol=1e-4, atol=1e-4 * np.abs(expected_distances).max())

    with tempfile.TemporaryDirectory() as folder:
        path, copy = pathlib.Path(folder) / "a.faiss", pathlib.Path(folder) / "b.faiss"
        for kind, index in (("codes", file), ("refined", annulus_compare.faiss_refined(file, base, K_FACTOR))):
            index.write(str(path))
            found, expected = index.search(queries, K), faiss.read_index(str(path)).search(queries, K)
            records.check(alike(found, expected), f"{case}: faiss on our file of {kind}")
        faiss.write_index(theirs, str(path))
        read = annulus_compare.read_faiss(str(path))
        records.check(alike(read.search(queries, K), theirs.search(queries, K)), f"{case}: we on faiss's file")
        read.write(str(copy))
        records.check(path.read_bytes() == copy.read_bytes(), f"{case}: faiss's file written back")


def true_nearest(base, queries):
    index = faiss.IndexFlatL2(base.shape[1])
    index.add(base)
    return index.search(queries, 1)[1][:, 0]


def run(options, records):
    import datasets

    faiss.omp_set_num_threads(options.threads)
    for dataset in datasets.load(options.data, options.quick):
        d = dataset.base.shape[1]
        if not options.wants("codec", dataset.name) or d not in CODECS or dataset.metric == "inner_product":
            continue
        base, queries = (as_float(dataset, rows) for rows in (dataset.base, dataset.queries[:1000]))
        truth = true_nearest(base, queries)
        rows = base[: min(N_TRAINED, len(base) // 2)]
        shape = {"n": len(base), "d": d, "n_queries": len(queries), "k": K}
        for codec in CODECS[d]:
            case = {"dataset": dataset.name, "metric": dataset.metric, "codec": codec.name} | shape
            print(f"codec {dataset.name} {codec.name}", flush=True)
            trained = compare_training(codec, rows, base, case, options, records)
            compare_encoding(codec, trained, base, case, options, records)
            compare_scanning(codec, trained, base, queries, truth, case, options, records)
            check_files(codec, trained, base[:20_000], queries[:100], case, records)

"""The graph indexes of rabitqlib, zvec and pyglass, and by float rows of hnswlib, faiss and SVS, called alike. Each may be
absent.

A builder takes (rows, threads) and returns a search: (queries, k, width) -> ids, by one thread. `search.own_bytes()` is
the size of the index as a file, None where it has none. `search.shared`, where there is one, is what the build was spared
since an index before it has the same graph. All compare float rows by the squared Euclidean distance, so the rows of a
cosine come as unit vectors.
"""

import contextlib
import functools
import importlib.metadata
import importlib.util
import os
import pathlib
import sys
import tempfile
import time
import weakref
from dataclasses import dataclass
from typing import Callable

import numpy as np


TEMPORARY = "annulus_compare_"


@dataclass
class Peer:
    name: str
    module: str
    package: str  # as pip names it
    build: Callable

    def is_installed(self):
        return importlib.util.find_spec(self.module) is not None

    def version(self):
        return importlib.metadata.version(self.package)


RABITQLIB_MIN_DIM = 64  # the rotation of its codes refuses fewer


def long_enough(rows):
    """Zeros at the end change no distance."""
    missing = max(0, RABITQLIB_MIN_DIM - rows.shape[1])
    return np.pad(rows, ((0, 0), (0, missing))) if missing else rows


def rabitqlib_index(degree, bits):
    """SymphonyQG: 1-bit codes of its neighbours beside each row, which is floats (bits = 0) or codes of 4 or 8 bits."""

    def build(rows, threads):
        import rabitqlib

        rows = long_enough(rows)
        # The degree is a multiple of 32 and below the number of rows. Metrics are "l2" and "ip", in lower case; there
        # is no cosine. The build draws at random, and Python cannot seed it.
        index = rabitqlib.SymqgIndex(rows.shape[1], degree, metric="l2", quantization_bits=bits)
        index.build(rows, ef_construction=200, num_threads=threads)  # num_threads: 1 unless said, 0 means all

        def search(queries, k, width):
            # ef below k is refused, and ef = k finds little: only rows that were expanded are returned, as only they
            # are compared by more than a code. The ids are uint32.
            return index.search_batch(long_enough(queries), k, ef=width, num_threads=1)[0]

        search.own_bytes = lambda: saved_bytes(index.save)
        return search

    return build


@functools.cache
def zvec_module(threads):
    """zvec.init works once a process. Without it zvec takes a thread a core for its queries."""
    import zvec

    zvec.init(query_threads=1, optimize_threads=threads, log_level=zvec.LogLevel.ERROR)
    return zvec


ZVEC_BATCH = 1000  # an insertion of more than 1,024 documents is refused


def zvec_index(quantize_type=None, flat_type=None):
    """HNSW over floats, or over codes whose best are compared again by the rows themselves."""

    def build(rows, threads):
        zvec = zvec_module(threads)
        # The metric is the inner product, m 50 and ef_construction 500, unless others are given. Without contiguous
        # memory the rows are in pages that a search looks up one by one.
        parameters = {"metric_type": zvec.MetricType.L2, "m": 16, "ef_construction": 200, "use_contiguous_memory": True}
        if quantize_type:
            parameters["quantize_type"] = getattr(zvec.QuantizeType, quantize_type)
            parameters["use_flat_contiguous_memory"] = True  # of the rows that the best codes are compared by
        if flat_type:
            parameters["flat_data_type"] = getattr(zvec.DataType, flat_type)
        field = zvec.VectorSchema("row", zvec.DataType.VECTOR_FP32, rows.shape[1], zvec.HnswIndexParam(**parameters))

        folder = tempfile.TemporaryDirectory(prefix=TEMPORARY)
        path = pathlib.Path(folder.name) / "collection"
        written = zvec.create_and_open(str(path), zvec.CollectionSchema("rows", vectors=field))
        for first in range(0, len(rows), ZVEC_BATCH):  # as lists of Python, which is a part of the time
            batch = enumerate(rows[first : first + ZVEC_BATCH], first)
            statuses = written.insert([zvec.Doc(id=str(i), vectors={"row": row}) for i, row in batch])
            if not all(status.ok() for status in statuses):
                raise RuntimeError(f"zvec: {next(s for s in statuses if not s.ok())}")
        written.flush()
        written.optimize(zvec.OptimizeOption(concurrency=threads))  # before it every search compares all rows
        written.close()
        # Queries that return arrays, not documents, need a collection that is open for reading only. Their ids are
        # zvec's own (int64, -1 for none), so the names that the rows were given are looked up.
        collection = zvec.open(str(path), zvec.CollectionOption(read_only=True))
        name_of = np.array(collection.resolve_internal_ids(np.arange(len(rows))), dtype=np.int64)

        def search(queries, k, width):
            # One query a call: the package has no batches, and a call takes some 5 us of Python. A refined search
            # compares the best max(k, ef) of its codes again.
            how = zvec.HnswQueryParam(ef=width, is_using_refiner=quantize_type is not None)
            found = [collection.query_internal_ids(zvec.Query("row", vector=q, param=how), topk=k) for q in queries]
            found = np.array(found)
            return np.where(found >= 0, name_of[found], -1)

        search.folder = folder  # which goes with the search
        search.own_bytes = lambda: sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return search

    return build


@contextlib.contextmanager
def silent():
    """Without what C++ writes to the standard output."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def glass_graph(rows, threads):
    """A file of the graph, and what building it took: nothing if the index before had the same rows."""
    import glass  # its wheel has the kernels of AVX2, whatever the processor has

    last_rows, file, taken = glass_graph.last
    if last_rows is not None and last_rows() is rows:
        return file, taken
    # batch_search with num_threads sets the number for all that follows, builds too.
    glass.set_num_threads(threads)
    start = time.perf_counter()
    # R is the degree of the lowest layer, hnswlib's M doubled; L is ef_construction. "L2" and "IP" are in upper case, and
    # an unknown name is no error.
    graph = glass.Index("HNSW", "L2", "SQ8U", R=32, L=200).build(rows)
    seconds = time.perf_counter() - start
    file = tempfile.NamedTemporaryFile(prefix=TEMPORARY)
    graph.save(file.name)
    glass_graph.last = weakref.ref(rows), file, {"seconds": seconds}
    return file, {}


glass_graph.last = None, None, {}


def glass_index(codes):
    """HNSW, walked over codes; the 1.5 k best are compared again by floats."""

    def build(rows, threads):
        import glass

        with silent():
            file, shared = glass_graph(rows, threads)
            # A searcher takes the graph away from its Graph, without an error in the next one: so each reads its own. The
            # arguments go by position, as versions name them differently. The codes share one range from the least to
            # the greatest coordinate, so a few far rows leave the others hardly any steps.
            searcher = glass.Searcher(glass.Graph(file.name), rows, "L2", codes, "FP32")
            glass.set_num_threads(1)  # how far to prefetch is tried out, by the threads that will search
            searcher.optimize(1)

        def search(queries, k, width):
            searcher.set_ef(width)
            return searcher.batch_search(queries, k, 1)[0]  # (ids as int32, distances); 0 threads are all

        search.own_bytes, search.shared = lambda: None, shared
        return search

    return build


def saved_bytes(save):
    """The size of the file that save(name) writes."""
    with tempfile.NamedTemporaryFile(prefix=TEMPORARY) as file:
        save(file.name)
        return os.stat(file.name).st_size


def hnswlib_index(rows, threads, space="l2"):
    import hnswlib

    index = hnswlib.Index(space, rows.shape[1])
    index.init_index(len(rows), M=16, ef_construction=200)
    index.add_items(rows, num_threads=threads)

    def search(queries, k, width):
        index.set_ef(width)
        return index.knn_query(queries, k, num_threads=1)[0]

    search.own_bytes = lambda: saved_bytes(index.save_index)
    return search


def faiss_index(rows, threads):
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexHNSWFlat(rows.shape[1], 32)
    index.hnsw.efConstruction = 100
    index.add(rows)

    def search(queries, k, width):
        faiss.omp_set_num_threads(1)
        return index.search(queries, k, params=faiss.SearchParametersHNSW(efSearch=width))[1]

    search.own_bytes = lambda: len(faiss.serialize_index(index))
    return search


def svs_index(rows, threads):
    import svs

    parameters = svs.VamanaBuildParameters(alpha=1.2, graph_max_degree=32, window_size=200)
    index = svs.Vamana.build(parameters, rows, svs.DistanceType.L2, threads)
    index.num_threads = 1

    def search(queries, k, width):
        parameters = index.search_parameters  # whose prefetching the library has chosen
        parameters.buffer_config = svs.SearchBufferConfig(width, width)
        index.search_parameters = parameters
        return index.search(queries, k)[0]

    search.own_bytes = lambda: None
    return search


def float_peers():
    yield Peer("hnswlib", "hnswlib", "hnswlib", hnswlib_index)
    yield Peer("faiss HNSW", "faiss", "faiss-cpu", faiss_index)
    yield Peer("SVS Vamana", "svs", "scalable-vs", svs_index)


def rabitqlib_peers():
    for bits in (0, 8):  # of degree 32, as its documentation measures it; 64 is slower at the recalls compared here
        kept = f"{bits}-bit rows" if bits else "float rows"
        yield Peer(f"rabitqlib, {kept}", "rabitqlib", "rabitqlib", rabitqlib_index(32, bits))


def zvec_peers(is_bytes):
    yield Peer("zvec, float", "zvec", "zvec", zvec_index())
    codes = zvec_index("UNIFORM_UINT8", "VECTOR_UINT8") if is_bytes else zvec_index("INT8")
    yield Peer("zvec, uint8" if is_bytes else "zvec, int8", "zvec", "zvec", codes)


def glass_peers():
    for codes, name in (("SQ8U", "8-bit"), ("SQ4U", "4-bit")):
        yield Peer(f"glass, {name}", "glass", "pyglass-portable", glass_index(codes))


def installed(is_bytes):
    """Those that are there, and a note of those that are not."""
    peers = [*rabitqlib_peers(), *zvec_peers(is_bytes), *glass_peers(), *float_peers()]
    for package in dict.fromkeys(p.package for p in peers if not p.is_installed()):
        print(f"graph peers: {package} is not installed and left out", flush=True)
    return [p for p in peers if p.is_installed()]

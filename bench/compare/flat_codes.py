"""Searches of all codes that rank the best by the rows, to a recall of .95: annulus beside faiss."""

import functools

import annulus_compare
import faiss

import codec
import datasets
from measure import Contender, race

K = 10
N_QUERIES = 1000
RECALL = 0.95
K_FACTORS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 20, 24, 28, 32, 40, 50, 64)
DATASETS = ("images-784-fashion-mnist", "text-384-debian", "sift-128-caltech101")  # unless others are named
ROUNDS = 9


def our_indexes(base, threads):
    d = base.shape[1]
    for bits in (1, 2, 4):
        index = annulus_compare.RabitqIndex(base, threads, bits)
        yield f"annulus, RaBitQ, {bits} bit{'s' * (bits > 1)}", index
    for m in (d // 8, d // 4, d // 2):
        quantizer = codec.our_quantizer(codec.Codec(m, 4), base[: codec.N_TRAINED], threads)
        yield f"annulus, PQ{m}x4", annulus_compare.FastScanIndex(quantizer, base)


def faiss_indexes(base):
    d = base.shape[1]
    for m in (d // 8, d // 4, d // 2):
        yield f"faiss.IndexPQFastScan, PQ{m}x4", faiss.IndexPQFastScan(d, m, 4), base[: codec.N_TRAINED]
    for query_bits in (4, 8):
        index = faiss.IndexRaBitQFastScan(d, faiss.METRIC_L2)
        index.qb = query_bits
        yield f"faiss.IndexRaBitQFastScan, {query_bits} bits a query", index, base
    yield "faiss.IndexLSH", faiss.IndexLSH(d, 2 * d, True, True), base[: codec.N_TRAINED]


def searches(base, queries, threads):
    for name, index in our_indexes(base, threads):
        yield name, "ours", functools.partial(our_search, index, base, queries, threads)
    for name, index, rows in faiss_indexes(base):
        index.train(rows)
        index.add(base)
        yield name, "peer", functools.partial(faiss_search, index, base, queries)


def our_search(index, base, queries, threads, k_factor):
    return index.search_rows(queries, K, base, k_factor, threads)[0]


def faiss_search(index, base, queries, k_factor):
    refined = faiss.IndexRefineFlat(index, faiss.swig_ptr(base))
    refined.k_factor = k_factor
    return refined.search(queries, K)[1]


def run(options, records):
    faiss.omp_set_num_threads(options.threads)
    for dataset in datasets.load(options.data, options.quick):
        named = dataset.name in (*DATASETS, *options.only)
        if not options.wants("flat_codes", dataset.name) or not named or dataset.metric == "inner_product":
            continue
        base, queries = (codec.as_float(dataset, rows) for rows in (dataset.base, dataset.queries[:N_QUERIES]))
        exact = faiss.IndexFlatL2(base.shape[1])
        exact.add(base)
        worst = exact.search(queries, K)[0][:, -1:] * (1 + 1e-5)

        def recall(ids):
            distances = ((base[ids.astype("int64")] - queries[:, None, :]) ** 2).sum(axis=2)
            return float((distances <= worst).mean())

        print(f"flat codes {dataset.name}", flush=True)
        racers, extra = [], {}
        for name, role, search in searches(base, queries, options.threads):
            reached = ((factor, recall(search(factor))) for factor in K_FACTORS)
            enough = next(((factor, share) for factor, share in reached if share >= RECALL), None)
            if enough is None:
                print(f"  {name}: less than {RECALL} with {K_FACTORS[-1]} k candidates", flush=True)
                continue
            extra[name] = {"k_factor": enough[0], "recall": enough[1], "role": role}
            racers.append(Contender(name, lambda i, s=search, f=enough[0]: s(f), role))
        n, d = base.shape
        case = {"dataset": dataset.name, "metric": dataset.metric, "n": n, "d": d, "n_queries": len(queries), "k": K}
        records.add({"comparison": "flat codes"} | case, racers, race(racers, ROUNDS), extra)

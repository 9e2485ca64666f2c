"""Runs annulus and its peers in turns, and writes what they took: measurements (JSON lines), tables and plots.

With --records bench/records the rows of the tables are added to what RESULTS.md is written from (see results.py).

The module annulus_compare must be importable: the target bench_compare builds it and calls this.
"""

import argparse
import importlib
import os
import pathlib
import shlex
import subprocess
import sys


STORAGES = ["float", "uint8", "sq8", "rabitq, uint8", "rabitq, sq8"]
PEER_KINDS = {"situations", "filtered", "insertion"}  # by the program of peers/


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data",
        help="folder of data sets: subfolders with base.*, query.* and groundtruth.ivecs, or *.hdf5 as ann-benchmarks "
        "publishes them (default: the shipped and random ones)",
    )
    parser.add_argument("--out", default="bench_compare", help="folder for the results (default: %(default)s)")
    parser.add_argument("--records", metavar="FOLDER", help="adds the rows of the tables to the records there")
    kinds = {"approx_min_k", "knn", "graph", "codec", "lsh", "lsh_notebook", "lsh_target", "metrics", "metric_graph", "files"}
    kinds |= PEER_KINDS | {"graph_peers", "flat_codes"}
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        default=[],
        help=f"of {', '.join(sorted(kinds))}; and names of data sets, or of metrics",
    )
    parser.add_argument("--quick", action="store_true", help="smaller inputs, fewer rounds")
    parser.add_argument(
        "--storages",
        nargs="+",
        metavar="NAME",
        default=STORAGES,
        help="how annulus keeps the rows in graph_peers: float, uint8 (only of data sets of bytes), half, or another storage "
        f"that NNDescentIndex has (default: {shlex.join(STORAGES)})",
    )
    parser.add_argument("--threads", choices=["1", "all", "both"], default="both")
    options = parser.parse_args()
    if options.records and options.quick:
        parser.error("--records: figures of a quick run are not recorded; leave out --quick")
    only_kinds, only_sets = kinds & set(options.only), set(options.only) - kinds

    def wants(kind, dataset=None):
        return (not only_kinds or kind in only_kinds) and (not only_sets or dataset in only_sets)

    options.wants, options.wants_kind = wants, lambda kind: not only_kinds or kind in only_kinds
    return options


def command(options):
    """As others would run it: without folders of this machine."""
    parts = ["python bench/compare/run.py"] + (["--data DIR"] if options.data else [])
    parts += [f"--threads {options.threads}"] + (["--only", *options.only] if options.only else [])
    parts += [f"--storages {shlex.join(options.storages)}"] if options.storages != STORAGES else []
    return " ".join(parts)


def use_threads(threads):
    """The peers read these when they are imported, and size their thread pools by the cores that are allowed."""
    cores = sorted(os.sched_getaffinity(0))
    count = 1 if threads == "1" else len(cores)
    if count == 1:
        os.sched_setaffinity(0, cores[-1:])
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(count)
    os.environ["JAX_PLATFORMS"] = "cpu"
    if count == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return count


def let_numpy_choose_well():
    """Where it has AVX-512, numpy 2.4 may fall back to scalar selection, six times slower than its own AVX2."""
    probe = """if True:
        import time, numpy
        x = numpy.random.default_rng(0).random(1_000_000, dtype=numpy.float32)
        def seconds():
            start = time.perf_counter()
            numpy.argpartition(x, 100)
            return time.perf_counter() - start
        print(min(seconds() for _ in range(9)))"""

    def seconds(disabled):
        environment = os.environ | {"NPY_DISABLE_CPU_FEATURES": disabled}
        arguments = [sys.executable, "-c", probe]
        run = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
        return float(run.stdout) if run.returncode == 0 else float("inf")  # refused on other architectures

    os.environ["NPY_DISABLE_CPU_FEATURES"] = min(["", "X86_V4 AVX512_ICL AVX512_SPR"], key=seconds)


def measure(options):
    """In this process, for one number of threads."""
    name, line = options.threads, command(options)
    options.threads = use_threads(name)
    let_numpy_choose_well()
    # Imported late: only now is the environment as the peers must find it.
    from measure import Records
    from threadpoolctl import threadpool_limits

    records = Records(pathlib.Path(options.out) / f"results-{name}.jsonl", options.threads, line)
    with threadpool_limits(options.threads):
        if options.wants("approx_min_k"):
            import topk

            topk.run(options, records)
        if options.wants_kind("knn"):
            import knn

            knn.run(options, records)
        if options.wants_kind("graph"):
            import graph

            graph.run(options, records)
        if options.wants_kind("codec"):
            import codec

            codec.run(options, records)
        modules = {kind: kind for kind in ("flat_codes", "lsh_notebook", "lsh_target", "lsh", "metrics")}
        modules |= {"metric_graph": "metric_graphs", "files": "data_files"}
        for kind, module in modules.items():
            if options.wants_kind(kind):
                importlib.import_module(module).run(options, records)
        # Once: they build by all cores, and search by one.
        if options.wants_kind("graph_peers") and (name == "all" or os.cpu_count() == 1):
            importlib.import_module("graph_peers").run(options, records)
        # Once: that program takes one thread or two by itself.
        if any(map(options.wants_kind, PEER_KINDS)) and (name == "all" or os.cpu_count() == 1):
            importlib.import_module("peers").run(options, records)
    return len(records.failures)


def record(path, folder):
    """Adds what this process measured to the records of RESULTS.md."""
    import report
    import results

    measurements = report.read([path])
    if measurements:
        shared = {key: measurements[0][key] for key in ("date", "commit", "cpu", "command")}
        results.append_tables(folder, report.tables(measurements), shared)


def main():
    options = parse()
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    if options.threads == "both":
        for old in out.glob("results-*.jsonl"):
            old.unlink()
        # One process a number of threads, since thread pools cannot be resized once they are there.
        numbers = ["1", "all"] if len(os.sched_getaffinity(0)) > 1 else ["1"]
        again = [sys.executable, *sys.argv, "--threads"]
        runs = [subprocess.run([*again, number], check=False) for number in numbers]
        return max(abs(run.returncode) for run in runs)

    name = options.threads
    failures = measure(options)
    import report

    report.write(out)
    if options.records and not failures:
        record(out / f"results-{name}.jsonl", options.records)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

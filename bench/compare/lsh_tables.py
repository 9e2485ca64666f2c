"""Tables of hash tables."""

import json
import math
import pathlib

from tables import Table, grouped


def read_floky(key):
    """By n_projections and `key` what floky 0.2.2 (lsh-rs) has on the same data by the same protocol, means of 10 seeds:
    recall, candidates, us a query. Its probes are those of 5 tables."""
    result = {}
    for line in (pathlib.Path(__file__).parent / "floky.jsonl").read_text().splitlines():
        r = json.loads(line)
        if key in r:
            result.setdefault(r["n_projections"], {})[r[key]] = (r["recall"], r["candidates"], r["us"])
    return result


FLOKY_TABLES = read_floky("tables")
FLOKY_PROBES = read_floky("probes_a_table")


def us_a_query(record):
    return 1e6 * record["seconds"]["median"] / record["n_queries"]


def floky_of(record):
    """The figures of floky for a record of ours, none for `exact`."""
    if "n_tables" not in record:
        return ()
    if record["probes_a_table"]:
        return FLOKY_PROBES[record["n_projections"]][record["probes_a_table"]]
    return FLOKY_TABLES[record["n_projections"]][record["n_tables"]]


def is_shown(record):
    """Whether the probes are as many as floky's. The plots also have those with the own buckets on top."""
    return record.get("n_probes", 0) == 5 * record.get("probes_a_table", 0)


def notebook_table(records):
    result = Table("lsh/notebook", "the notebook's protocol, processor time of one thread", is_sweep=True)
    for r in filter(is_shown, records):
        sd = f" ({r['recall_sd']:.3f})" if "recall_sd" in r else ""
        values = {"recall": f"{r['recall']:.3f}{sd}"}
        values["candidates"] = f"{r['candidates']:.0f}" if "candidates" in r else None
        values["us"] = f"{us_a_query(r):.1f}"
        values |= zip(("recall of floky", "candidates of floky", "us of floky"), map(str, floky_of(r)))
        columns = {"found": "one heap: found in", "found_evenly": "as many probes in each table: found in"}
        for key, column in columns.items():
            values[column] = f"{r[key]:.3f} in {r[key + '_of']:.0f}" if key in r else None
        result.add({"K": str(r["n_projections"]), "tables, probes": r["contender"]}, values)
    return result


def build_table(records):
    title = "builds beside a matrix product of the projections, processor time of one thread"
    result = Table("lsh/build", title)
    for group in grouped(records, lambda r: (r["n_projections"], r["n_tables"])).values():
        ours = next(r for r in group if r["role"] == "ours")
        product = next(r for r in group if r["role"] != "ours")
        build, of_product = (f"{1e3 * r['seconds']['median']:.1f} ms" for r in (ours, product))
        values = {"build": build, "matrix product": of_product, "ratio": f"{1 / product['ratio']['annulus']:.2f}"}
        values["bytes a row and table"] = f"{ours['bytes_a_row_and_table']:.1f}"
        result.add({"K": str(ours["n_projections"]), "L": str(ours["n_tables"])}, values)
    return result


def target_table(records):
    """With the candidates as a multiple of those of the least fixed n_probes that is as good."""
    result = Table("lsh/target", "recall_target, means over seeds, processor time of one thread")
    for r in records:
        labels = {"data": r["dataset"], "index": r["contender"], "k": str(r["k"]), "target": f"{r['target']:g}"}
        values = {"recall": f"{r['recall']:.4f}"}
        values["error"] = f"{math.hypot(r['error_by_seeds'], r['error_by_queries']):.4f}"
        values |= {"probes": f"{r['probes']:.0f}", "candidates": f"{r['candidates']:.0f}", "us": f"{us_a_query(r):.0f}"}
        for goal, column in (("for_target", "of fixed, for the target"), ("for_recall", "of fixed, for the recall")):
            values[column] = f"{r[goal]['ratio']:.2f}" if goal in r else None
        result.add(labels, values)
    return result


def search_table(records):
    title = f"searches for {records[0]['k']}, processor time of one thread"
    result = Table("lsh/libraries", title, is_sweep=True)
    for r in records:
        parameters = " ".join(f"{key}={value}" for key, value in r["parameters"].items())
        values = {"recall": f"{r['recall']:.4f}", "us, batch": f"{us_a_query(r):,.1f}"}
        values["us, singly"] = f"{1e6 * r['single_seconds']:,.1f}" if "single_seconds" in r else None
        values["rows compared"] = f"{100 * r['candidates'] / r['n']:.2g} %" if "candidates" in r else None
        values["build"] = f"{r['build_seconds']:.2f} s" if r["build_seconds"] else None
        values["MB"] = f"{r['bytes'] / 1e6:.0f}" if r["bytes"] else None
        result.add({"data": r["dataset"], "method": r["method"], "parameters": parameters}, values)
    return result


def lsh_tables(records):
    kinds = {
        "lsh notebook": notebook_table,
        "lsh build": build_table,
        "lsh target": target_table,
        "lsh search": search_table,
    }
    groups = grouped(records, lambda r: r["comparison"])
    return [kinds[kind](group) for kind, group in groups.items()]

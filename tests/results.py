#!/usr/bin/env python3
"""bench/RESULTS.md is what its records give, and records become tables as bench/compare/results.py says."""

import json
import pathlib
import sys
import tempfile
import unittest

BENCH = pathlib.Path(__file__).resolve().parent.parent / "bench"
sys.dont_write_bytecode = True
sys.path.insert(0, str(BENCH / "compare"))

import google_benchmark  # noqa: E402  (the path comes first)
import results  # noqa: E402
from tables import Table, markdown  # noqa: E402


def record(row, values, date="2026-01-01", table="search", **more):
    labels = dict(zip(("data", "k"), row))
    more = {"commit": "abc", "cpu": "a CPU", "command": "run"} | more
    return {"table": table, "row": labels, "values": values, "date": date} | more


class Bench:
    """A folder like bench, with one section."""

    def __init__(self, folder, records, text="{{table: knn/search}}\n"):
        self.folder = pathlib.Path(folder)
        for name in ("records", "results"):
            (self.folder / name).mkdir()
        (self.folder / "records/knn.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
        (self.folder / "results/knn.md").write_text(text)


class Results(unittest.TestCase):
    def bench(self, *arguments):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Bench(folder.name, *arguments).folder

    def rendered(self, *records):
        return results.render(self.bench(records)).splitlines()[2:]

    def test_results_are_up_to_date(self):
        self.assertEqual(results.check(BENCH), 0)

    def test_a_changed_figure_is_noticed(self):
        bench = self.bench([record("a1", {"time": "5 ms"})])
        results.write(bench)
        self.assertEqual(results.check(bench), 0)
        path = bench / "RESULTS.md"
        path.write_text(path.read_text().replace("5 ms", "4 ms"))
        self.assertEqual(results.check(bench), 1)

    def test_rows_of_one_run_share_a_line(self):
        lines = self.rendered(record("a1", {"time": "5 ms"}), record("a2", {"time": "6 ms"}))
        expected = ["| data | k | time |", "| --- | --- | --- |", "| a | 1 | 5 ms |", "|  | 2 | 6 ms |"]
        self.assertEqual(lines, [*expected, "", "Measured 2026-01-01, commit abc, a CPU: `run`"])

    def test_newer_rows_replace_older_ones_in_their_place(self):
        rows = [record("a1", {"time": "old"}), record("b1", {"time": "same"})]
        rows.append(record("a1", {"time": "new"}, "2026-02-01"))
        for order in (rows, rows[2:] + rows[:2]):
            lines = self.rendered(*order)
            self.assertEqual(lines[2:4], ["| a | 1 | new | 1 |", "| b | 1 | same | 2 |"])
            self.assertEqual(lines[5], "- Run 1: 2026-02-01, commit abc, a CPU: `run`")

    def test_new_rows_stand_with_those_of_their_labels(self):
        lines = self.rendered(record("a1", {"time": "1"}), record("b1", {"time": "2"}), record("a2", {"time": "3"}))
        self.assertEqual(lines[2:5], ["| a | 1 | 1 |", "|  | 2 | 3 |", "| b | 1 | 2 |"])

    def test_columns_that_no_row_has_any_more_are_gone(self):
        lines = self.rendered(record("a1", {"x": "1", "y": "2"}), record("a1", {"y": "3"}, "2026-02-01"))
        self.assertEqual(lines[0], "| data | k | y |")

    def test_notes_are_told(self):
        lines = self.rendered(record("a1", {"time": "5 ms"}, note="a busy machine"))
        self.assertIn("a CPU; a busy machine: `run`", lines[-1])

    def test_each_table_is_in_the_text_once(self):
        rows = [record("a1", {"time": "5 ms"})]
        for text in ("", "{{table: knn/search}}\n" * 2, "{{table: knn/search}}\n{{table: knn/other}}\n"):
            with self.assertRaises(SystemExit):
                results.render(self.bench(rows, text))

    def test_unsound_records_are_named(self):
        for change in ({"date": 5}, {"values": {}}, {"values": {"time": 5}}, {"dates": "2026-01-01"}):
            with self.assertRaisesRegex(SystemExit, "knn.jsonl, line 1"):
                results.render(self.bench([record("a1", {"time": "5 ms"}) | change]))

    def test_a_run_adds_its_tables_and_known_rows_of_sweeps(self):
        bench = self.bench([record("a1", {"time": "5 ms"})])
        rows = [({"data": "a", "k": "1"}, {"time": "4 ms"}), ({"data": "a", "k": "2"}, {"time": "7 ms"})]
        tables = [Table("knn/search", "a sweep", rows, is_sweep=True), Table("", "only printed", rows)]
        shared = {"date": "2026-02-01", "commit": "def", "cpu": "a CPU", "command": "run"}
        results.append_tables(bench / "records", tables, shared)
        self.assertEqual(results.render(bench).splitlines()[4:-2], ["| a | 1 | 4 ms |"])
        tables[0].is_sweep = False
        results.append_tables(bench / "records", tables, shared)
        self.assertEqual(results.render(bench).splitlines()[4:-2], ["| a | 1 | 4 ms |", "|  | 2 | 7 ms |"])

    def test_padded_tables_line_up(self):
        rows = [({"a": "1"}, {"long name": "2"}), ({"a": "333"}, {"long name": "4"})]
        lines = markdown(rows, padded=True).splitlines()
        self.assertEqual({len(line) for line in lines}, {len("| 333 | long name |")})


class GoogleBenchmark(unittest.TestCase):
    def rows(self, *arguments):
        def benchmark(name, cpu_time, **more):
            more = {"run_name": name, "cpu_time": cpu_time, "real_time": 1e9, "time_unit": "us", "iterations": 9} | more
            return {"name": name, "run_type": "iteration"} | more

        benchmarks = [
            benchmark("l2<float>/d:128/bytes:100", 250.0, bytes_per_second=200 * 2**30),
            benchmark("l2<float>/d:128/bytes:900", 2500.0, bytes_per_second=30 * 2**30),
            benchmark("loads/bytes:100", 1.0, bytes_per_second=400 * 2**30, **{"OP/s": 2e11}),
        ]
        context = {"date": "2026-01-01T10:00:00+00:00", "executable": "build/bench_kernels"}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "out.json"
            path.write_text(json.dumps({"context": context, "benchmarks": benchmarks}))
            return google_benchmark.read_rows(path, *arguments)

    def test_a_row_a_benchmark_with_time_and_counters(self):
        rows, date, program = self.rows("(?P<benchmark>.*)")
        self.assertEqual((date, program), ("2026-01-01T10:00:00+00:00", "bench_kernels"))
        self.assertEqual(len(rows), 3)
        values = {"time": "1 us", "bytes_per_second": "400 GiB/s", "OP/s": "200 G"}
        self.assertEqual(rows[2], ({"benchmark": "loads/bytes:100"}, values))

    def test_a_row_of_several_benchmarks(self):
        pattern = r"(?P<kernel>l2<\w+>)/d:(?P<d>\d+)/(?P<column>.*)"
        rows, _, _ = self.rows(pattern, "bytes_per_second", {"bytes:100": "L1", "l2<float>": "L2, float"})
        self.assertEqual(rows, [({"kernel": "L2, float", "d": "128"}, {"L1": "200 GiB/s", "bytes:900": "30 GiB/s"})])

    def test_names_that_match_nothing_are_refused(self):
        with self.assertRaises(SystemExit):
            self.rows("(?P<benchmark>nothing)")


if __name__ == "__main__":
    unittest.main()

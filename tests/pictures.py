#!/usr/bin/env python3
"""The pictures and tables of the pages are of the records as they stand, and what is drawn of words is so."""

import math
import pathlib
import shutil
import struct
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from operator import mul

ROOT = pathlib.Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs/pictures"
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "bench/compare"))

import cells  # noqa: E402  (the path comes first)
import pictures  # noqa: E402


class OfRecords(unittest.TestCase):
    def copied(self):
        """A folder with what the check reads, to be changed."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        for name in ("bench/records", "docs"):
            shutil.copytree(ROOT / name, root / name)
        shutil.copy(ROOT / "README.md", root)
        return root

    def change(self, root, name, old, new):
        text = (root / name).read_text()
        self.assertIn(old, text)
        (root / name).write_text(text.replace(old, new, 1))

    def test_pictures_and_pages_are_up_to_date(self):
        self.assertEqual(list(pictures.faults(ROOT)), [])

    def test_a_changed_record_is_noticed_in_its_picture_and_on_the_page(self):
        root = self.copied()
        self.change(root, "bench/records/knn.jsonl", '"3.61x"', '"0.61x"')
        found = "\n".join(pictures.faults(root))
        self.assertIn("exact-knn.svg", found)
        self.assertIn("performance.md", found)
        self.assertNotIn("growth.svg", found)

    def test_a_changed_figure_of_a_page_is_noticed(self):
        root = self.copied()
        self.change(
            root,
            "docs/performance.md",
            "| 10 nearest | faiss IndexFlat | 3 to",
            "| 10 nearest | faiss IndexFlat | 4 to",
        )
        self.assertEqual([fault.split(":")[0] for fault in pictures.faults(root)], ["performance.md"])

    def test_a_changed_alt_text_is_noticed(self):
        root = self.copied()
        (root / "docs/other.md").write_text("![faster](pictures/growth.svg)\n")
        self.assertEqual([fault.split(":")[0] for fault in pictures.faults(root)], ["other.md"])

    def test_missing_and_unknown_pictures_are_noticed(self):
        root = self.copied()
        (root / "docs/pictures/growth.svg").rename(root / "docs/pictures/groth.svg")
        found = "\n".join(pictures.faults(root))
        self.assertIn("growth.svg is not of the records", found)
        self.assertIn("groth.svg: no function draws it", found)


class Files(unittest.TestCase):
    def test_each_has_a_title_a_description_and_text_as_text(self):
        for path in PICTURES.glob("*.svg"):
            root = xml.etree.ElementTree.parse(path).getroot()
            kept = pictures.kept(path)
            self.assertEqual(root.find(f"{pictures.SVG}title").text, kept["title"], path)
            self.assertEqual(root.find(f"{pictures.SVG}desc").text, kept["alt"], path)
            self.assertTrue(kept["alt"].endswith("."), path)
            self.assertNotRegex(path.read_text(), '[" ,]nan[" ,]', path)
            self.assertGreater(len(list(root.iter(f"{pictures.SVG}text"))), 5, path)

    def test_what_is_drawn_is_named(self):
        """Each method and each row of a picture is among its texts."""
        for path in PICTURES.glob("*.svg"):
            kept = pictures.kept(path)
            texts = {text.text for text in xml.etree.ElementTree.parse(path).getroot().iter(f"{pictures.SVG}text")}
            names = {row for panel in kept.get("panels", ()) for row in panel.get("rows", ())}
            names |= {name for panel in kept.get("panels", ()) for name, _ in panel.get("bars", ())}
            methods = {series["name"] for panel in kept.get("panels", ()) for series in panel.get("series", ())}
            short = {name.removeprefix("annulus, ").removeprefix("annulus ") for name in methods}
            self.assertLessEqual(names | (short if kept.get("labelled") else methods), texts, path)


class Neighbours(unittest.TestCase):
    def test_the_alt_text_of_images_has_their_counts(self):
        path = PICTURES / "neighbours-fashion-mnist.svg"
        kept = pictures.kept(path)
        agree = sum(len(set(found) & set(exact)) for found, exact in zip(kept["ids"].values(), kept["exact"]))
        self.assertIn(f"finds {agree} of the 80 that exact search finds", kept["alt"])
        self.assertIn("data:image/png;base64", path.read_text())

    def test_the_words_are_the_nearest(self):
        data = (ROOT / "examples/data/words-20k.fvecs").read_bytes()
        words = (ROOT / "examples/data/words-20k.txt").read_text().splitlines()
        rows = [row[1:] for row in struct.iter_unpack("<i100f", data)]
        norms = [math.sqrt(sum(map(mul, row, row))) for row in rows]
        found = exact = 0
        for word, nearest in pictures.kept(PICTURES / "neighbours-words.svg")["nearest"].items():
            query = rows[words.index(word)]
            by_angle = sorted(range(len(words)), key=lambda i: -sum(map(mul, query, rows[i])) / norms[i])
            expected = {words[i] for i in by_angle[1 : len(nearest) + 1]}
            found += len(expected & set(nearest))
            exact += len(expected)
        self.assertGreaterEqual(found, 0.95 * exact)


class Cells(unittest.TestCase):
    def test_numbers(self):
        for cell, value in (("39,633", 39633), (".211 (27x)", 0.211), ("1.33e+03x", 1330), ("n/a", None), (None, None)):
            self.assertEqual(cells.number(cell), value)

    def test_factors_and_times(self):
        self.assertEqual(cells.factors(".313 (1.6x; 2.0x)"), [1.6, 2.0])
        self.assertEqual(cells.factors("4.12 s, 8.49x, error 0.0925"), [8.49])
        self.assertAlmostEqual(cells.seconds("172 ms"), 0.172)
        self.assertIsNone(cells.seconds("172"))

    def test_spans(self):
        self.assertEqual(cells.span([3.61, 2.99]), "3 to 3.6")
        self.assertEqual(cells.span([150.2]), "150")
        self.assertEqual(cells.span([0.63, 2250]), "0.63 to 2,250")

    def test_runs_are_told_apart_and_the_largest_comes_first(self):
        def record(method, commit):
            shared = {"date": "2026-01-01", "commit": commit, "cpu": "a CPU", "command": "run"}
            return {"table": "t", "row": {"method": method}, "values": {"x": "1"}} | shared

        tables = {"a/t": [record("p", "1"), record("p", "2"), record("q", "2")]}
        self.assertEqual([[r["row"]["method"] for r in run] for run in cells.runs(tables, "a/t")], [["p", "q"], ["p"]])
        self.assertEqual(len(cells.rows(tables, "a/t", method="p")), 1)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
r"""Draws docs/pictures/*.svg and writes the tables of docs/performance.md, from bench/records.

    pictures.py write [NAME...]    draws all pictures, or those named, and writes the tables (needs matplotlib)
    pictures.py demos --data DIR   draws images, words and their neighbours (needs annulus's Python package)
    pictures.py check              fails if a picture or a table is not of the records as they stand (standard library)

A picture keeps its alt text in <desc>, which pages repeat, and the figures that it draws in <metadata>, which `check`
compares with the records: drawn by another version of matplotlib it differs in its bytes, not in these.
"""

import argparse
import json
import pathlib
import re
import sys
import xml.etree.ElementTree
from xml.sax.saxutils import escape

import performance
import performance_tables  # noqa: F401  (registers its tables, as these two their pictures)
import picture_graphs  # noqa: F401
import picture_peers  # noqa: F401
from picture_data import PICTURES
from results import BENCH, read_tables

SVG = "{http://www.w3.org/2000/svg}"
PICTURE = r"!\[([^\]]*)\]\(((?:[^()]*/)?pictures/([\w-]+)\.svg)\)"  # alt, path, name
DEMOS = ("neighbours-fashion-mnist", "neighbours-words")  # of data, not of records


def save(figure, path, picture):
    """As SVG, with the alt text and the data."""
    figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None})
    text = re.sub(r"[ \t]+$", "", path.read_text(), flags=re.MULTILINE)
    texts = {"title": picture["title"], "desc": picture["alt"], "metadata": json.dumps(picture)}
    known = "\n ".join(f"<{name}>{escape(content)}</{name}>" for name, content in texts.items())
    path.write_text(re.sub(r"<metadata>.*?</metadata>", lambda _: known, text, count=1, flags=re.DOTALL))


def kept(path):
    """The data that a picture keeps."""
    root = xml.etree.ElementTree.parse(path).getroot()
    return json.loads(root.find(f"{SVG}metadata").text)


def pages(root):
    """Each page, its text, and that with the tables of the records and the alt text of the pictures."""
    tables = read_tables(root / "bench/records")
    alts = {path.stem: kept(path)["alt"] for path in (root / "docs/pictures").glob("*.svg")}
    for page in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        text = page.read_text()
        made = performance.filled(text, tables) if page.name == "performance.md" else text
        yield page, text, re.sub(PICTURE, lambda m: f"![{alts.get(m[3], m[1])}]({m[2]})", made)


def write(root, names):
    from picture_drawing import draw

    tables = read_tables(root / "bench/records")
    for name in names or PICTURES:
        if name not in PICTURES:
            raise SystemExit(f"no picture is called {name}; there are {', '.join(PICTURES)}")
        picture = PICTURES[name](tables)
        save(draw(picture), root / f"docs/pictures/{name}.svg", picture)
    for page, text, made in pages(root):
        if made != text:
            page.write_text(made)


def faults(root):
    """What is not of the records as they stand."""
    tables = read_tables(root / "bench/records")
    folder = root / "docs/pictures"
    expected = {name: build(tables) for name, build in PICTURES.items()}
    for name, picture in expected.items():
        path = folder / f"{name}.svg"
        if not path.exists() or kept(path) != json.loads(json.dumps(picture)):
            yield f"docs/pictures/{name}.svg is not of the records: run bench/compare/pictures.py write"
    known = {*expected, *DEMOS}
    for path in sorted(folder.glob("*.svg")):
        if path.stem not in known:
            yield f"docs/pictures/{path.name}: no function draws it"
        if path.stat().st_size > 200_000:
            yield f"docs/pictures/{path.name} has more than 200 KB"
    for page, text, made in pages(root):
        if made != text:
            yield f"{page.name}: tables or alt texts are not of the records: run bench/compare/pictures.py write"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("write").add_argument("names", nargs="*", metavar="NAME")
    commands.add_parser("demos").add_argument(
        "--data", type=pathlib.Path, required=True, help="the folder of data sets"
    )
    commands.add_parser("check")
    options = parser.parse_args()
    root = BENCH.parent
    if options.what == "check":
        found = list(faults(root))
        print("\n".join(found))
        return bool(found)
    if options.what == "demos":
        import picture_demos

        for name, (figure, picture) in picture_demos.demos(root, options.data):
            save(figure, root / f"docs/pictures/{name}.svg", picture)
    else:
        write(root, options.names)
    return 0


if __name__ == "__main__":
    sys.exit(main())

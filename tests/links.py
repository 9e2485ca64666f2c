#!/usr/bin/env python3
"""Prints relative links of README.md and docs/**/*.md that lead to no file or heading; fails for any, and where none is."""
import pathlib
import re
import sys


def text_of(page):
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)  # without code


def anchors_of(page):
    headings = re.findall(r"^#+ (.+)$", text_of(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(page, link):
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in anchors_of(target))


root = pathlib.Path(sys.argv[1])
links = [(page, link) for page in [root / "README.md", *sorted(root.glob("docs/**/*.md"))]
         for link in re.findall(r"\]\(([^)\s:]+)\)", text_of(page))]
faults = [f"{page}: {link}" for page, link in links if not leads_somewhere(page, link)]
print("\n".join(faults))
sys.exit(bool(faults) or not links)

#!/usr/bin/env python3
"""Puts the pages of the site together: gather_pages.py REPOSITORY DOXYGEN_XML FOLDER.

FOLDER then has the pages of docs/, those of the API (api_cpp.py, api_python.py), and below repository/ every file of
the repository that a page links to, sources as listings. Files that are the same as before are not written, so that
Sphinx reads what is new.
"""
import pathlib
import posixpath
import re
import sys

import api_cpp
import api_python

LANGUAGES = {".hpp": "cpp", ".cpp": "cpp", ".h": "c", ".c": "c", ".py": "python", ".sh": "sh", ".json": "json"}
CODE = re.compile(r"^(```+|~~~+).*?^\1[`~]*$|(?<!`)(`+)(?!`).*?(?<!`)\2(?!`)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")


def page_of(target):
    """Where the site has a file of the repository."""
    if target == "README.md":
        return "index.md"
    if target.startswith("docs/"):
        return target.removeprefix("docs/")
    return f"repository/{target}" + ("" if target.endswith(".md") else ".md")


def listing(path, target):
    """A page that shows a source, or what is in a folder."""
    if path.is_dir():
        return f"# `{target}/`\n\n" + "".join(f"- `{file.name}`\n" for file in sorted(path.iterdir()))
    text = path.read_text()
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"# `{target}`\n\n{fence}{LANGUAGES.get(pathlib.PurePath(target).suffix, 'text')}\n{text.rstrip()}\n{fence}\n"


def with_links_of_the_site(text, source, linked):
    """The text of a page with links as the site has them; adds to `linked` the files that they lead to."""
    own = posixpath.dirname(page_of(source))

    def replaced(link):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        linked.append(target)
        return f"]({posixpath.relpath(page_of(target), own)}{link[2] or ''})"

    parts, end = [], 0
    for code in CODE.finditer(text):
        parts += [LINK.sub(replaced, text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, LINK.sub(replaced, text[end:])])


def pages_of(repository):
    """Every page of docs/ and what it leads to, by its name on the site."""
    pages = {}
    waiting = [str(page.relative_to(repository)) for page in sorted((repository / "docs").rglob("*.md"))]
    of_docs = set(waiting)
    seen = {"README.md"}
    while waiting:
        source = waiting.pop()
        path = repository / source
        if source in seen or path.suffix == ".svg" or not path.exists():
            continue
        seen.add(source)
        if path.suffix == ".md":
            text = with_links_of_the_site(path.read_text(), source, waiting)
        else:
            text = listing(path, source)
        pages[page_of(source)] = text if source in of_docs else f"---\norphan: true\n---\n{text}"
    return pages


def main():
    repository, xml, folder = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    files = {name: text.encode() for name, text in pages_of(repository).items()}
    files |= {name: text.encode() for name, text in (api_cpp.pages(xml) | api_python.pages(repository)).items()}
    for picture in (repository / "docs").rglob("*.svg"):
        files[str(picture.relative_to(repository / "docs"))] = picture.read_bytes()
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for path in folder.rglob("*"):
        if path.is_file() and str(path.relative_to(folder)) not in files:
            path.unlink()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compiles or runs what stands in the fences of all pages of the documentation: snippets.py LANGUAGE ROOT FOLDER COMMAND.

```cpp     The blocks below one heading of level 2, in order, are the body of one function, so that a block may use the names
           of those above it. Their #include lines come first, after <annulus/annulus.hpp>; blocks that begin with
           struct, class, template, enum, concept, namespace or inline stand before the function. A block that has a
           `main` is a program, which is also linked and run by night; a block of text right below is what it prints.
```c       The same as C99, without annulus.hpp.
```cmake   A project, which is configured: your_target is there, and annulus is this checkout, or an installed one.
```sh      Is parsed, by bash.
```python  The blocks of a page, in order, are one script: python/tests/test_docs.py runs it.
```text    Anything else. No other fence is allowed, and no other language.

What readers need not see stands at its place in an HTML comment whose first line is `<!-- cpp`, `<!-- c`, `<!-- cmake` or
`<!-- python`. Errors name the line of the page.
"""
import argparse
import dataclasses
import pathlib
import re
import subprocess
import sys

LANGUAGES = ("cpp", "c", "cmake", "sh", "python", "text", "{toctree}")
# Headers of other libraries, without which blocks below a heading that include these are left out.
NEEDS = {"annulus/mpi/": "mpi.h", "annulus/io/data/ann_benchmarks_hdf5": "hdf5.h", "annulus/io/data/zlib_": "zlib.h"}
STANDARD = """algorithm array cmath cstddef cstdint cstdio functional iostream limits numeric random ranges shared_mutex
              span stdexcept string string_view thread utility vector"""


@dataclasses.dataclass
class Block:
    language: str
    heading: int  # how many headings of level 2 stand above it
    line: int  # of the first line of its text
    text: str
    is_hidden: bool = False


def blocks_of(page):
    """The blocks of a page. Exits with a message for fences that are not allowed."""
    found, heading, inside = [], 0, None
    for number, line in enumerate(page.read_text().split("\n"), 1):
        if inside is None:
            heading += line.startswith("## ")
            if fence := re.match(r"( *)(```+)\s*(.*)$", line):
                if fence[3] not in LANGUAGES:
                    sys.exit(f"{page}:{number}: a fence must be of {', '.join(LANGUAGES)}, not '{fence[3]}'")
                inside = fence[1] + fence[2]
                found.append(Block(fence[3], heading, number + 1, ""))
            elif comment := re.match(r"<!-- (cpp|c|cmake|python)$", line):
                inside = "-->"
                found.append(Block(comment[1], heading, number + 1, "", is_hidden=True))
        elif line == inside:
            inside = None
        else:
            indent = len(inside) - len(inside.lstrip())
            found[-1].text += line[indent:] + "\n"
    if inside is not None:
        sys.exit(f"{page}: the block at line {found[-1].line} has no end")
    return found


def pages_of(root):
    return [root / "README.md", *sorted((root / "docs").rglob("*.md")), root / "python/README.md"]


def blocks_by_page(root, language):
    """The pages of the checkout at `root` that have blocks of this language, and these."""
    all_pages = {page.relative_to(root): blocks_of(page) for page in pages_of(root)}
    wanted = {page: [block for block in blocks if block.language == language] for page, blocks in all_pages.items()}
    return {page: blocks for page, blocks in wanted.items() if blocks}


def is_program(block):
    return bool(re.search(r"^int main\(\) {", block.text, re.MULTILINE))


def is_outside_of_functions(block):
    code = re.sub(r"^\s*(//.*)?\n|^#.*\n", "", block.text, flags=re.MULTILINE)
    return bool(re.match(r"(struct|class|template|enum|concept|namespace|inline)\b", code))


def without_includes(block):
    return re.sub(r"^#include.*$", "", block.text, flags=re.MULTILINE)


def includes_of(blocks):
    """The #include lines of blocks, each with its place."""
    return [(block.line + index, line) for block in blocks for index, line in enumerate(block.text.split("\n"))
            if line.startswith("#include")]


def placed(page, line, text):
    return f'#line {line} "{page}"\n{text.rstrip()}\n'


def program_text(page, block, name):
    """A program whose `main` has another name, and a result."""
    text = re.sub(r"^int main\(", f"int {name}(", without_includes(block), flags=re.MULTILINE).rstrip()
    text = text.removesuffix("}") + "  return 0; }"
    return "".join(placed(page, *include) for include in includes_of([block])) + placed(page, block.line, text)


def unit_of(pages):
    """One translation unit for the blocks of pages, by page: a function for each heading and each program."""
    unit, programs = "", set()
    for number, (page, blocks) in enumerate(pages.items()):
        for block in filter(is_program, blocks):
            if block.text not in programs:  # as the same program may be on several pages
                unit += program_text(page, block, f"main_{number}_{block.line}")
            programs.add(block.text)
        for heading in sorted({block.heading for block in blocks}):
            own = [block for block in blocks if block.heading == heading and not is_program(block)]
            includes = includes_of(own)
            needs = {need for part, need in NEEDS.items() for _, line in includes if part in line}
            unit += "".join(f"#if __has_include(<{need}>)\n" for need in sorted(needs))
            unit += "".join(placed(page, *include) for include in includes)
            outside = [block for block in own if is_outside_of_functions(block)]
            unit += "".join(placed(page, block.line, without_includes(block)) for block in outside)
            unit += f"void page_{number}_{heading}(void);\nvoid page_{number}_{heading}(void) {{\n"
            unit += "".join(placed(page, block.line, without_includes(block)) for block in own if block not in outside)
            unit += "}\n" + "#endif\n" * len(needs)
    return unit


def run(command, **options):
    done = subprocess.run([str(word) for word in command], **options)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return done


def compile_only(pages, language, flags, folder):
    """Compiles all blocks as one unit, since most of the time goes into annulus.hpp."""
    start = "".join(f"#include <{name}>\n" for name in ["annulus/annulus.hpp", *STANDARD.split()])
    unit = folder / f"snippets.{language}"
    unit.write_text((start if language == "cpp" else "") + unit_of(pages))
    run([*flags, "-fsyntax-only", unit])


def programs_of(root):
    """Page, block and what it prints, where that is known, of each program; one that is on several pages once."""
    found = {}
    for page in pages_of(root):
        blocks = blocks_of(page)
        for block, below in zip(blocks, [*blocks[1:], None]):
            if block.language == "cpp" and is_program(block):
                found.setdefault(block.text, (page, block, below if below and below.language == "text" else None))
    return list(found.values())


def run_programs(root, command, folder):
    """Compiles all programs as one, as most of the time goes into annulus.hpp; runs each, and compares what it prints."""
    programs = programs_of(root)
    if not programs:
        sys.exit("no program on any page")
    unit, calls = "", ""
    for number, (page, block, _) in enumerate(programs):
        unit += program_text(page, block, f"main_{number}")
        calls += f"  if (number == {number}) return main_{number}();\n"
    source = folder / "programs.cpp"
    source.write_text(f"{unit}int main(int, char** argv) {{\n  const int number = argv[1][0] - '0';\n{calls}  return 1;\n}}\n")
    program = source.with_suffix("").resolve()
    run([*command, source, "-pthread", "-o", program])
    for number, (page, _, below) in enumerate(programs):
        printed = run([program, number], cwd=folder, stdout=subprocess.PIPE, text=True).stdout
        if below and printed.rstrip() != below.text.rstrip():
            sys.exit(f"{page}:{below.line}: the program above prints\n{printed}")


def configure(pages, command, folder):
    """Each block is part of a project of its own, whose lines are numbered as those of the page."""
    for number, (page, block) in enumerate((page, block) for page, blocks in pages.items() for block in blocks):
        project = folder / f"project_{number}"
        project.mkdir(exist_ok=True)
        (project / "main.cpp").write_text("int main() {}\n")
        (project / page.name).write_text("\n" * (block.line - 1) + block.text)
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(page LANGUAGES CXX)\n"
            f"add_executable(your_target main.cpp)\ninclude({page.name})\n"
        )
        run([*command, "-S", project, "-B", project / "build"], stdout=subprocess.DEVNULL)


def parse(pages, command):
    for page, blocks in pages.items():
        for block in blocks:
            run([*command, "-n"], input="\n" * (block.line - 1) + block.text, text=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("language", choices=["cpp", "programs", "c", "cmake", "sh"])
    arguments.add_argument("root", type=pathlib.Path, help="of the checkout")
    arguments.add_argument("folder", type=pathlib.Path, help="for what is compiled")
    arguments.add_argument("command", nargs="+", help="the compiler and its flags, CMake and its options, or the shell")
    given = arguments.parse_args()

    given.folder.mkdir(parents=True, exist_ok=True)
    if given.language == "programs":
        run_programs(given.root, given.command, given.folder)
        return
    pages = blocks_by_page(given.root, given.language)
    if not pages:
        sys.exit("no such blocks on any page")
    if given.language == "cmake":
        configure(pages, given.command, given.folder)
    elif given.language == "sh":
        parse(pages, given.command)
    else:
        compile_only(pages, given.language, given.command, given.folder)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Checks the links of README.md, of the pages of docs/ and of those beside them: links.py ROOT [--external].

Prints relative links that lead to no file or heading, and pictures that are not there or have no words in place of them;
fails for any, and where there is no link. With --external, asks for each address of another host instead.
"""
import argparse
import pathlib
import re
import sys
import urllib.error
import urllib.request

PAGES = ("*.md", "docs/**/*.md", "bench/*.md", "python/README.md")


def text_of(page):
    """Without code and comments."""
    text = re.sub(r"^( *)(```+)(?!`).*?^\1\2$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"<!--.*?-->|`[^`\n]+`(?!\])", "", text, flags=re.DOTALL)


def anchors_of(page):
    """The names that forges and the site give to headings; the second of a name ends with -1."""
    text = re.sub(r"^( *)(```+)(?!`).*?^\1\2$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w -]", "", heading.lower().strip()).replace(" ", "-")
        number = 1
        while (each := name if number == 1 else f"{name}-{number - 1}") in found:
            number += 1
        found.add(each)
    return found


def fault_of(page, link):
    """What is wrong with a link within the repository; None where it is right."""
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists():
        return "no such file"
    if anchor and anchor not in anchors_of(target):
        return "no such heading"
    return None


def failure_of(address):
    """Why an address of another host is not there; None where it is."""
    request = urllib.request.Request(address, headers={"User-Agent": "Mozilla/5.0 (links.py)"})
    for attempt in range(3):
        try:
            with urllib.request.urlopen(request, timeout=30):
                return None
        except urllib.error.HTTPError as error:
            if error.code in (401, 403, 405, 429):  # there, but not for programs
                return None
            failure = str(error)
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            failure = str(error)
    return failure


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("root", type=pathlib.Path)
    arguments.add_argument("--external", action="store_true")
    given = arguments.parse_args()

    pages = sorted({page for pattern in PAGES for page in given.root.glob(pattern)})
    links = [(page, image, words, link) for page in pages
             for image, words, link in re.findall(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", text_of(page))]
    if given.external:
        addresses = sorted({link.partition("#")[0] for *_, link in links if link.startswith("http")})
        faults = [f"{address}: {failure}" for address in addresses if (failure := failure_of(address))]
    else:
        own = [each for each in links if ":" not in each[3]]
        faults = [f"{page}: {link}: {fault}" for page, _, _, link in own if (fault := fault_of(page, link))]
        faults += [f"{page}: {link}: a picture without words" for page, image, words, link in links if image and not words]
        if not own:
            faults.append("no links")
    print("\n".join(faults))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())

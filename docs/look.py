#!/usr/bin/env python3
"""Looks at the built site in Chromium: look.py BUILD_FOLDER PICTURES [--pages WORD]

Every page is opened at three widths, dark and light. Fails where one scrolls sideways, has a picture that is not there, or
an error of its scripts, and where the site's search does not find a public name of the API, which Doxygen's XML and the
package's sources tell. Pictures of all pages go to the folder PICTURES.

Needs Chromium (Debian: chromium) and PyPI's playwright: for developers and by night.
"""
import argparse
import functools
import http.server
import pathlib
import shutil
import sys
import threading

import api_cpp
import api_python
from playwright.sync_api import sync_playwright

WIDTHS = (400, 800, 1400)
FAULTS = """() => {
  const root = document.documentElement, faults = [];
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll("main *, article *")].filter(
      (each) => each.getBoundingClientRect().right > root.clientWidth + 1);
    faults.push(`scrolls sideways: ${root.scrollWidth} pixels, ${wide.length ? wide[0].outerHTML.slice(0, 100) : ""}`);
  }
  for (const image of document.images)
    if (!image.complete || image.naturalWidth === 0) faults.push(`no picture ${image.src}`);
  return faults;
}"""
NOT_FOUND = """(names) => names.filter((name) => {
  const results = Search._performSearch(...Search._parseQuery(name));
  return !results.some(([page, title, anchor, description]) => `${title} ${anchor} ${description}`.includes(name));
})"""


class SilentHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def served(folder):
    """The address at which a folder is served, by a thread that ends with the program."""
    handler = functools.partial(SilentHandler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def public_names(xml, repository):
    reference = api_cpp.Reference(xml)
    names = {name.split("::")[-1] for _, _, name, _ in reference.entries()}
    for kind, element, _, _ in reference.entries():
        if kind in ("class", "struct"):
            names |= {api_cpp.text_of(member.find("name")) for member in element.iter("memberdef") if api_cpp.is_shown(member)}
    package = api_python.Package(repository)
    for module in api_python.MODULES:
        names |= set(package.public_names(module))
    return sorted(name for name in names if not name.startswith("operator"))


def faults_of(browser, address, pages, pictures):
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            tab, said = context.new_page(), []
            tab.on("console", lambda message, said=said: said.append(message.text) if message.type == "error" else None)
            tab.on("pageerror", lambda error, said=said: said.append(str(error)))
            for page in pages:
                tab.goto(f"{address}/{page}", wait_until="load")
                tab.screenshot(path=pictures / f"{page.replace('/', '-')}-{width}-{scheme}.png", full_page=True)
                yield from (f"{page}, {width} pixels, {scheme}: {fault}" for fault in [*tab.evaluate(FAULTS), *said])
                said.clear()
            context.close()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("build", type=pathlib.Path, help="of the preset docs: build/docs")
    arguments.add_argument("pictures", type=pathlib.Path)
    arguments.add_argument("--pages", default="", help="only pages that have this in their name")
    given = arguments.parse_args()
    site = given.build / "site"
    pages = [str(page.relative_to(site)) for page in sorted(site.rglob("*.html")) if given.pages in str(page)]
    names = public_names(given.build / "docs/doxygen/xml", pathlib.Path(__file__).resolve().parents[1])
    if not pages or not names:
        sys.exit("no pages")
    given.pictures.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        address = served(site)
        faults = list(faults_of(browser, address, pages, given.pictures))
        tab = browser.new_page()
        tab.goto(f"{address}/search.html?q=knn")
        tab.wait_for_function("Search.hasIndex()")
        faults += [f"the search does not find {name}" for name in tab.evaluate(NOT_FOUND, names)]
        browser.close()
    print("\n".join(faults))
    print(f"{len(pages)} pages, {len(names)} names, {len(faults)} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())

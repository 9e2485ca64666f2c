"""Sphinx: the pages that gather_pages.py puts together."""

import pathlib
import re

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

numbers = re.findall(
    r"define ANNULUS_VERSION_\w+ (\d+)",
    (pathlib.Path(__file__).parents[1] / "include/annulus/version.hpp").read_text(),
)
project = "annulus"
version = release = ".".join(numbers)
project_copyright = "the annulus developers"

extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"annulus {release}"
html_static_path = [str(pathlib.Path(__file__).parent / "static")]
html_favicon = str(pathlib.Path(__file__).parent / "static/annulus.svg")
html_css_files = ["site.css"]
html_copy_source = False
html_use_index = False
html_show_sphinx = False
html_math_renderer = "mathml"


def write_formula(writer, node):
    """MathML, which browsers draw themselves: no script, and none from another host."""
    as_block = node.tagname == "math_block"
    try:
        formula = tex2mathml(node.astext(), as_block=as_block)
    except Exception as error:
        logging.getLogger(__name__).warning("formula %r: %s", node.astext(), error, location=node)
        formula = ""
    writer.body.append(f'<div class="math">{formula}</div>' if as_block else formula)
    raise SkipNode


def forget_where_warned(app, error):
    """A page that warned is read again by the next build, which warns again."""
    if error or app._warncount:
        (pathlib.Path(app.doctreedir) / "environment.pickle").unlink(missing_ok=True)


def setup(app):
    app.connect("build-finished", forget_where_warned)
    app.add_html_math_renderer("mathml", (write_formula, None), (write_formula, None))

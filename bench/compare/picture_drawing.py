"""Draws the panels of picture_data.py as SVG: a white card, text as text, one colour and marker a library."""

import math
import re

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator  # noqa: E402

plt.rcParams |= {
    "svg.fonttype": "none",
    "svg.hashsalt": "annulus",  # the same ids each time
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "legend.fontsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "lines.markersize": 5.5,
}
WIDTH = 7.7  # inches of 96 pixels: a page's column
# After Okabe and Ito, and Tol: told apart also without seeing red and green, and by their markers.
LIBRARIES = {
    "annulus": ("#0072b2", "o"),
    "rabitqlib": ("#d55e00", "s"),
    "zvec": ("#555555", "D"),
    "glass": ("#8a6d00", "v"),
    "hnswlib": ("#009e73", "^"),
    "faiss": ("#e69f00", "P"),
    "SVS": ("#cc79a7", "X"),
    "pynndescent": ("#56b4e9", "d"),
    "usearch": ("#999933", "<"),
    "nanopq": ("#117733", "p"),
    "scikit-learn": ("#aa4499", ">"),
    "scipy": ("#882255", "*"),
    "numpy": ("#332288", "h"),
    "jax": ("#cc3311", "8"),
    "torch": ("#ee7733", "H"),
    "datasketch": ("#44aa99", "*"),
    "floky": ("#999999", "s"),
    "the C interface": ("#222222", "X"),
    "std": ("#d55e00", "s"),
    "plain minimum": ("#222222", "D"),
}
FILLS = ("full", "none", "left", "top")
DASHES = ("-", ":", "--", "-.")


def library_of(name):
    return next((library for library in LIBRARIES if name.startswith(library)), "annulus")


def wanted(name):
    """The look of a variant of a library: hollow for bytes, thick for codes beside rows, dotted for estimates."""
    eight_bit = re.search(r"int8|sq8|8-bit|binary", name)
    fill = "none" if eight_bit else "left" if re.search(r"half|4-bit", name) else "full"
    dash = ":" if "by estimates" in name else "-." if "no rows" in name else "-"
    return fill, dash, 2.4 if "rabitq," in name or name.endswith("rabitq") else 1.2


def styles(names):
    """By name what a line looks like; variants that would look alike take the next fill or dash."""
    result, taken = {}, set()
    for name in names:
        library = library_of(name)
        fill, dash, thickness = wanted(name)
        options = [(fill, dash), *((f, d) for d in DASHES for f in FILLS)]
        fill, dash = next(o for o in options if (library, *o, thickness) not in taken)
        taken.add((library, fill, dash, thickness))
        colour, marker = LIBRARIES[library]
        result[name] = {
            "color": colour,
            "marker": marker,
            "fillstyle": fill,
            "linestyle": dash,
            "linewidth": thickness,
            "markerfacecoloralt": "white",
        }
    return result


def plain(value, _=None):
    """Of ticks: 1M, 10,000, 20, .5."""
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value:,.0f}" if value >= 1 and value == round(value) else f"{value:.3g}".removeprefix("0")


def position(value, scale):
    return -math.log10(1 - value) if scale == "recall" else value


def log_ticks(least, most):
    """Round numbers, the fewest that are three between these or more."""
    first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
    for steps, decades in (
        ((1,), 3),
        ((1,), 2),
        ((1,), 1),
        ((1, 3), 1),
        ((1, 2, 5), 1),
        ((1, 1.5, 2, 3, 5, 7), 1),
    ):
        ticks = [step * 10.0**e for e in range(first, last + 1) if e % decades == 0 for step in steps]
        if sum(least <= tick <= most for tick in ticks) >= 3:
            break
    return ticks


def set_axis(axes, which, spec, values):
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_label_text(spec["label"])
    if spec["scale"] == "recall":
        at = sorted(set(values))
        axis.set_ticks([position(value, "recall") for value in at], [plain(value) for value in at])
        axes.set_xlim(1.1, 3.2)
        return
    if spec["scale"] == "log":
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        axis.set_major_locator(FixedLocator(log_ticks(min(values), max(values))))
        axis.set_minor_locator(NullLocator())
    if spec.get("zero"):
        axis.set_view_interval(0, 1.1 * max(values), ignore=True)
    axis.set_major_formatter(FuncFormatter(plain))


def draw_lines(axes, panel, looks):
    points = [point for series in panel["series"] for point in series["points"]]
    x, y = panel["x"], panel["y"]
    for series in panel["series"]:
        xs, ys = zip(*series["points"])
        look = looks[series["name"]] | ({} if panel.get("joined", True) else {"linestyle": "none"})
        axes.plot([position(value, x["scale"]) for value in xs], ys, **look)
    set_axis(axes, "x", x, [point[0] for point in points])
    set_axis(axes, "y", y, [point[1] for point in points])
    if panel.get("diagonal"):
        axes.axline((1, 1), slope=1, color="#555555", linewidth=0.8)


# Where a label may be, from its point, in points of type: beside it, above and below it, and farther off.
PLACES = [(7, 0), (-7, 0), (0, 9), (0, -9)]
PLACES += [(dx, dy) for dy in (8, -8, 16, -16, 24, -24, 32, -32, 40, -40) for dx in (7, -7, 0, 14, -14)]
ALIGNED = ("left", "center", "right")


def aligned(dx):
    """How a label stands that begins, is centred or ends there."""
    return ALIGNED[(dx <= 0) + (dx < 0)]


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def label_points(axes, panel, looks, size=7.5):
    """Writes beside each point what it is, where there is room; of annulus, which is blue, the variant.

    The layout must be final.
    """
    scale = axes.figure.dpi / 72
    points = [
        (axes.transData.transform(point), series["name"]) for series in panel["series"] for point in series["points"]
    ]
    taken = [(x - 4 * scale, y - 4 * scale, x + 4 * scale, y + 4 * scale) for (x, y), _ in points]
    bounds = axes.get_window_extent()
    for (x, y), method in sorted(points, key=lambda item: -item[0][1]):
        name = re.sub("^annulus,? ", "", method)
        width, height = 0.54 * size * len(name) * scale, 1.15 * size * scale
        for dx, dy in PLACES:
            left = x + dx * scale - (0, width / 2, width)[ALIGNED.index(aligned(dx))]
            box = (left, y + dy * scale - height / 2, left + width, y + dy * scale + height / 2)
            inside = (
                bounds.x0 + 2 * scale <= box[0]
                and box[2] <= bounds.x1 + 6 * scale
                and bounds.y0 <= box[1]
                and box[3] <= bounds.y1
            )
            if inside and not any(overlap(box, other) for other in taken):
                break
        else:
            raise ValueError(f"{panel['title']}: no room for {name}")
        taken.append(box)
        colour = looks[method]["color"]
        leader = {"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3}
        axes.annotate(
            name,
            axes.transData.inverted().transform((x, y)),
            (dx, dy),
            textcoords="offset points",
            fontsize=size,
            ha=aligned(dx),
            va="center",
            color=colour,
            arrowprops=leader if abs(dy) > 9 else None,
        )


def draw_dots(axes, panel, looks):
    for series in panel["series"]:
        pairs = [(value, row) for row, value in enumerate(series["values"]) if value is not None]
        axes.plot(*zip(*pairs), **looks[series["name"]] | {"linestyle": "none"})
    values = [value for series in panel["series"] for value in series["values"] if value]
    set_axis(axes, "x", panel["x"], values + [1] * bool(panel["x"].get("one")))
    if panel["x"].get("one"):
        axes.axvline(1, color=LIBRARIES["annulus"][0], linewidth=1.5)
    axes.set_yticks(range(len(panel["rows"])), panel["rows"])
    axes.set_ylim(len(panel["rows"]) - 0.5, -0.5)


def draw_bars(axes, panel, _):
    names, values = zip(*panel["bars"])
    colours = [LIBRARIES[library_of(name)][0] for name in names]
    drawn = axes.barh(range(len(names)), values, height=0.7, color=colours)
    axes.bar_label(
        drawn, [f"{value:,.3g}" if value < 1000 else f"{value:,.0f}" for value in values], padding=3, fontsize=8
    )
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 1.18 * max(values))
    axes.set_xlabel(panel["x"]["label"])
    axes.xaxis.set_major_formatter(FuncFormatter(plain))
    axes.grid(axis="y", visible=False)


DRAW = {"lines": draw_lines, "dots": draw_dots, "bars": draw_bars}


def grid(panels, labelled):
    """Columns, the height of each row of panels, and whether panels share their names of rows."""
    kind = panels[0]["kind"]
    shared = kind == "dots" and all(panel["rows"] == panels[0]["rows"] for panel in panels)
    columns = len(panels) if shared else min(2, len(panels))
    in_rows = [panels[i : i + columns] for i in range(0, len(panels), columns)]
    if kind == "lines":
        return columns, [3.0 if labelled else 2.6] * len(in_rows), False
    return columns, [0.65 + 0.2 * max(len(p.get("rows", p.get("bars"))) for p in row) for row in in_rows], shared


def draw(picture):
    """The figure of a picture of picture_data.py."""
    panels = picture["panels"]
    names = {series["name"] for panel in panels for series in panel.get("series", ())}
    looks = styles(sorted(names, key=lambda name: (list(LIBRARIES).index(library_of(name)), name)))
    columns, heights, shared = grid(panels, picture.get("labelled"))
    has_legend = bool(names) and not picture.get("labelled")
    is_below = has_legend and len(panels) == columns * len(heights)
    height = sum(heights) + 0.4 + (0.1 + 0.19 * math.ceil(len(names) / 3) if is_below else 0)
    figure, axes = plt.subplots(
        len(heights),
        columns,
        figsize=(WIDTH, height),
        layout="constrained",
        squeeze=False,
        sharex=shared and all(panel["x"] == panels[0]["x"] and panel["x"].get("one") for panel in panels),
        sharey=shared,
        height_ratios=heights,
    )
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    for own, panel in zip(axes.flat, panels):
        DRAW[panel["kind"]](own, panel, looks)
        own.set_title(panel["title"])
    figure.suptitle(picture["title"], x=0.015, ha="left", fontsize=10, fontweight="bold")
    joined = any(panel["kind"] == "lines" and panel.get("joined", True) for panel in panels)
    handles = [
        plt.Line2D([], [], **look | ({} if joined else {"linestyle": "none"}), label=name)
        for name, look in looks.items()
    ]
    for own in axes.flat[len(panels) :]:
        own.set_axis_off()
    if is_below:
        figure.legend(handles=handles, loc="outside lower left", ncols=3, handlelength=3.2, frameon=False)
    elif has_legend:
        axes.flat[len(panels)].legend(
            handles=handles, loc="center left", handlelength=3.2, frameon=False, labelspacing=0.35
        )
    if picture.get("labelled"):
        for own in axes.flat[: len(panels)]:
            own.margins(x=0.25, y=0.2)
        figure.draw_without_rendering()
        for own, panel in zip(axes.flat, panels):
            label_points(own, panel, looks)
    plt.close(figure)
    return figure

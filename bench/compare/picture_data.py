"""What the pictures of docs/pictures show, as data: panels of numbers and one sentence of alt text.

A picture is a function from the tables of bench/records to {"title": ..., "alt": ..., "panels": [...]}, which
picture_drawing.py draws and the picture keeps. Where methods are compared a panel draws figures of one run, as times of
different runs cannot be compared. Standard library only, as tests use it too.
"""

PICTURES = {}


def picture(name):
    """Registers a function as the picture of that name."""

    def register(function):
        PICTURES[name] = function
        return function

    return register


def axis(label, scale="linear", **more):
    return {"label": label, "scale": scale} | more


def lines(title, x, y, series, **more):
    """Series are (method, points)."""
    named = [{"name": name, "points": [list(map(float, point)) for point in points]} for name, points in series]
    return {"kind": "lines", "title": title, "x": x, "y": y, "series": [s for s in named if s["points"]]} | more


def dots(title, x, names, series, **more):
    """A line of dots for each name: series are (method, a value or None for each name)."""
    return {
        "kind": "dots",
        "title": title,
        "x": x,
        "rows": names,
        "series": [{"name": name, "values": values} for name, values in series if any(values)],
    } | more


def bars(title, x, values):
    """Values are (method, value)."""
    return {"kind": "bars", "title": title, "x": x, "bars": [list(pair) for pair in values]}


def method_of(record):
    """The method, with the rows that it has where the table leaves that out."""
    name = record["row"]["method"]
    return "annulus, float" if name == "annulus" else name


def is_ours(name):
    return name.startswith("annulus")


def listed(words):
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last

"""Pictures of what the library finds: images and their neighbours, and a graph of words.

Needs annulus's Python package.
"""

import annulus
import numpy as np

from picture_drawing import LIBRARIES, WIDTH, plt

BLUE = LIBRARIES["annulus"][0]
CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
WORDS = ("river", "music", "compiler", "bread", "planet", "kernel", "image")


def vectors(path, dtype, size):
    """Of an .fvecs or .bvecs file: each row begins with its length."""
    raw = np.fromfile(path, dtype=np.uint8)
    d = int(raw[:4].view(np.int32)[0])
    return np.ascontiguousarray(raw.reshape(-1, 4 + size * d)[:, 4:]).view(dtype)


def image_grid(data):
    """The first query of each class and its eight nearest images; those of another class have a frame."""
    folder = data / "images-784-fashion-mnist"
    base, queries = (vectors(folder / f"{name}.bvecs", np.uint8, 1) for name in ("base", "query"))
    labels, asked = (np.fromfile(folder / f"{name}.labels.u8", dtype=np.uint8) for name in ("base", "query"))
    first = [int(np.flatnonzero(asked == c)[0]) for c in range(len(CLASSES))]
    as_floats, chosen = base.astype(np.float32), queries[first].astype(np.float32)
    found = annulus.NNDescentIndex(as_floats, metric="euclidean").search(chosen, 8)
    exact = annulus.knn(as_floats, chosen, 8, metric="euclidean")
    agree = int(sum(len(set(a) & set(b)) for a, b in zip(found.ids.tolist(), exact.ids.tolist())))
    figure, axes = plt.subplots(figsize=(WIDTH, 8.4), layout="constrained")
    figure.suptitle("Images and their eight nearest, by pixels", x=0.015, ha="left", fontsize=10, fontweight="bold")
    tile = 30  # 28 pixels and a gap
    sheet = np.full((tile * len(first), tile * 9), 255, np.uint8)
    others = 0
    for line, (query, ids) in enumerate(zip(first, found.ids.tolist())):
        for place, pixels in enumerate([queries[query], *base[ids]]):
            corner = tile * line + 1, tile * place + 1
            sheet[corner[0] : corner[0] + 28, corner[1] : corner[1] + 28] = (255 - pixels.reshape(28, 28)) & 0xF0 | 15
        for place in np.flatnonzero(labels[ids] != line) + 1:
            axes.add_patch(
                plt.Rectangle(
                    (tile * place, tile * line), tile - 1, tile - 1, fill=False, edgecolor="#d55e00", linewidth=2.5
                )
            )
            others += 1
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="none")
    axes.set_yticks(tile * np.arange(len(first)) + tile / 2, CLASSES)
    axes.set_xticks(tile * np.arange(9) + tile / 2, ["query", *("nearest" if i == 1 else f"{i}." for i in range(1, 9))])
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    axes.grid(False)
    alt = (
        f"Ten fashion-mnist images, one of each class, and the eight nearest of 60,000 images by pixels: {80 - others} "
        f"of 80 are of the query's class, {others} (framed) of another; the graph index finds {agree} of the 80 that "
        "exact search finds."
    )
    kept = {"ids": dict(zip(map(str, first), found.ids.tolist())), "exact": exact.ids.tolist()}
    return figure, {"title": "Images and their eight nearest, by pixels", "alt": alt} | kept


def spread(n, edges, sizes, canvas, rounds=2000):
    """Places of n boxes on a canvas, in inches, by springs (Fruchterman, Reingold 1991); then boxes that overlap part.

    Deterministic.
    """
    angles = 2.4 * np.arange(n)
    places = (
        canvas / 2
        + np.sqrt(np.arange(1, n + 1) / n)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1) * canvas / 3
    )
    length = 0.75 * np.sqrt(canvas.prod() / n)
    joined = np.zeros((n, n, 1))
    for a, b in edges:
        joined[a, b] = joined[b, a] = 1
    for step in range(rounds):
        apart = places[:, None] - places[None]
        distance = np.sqrt(np.square(apart).sum(axis=2, keepdims=True)) + 1e-9
        force = (apart * (np.square(length / distance) - joined * distance / length)).sum(axis=1)
        force -= 1.2 * (places - canvas / 2) * (canvas[1] / canvas[0], 1)  # parts that no edge joins stay near
        strength = np.sqrt(np.square(force).sum(axis=1, keepdims=True)) + 1e-9
        places = places + force / strength * np.minimum(strength, 0.2 * (1 - step / rounds))
    least, most = (places - sizes / 2).min(axis=0), (places + sizes / 2).max(axis=0)
    places = (places - least) * canvas / (most - least)
    for _ in range(3000):
        apart = places[:, None] - places[None]
        over = (sizes[:, None] + sizes[None]) / 2 + (0.08, 0.06) - np.abs(apart)
        hit = (over > 0.01).all(axis=2) & ~np.eye(n, dtype=bool)
        if not hit.any():
            return places
        flat = over[:, :, 0] < over[:, :, 1]
        push = np.where(np.stack([flat, ~flat], axis=2), np.where(apart < 0, -over, over), 0) * hit[:, :, None]
        places = np.clip(places + 0.3 * push.sum(axis=1), sizes / 2, canvas - sizes / 2)
    raise ValueError("words overlap: show fewer, or on a larger canvas")


def word_graph(root):
    """Some words, the five nearest of each by the cosine of 20,000 word vectors, and the nearest of each of those."""
    folder = root / "examples/data"
    rows = vectors(folder / "words-20k.fvecs", np.float32, 4)
    words = (folder / "words-20k.txt").read_text().splitlines()
    near = annulus.build_knn_graph(rows, 8, metric="cosine").ids.tolist()
    seeds = [words.index(word) for word in WORDS]
    edges = {(seed, other) for seed in seeds for other in near[seed][:5]}
    edges |= {(a, b) for _, a in set(edges) for b in near[a][:1]}
    shown = sorted({node for edge in edges for node in edge})
    edges |= {(a, b) for a in shown for b in near[a] if b in shown}
    at = {node: i for i, node in enumerate(shown)}
    pairs = sorted({tuple(sorted((at[a], at[b]))) for a, b in edges})
    canvas = np.array([WIDTH - 0.4, 5.2])
    places = spread(len(shown), pairs, np.array([[0.085 * len(words[node]) + 0.14, 0.24] for node in shown]), canvas)
    figure, axes = plt.subplots(figsize=(WIDTH, 5.8), layout="constrained")
    figure.suptitle("Words and their nearest", x=0.015, ha="left", fontsize=10, fontweight="bold")
    for a, b in pairs:
        axes.plot(*zip(places[a], places[b]), color="#aaaaaa", linewidth=0.8, zorder=1)
    for node, place in zip(shown, places):
        seed = node in seeds
        axes.text(
            *place,
            words[node],
            ha="center",
            va="center",
            fontsize=8.5,
            color="white" if seed else "black",
            bbox={
                "boxstyle": "round,pad=0.2",
                "facecolor": BLUE if seed else "white",
                "edgecolor": BLUE,
                "linewidth": 0.6,
            },
        )
    axes.set(xlim=(0, canvas[0]), ylim=(0, canvas[1]))
    axes.set_axis_off()
    alt = (
        f"{len(shown)} of 20,000 words as a graph, whose lines join a word and one of its eight nearest by the cosine "
        f"of their vectors: around {', '.join(WORDS[:-1])} and {WORDS[-1]} stand words of their subjects, and some "
        "that only share their texts."
    )
    kept = {"nearest": {words[a]: [words[b] for b in near[a]] for a in seeds}}
    return figure, {"title": "Words and their nearest", "alt": alt} | kept


def demos(root, data):
    """(name, (figure, what the picture keeps)) of each."""
    return [("neighbours-fashion-mnist", image_grid(data)), ("neighbours-words", word_graph(root))]

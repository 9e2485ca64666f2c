"""Pictures of what the library finds: images and their neighbours, and a graph of words. Needs annulus's Python package."""


import annulus
import numpy as np

from picture_drawing import LIBRARIES, WIDTH, plt

BLUE = LIBRARIES["annulus"][0]
CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
WORDS = ("river", "music", "compiler", "bread", "planet")


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
    figure, axes = plt.subplots(len(first), 9, figsize=(WIDTH, 7.9), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
    others = 0
    for line, query, ids, label in zip(axes, first, found.ids.tolist(), range(len(CLASSES))):
        for own, pixels, other in zip(line, [queries[query], *base[ids]], [False, *(labels[ids] != label)]):
            own.imshow(255 - pixels.reshape(28, 28), cmap="gray", vmin=0, vmax=255, interpolation="none")
            own.set(xticks=[], yticks=[])
            own.grid(False)
            own.spines[:].set(visible=bool(other), color="#d55e00", linewidth=2.5)
            others += bool(other)
        line[0].set_ylabel(CLASSES[label], rotation=0, ha="right", va="center")
    axes[0][0].set_title("query", loc="center")
    axes[0][1].set_title("nearest first")
    alt = (f"Ten fashion-mnist images, one of each class, and the eight nearest of 60,000 images by pixels: {80 - others} of 80 are of the "
           f"query's class, {others} (framed) of another; the graph index finds {agree} of the 80 that exact search finds.")
    kept = {"ids": dict(zip(map(str, first), found.ids.tolist())), "exact": exact.ids.tolist()}
    return figure, {"title": "Images and their nearest neighbours", "alt": alt} | kept


def spread(n, edges, boxes, rounds=3000):
    """Places of n labels: edges pull, labels push each other off. Deterministic."""
    random = np.random.default_rng(3)
    places = random.normal(size=(n, 2)) * (1.6, 1.0)
    for step in range(rounds):
        apart = places[:, None] - places[None]
        gap = apart / boxes  # in widths and heights of labels
        near = np.exp(-np.square(gap).sum(axis=2))[:, :, None] * np.where(apart == 0, 0, np.sign(apart)) * boxes
        far = apart / (np.square(apart).sum(axis=2, keepdims=True) + 0.05)
        force = 0.6 * near.sum(axis=1) + 0.05 * far.sum(axis=1) - 0.02 * places * (0.6, 1)
        for a, b in edges:
            pull = 0.09 * (places[b] - places[a])
            force[a] += pull
            force[b] -= pull
        places = places + force * (0.3 * (1 - step / rounds) + 0.01)
    return places


def word_graph(root):
    """Five words, the six nearest of each by the cosine of 20,000 word vectors, and the three nearest of those."""
    folder = root / "examples/data"
    rows = vectors(folder / "words-20k.fvecs", np.float32, 4)
    words = (folder / "words-20k.txt").read_text().split("\n")
    graph = annulus.build_knn_graph(rows, 8, metric="cosine")
    near = {a: [b for b in graph.ids[a].tolist() if b != a] for a in range(len(words) - 1)}
    seeds = [words.index(word) for word in WORDS]
    edges = {(seed, other) for seed in seeds for other in near[seed][:6]}
    edges |= {(a, b) for _, a in set(edges) for b in near[a][:2]}
    shown = sorted({node for edge in edges for node in edge})
    edges |= {(a, b) for a in shown for b in near[a] if b in shown}
    at = {node: i for i, node in enumerate(shown)}
    pairs = sorted({tuple(sorted((at[a], at[b]))) for a, b in edges})
    boxes = np.array([[0.055 * len(words[node]) + 0.12, 0.2] for node in shown])
    places = spread(len(shown), pairs, (boxes[:, None] + boxes[None]) / 1.6)
    figure, axes = plt.subplots(figsize=(WIDTH, 5.6), layout="constrained")
    for a, b in pairs:
        axes.plot(*zip(places[a], places[b]), color="#bbbbbb", linewidth=0.8, zorder=1)
    for node, place in zip(shown, places):
        seed = node in seeds
        axes.text(*place, words[node], ha="center", va="center", fontsize=10 if seed else 8.5, color="white" if seed else "black",
                  bbox={"boxstyle": "round,pad=0.2", "facecolor": BLUE if seed else "white", "edgecolor": BLUE, "linewidth": 0.6})
    axes.set_axis_off()
    axes.margins(0.06)
    alt = (f"{len(shown)} words as a graph, in which lines join words that are among each other's nearest by the cosine of their vectors: "
           f"around {', '.join(WORDS[:-1])} and {WORDS[-1]} stand words of their subjects, some only by the texts that the vectors are of.")
    kept = {"nearest": {words[a]: [words[b] for b in near[a][:6]] for a in seeds}}
    return figure, {"title": "The word demo: nearest words as a graph", "alt": alt} | kept


def demos(root, data):
    """(name, (figure, what the picture keeps)) of each."""
    return [("neighbours-fashion-mnist", image_grid(data)), ("neighbours-words", word_graph(root))]

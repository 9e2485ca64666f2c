"""What recall_target keeps of its promise, and what it costs beside the best fixed number of probes."""

import numpy as np

import datasets
from lsh_problems import K, TARGETS, Setting, float_problem, planted, timed
from measure import Contender

N_SEEDS = 20
N_FIXED_SEEDS = 3  # with which the best fixed numbers of probes are looked for, which takes long
N_QUERIES = 400
MOST_PROBES = 20_000
MOST_RECALL = 0.99  # that fixed numbers of probes are asked for: the last few queries take any number


SETTINGS = {
    "planted": [Setting("SignRandomProjection", 16, 50), Setting("CrossPolytope", 16, 50)],
    "text-384-debian": [Setting("SignRandomProjection", 16, 50), Setting("CrossPolytope", 16, 50)],
    "sift-128-caltech101": [Setting("PStableL2", 24, 50, (1200.0,))],
}


def least_probes(index, problem, k, target, guess):
    """The least fixed number of probes, to 1 in 16, by which these queries reach the target; None if there is none."""

    def reached(probes):
        return problem.recall(index.search(problem.queries, k, probes)[0], k) >= target

    low, high = 0, guess or 16
    while not reached(high):
        low, high = high, (high + high // 4 if guess else 2 * high)
        if high > MOST_PROBES:
            return None
    if low == 0 and not reached(high * 3 // 4):
        low = high * 3 // 4
    while high - low > max(1, high // 16):
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def problems(options):
    if options.wants("lsh_target", "planted"):
        yield planted(N_QUERIES)
    for dataset in datasets.load(options.data, options.quick):
        if dataset.name in SETTINGS and options.wants("lsh_target", dataset.name):
            yield float_problem(dataset, N_QUERIES)


def run(options, records):
    for problem in problems(options):
        settings = SETTINGS[problem.name]
        named = [setting for setting in settings if setting.family in options.only]
        for setting in named or settings:
            measure(problem, setting, range(3 if options.quick else N_SEEDS), records)


def fixed_probes(index, problem, k, recall, guesses, goal):
    """What the least number that reaches the recall costs."""
    probes = least_probes(index, problem, k, recall, guesses.get(goal, 0))
    if probes is None:
        return None
    guesses[goal] = probes
    (_, stats), seconds = timed(lambda: index.search_with_stats(problem.queries, k, probes))
    return stats | {"seconds": seconds}


def measure(problem, setting, seeds, records):
    # The planted neighbour is the first; the others are no nearer than any row, and few seeds tell how they are found.
    seeds_of = {1: seeds, K: seeds[:3] if problem.name == "planted" else seeds}
    figures = {k: {target: [] for target in TARGETS} for k in seeds_of}
    guesses = {}
    for seed in seeds:
        index = setting.build(problem.base, seed)
        for k in (k for k, own in seeds_of.items() if seed in own):
            for target in TARGETS:
                (ids, stats), seconds = timed(lambda: index.search_with_stats(problem.queries, k, 0, target))
                own = stats | {"seconds": seconds, "of_queries": problem.hits(ids, k) / k}
                own["recall"] = float(own["of_queries"].mean())
                if seed in seeds[:N_FIXED_SEEDS] and not (problem.name == "planted" and k > 1):
                    as_good = min(own["recall"], MOST_RECALL)
                    own["for_target"] = fixed_probes(index, problem, k, target, guesses, (k, target, 0))
                    own["for_recall"] = fixed_probes(index, problem, k, as_good, guesses, (k, target, 1))
                figures[k][target].append(own)
    for k, of_targets in figures.items():
        add(problem, setting, k, of_targets, records)


def add(problem, setting, k, figures, records):
    n_seeds = len(figures[TARGETS[0]])
    case = {"comparison": "lsh target", "dataset": problem.name, "metric": problem.metric, "n": problem.n, "k": k}
    case |= {"n_queries": len(problem.queries), "n_seeds": n_seeds}
    for target, owns in figures.items():
        extra = {key: float(np.mean([own[key] for own in owns])) for key in ("recall", "candidates", "probes")}
        extra |= {"target": target, "recall_sd": float(np.std([own["recall"] for own in owns], ddof=1))}
        extra["error_by_seeds"] = extra["recall_sd"] / np.sqrt(n_seeds)
        of_queries = np.mean([own["of_queries"] for own in owns], axis=0)
        extra["error_by_queries"] = float(of_queries.std(ddof=1) / np.sqrt(len(of_queries)))
        for goal in ("for_target", "for_recall"):
            reached = [own for own in owns if own.get(goal) is not None]
            if 2 * len(reached) >= min(N_FIXED_SEEDS, n_seeds):
                ratio = np.mean([own["candidates"] / own[goal]["candidates"] for own in reached])
                means = {key: float(np.mean([own[goal][key] for own in reached])) for key in reached[0][goal]}
                extra[goal] = means | {"ratio": float(ratio), "n_reached": len(reached)}
        timing = {setting.name: [own["seconds"] for own in owns]}, {setting.name: 1.0}
        records.add(case, [Contender(setting.name, None)], timing, {setting.name: extra})
        told = ", ".join(f"{key} {value:.4g}" for key, value in extra.items() if not isinstance(value, dict))
        print(f"  {problem.name} k={k} {setting.name}: {told}", flush=True)

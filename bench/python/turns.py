"""What the comparisons of this folder share: calls measured in turns, and lines of figures that become records."""

import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "compare"))
from provenance import provenance
from results import append


def timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def in_turns(calls, rounds, at_a_time=1):
    """The median time of each call, and its last result, measured in turns, `at_a_time` calls each."""
    times, results = {name: [] for name in calls}, {}
    for _ in range(rounds):
        for name, call in calls.items():
            for _ in range(at_a_time):
                seconds, results[name] = timed(call)
                times[name].append(seconds)
    return {name: statistics.median(taken) for name, taken in times.items()}, results


def unit(seconds):
    for scale, name in ((1, "s"), (1e-3, "ms")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {name}"
    return f"{seconds * 1e6:.3g} us"


class Figures:
    """The rows of one table, printed as they come: what annulus takes and what others take, as multiples of it."""

    def __init__(self, place):
        self.place, self.rows = place, []

    def add(self, what, times, notes=None):
        """`times`: seconds by package, annulus among them. `notes`: what else is to be told of each package."""
        notes = notes or {}
        values = {}
        for name, seconds in times.items():
            cells = [unit(seconds)]
            if name != "annulus":
                cells.append(f"{seconds / times['annulus']:.3g}x")
            if name in notes:
                cells.append(notes[name])
            values["annulus" if name == "annulus" else "the other"] = ", ".join(cells)
            print(f"{what:48} {name:28} {', '.join(cells)}", flush=True)
        others = [name for name in times if name != "annulus"]
        self.rows += [({"what": what, "beside": others[0]} if others else {"what": what}, values)]

    def write(self, folder, command):
        append(folder, self.place, self.rows, provenance(command))

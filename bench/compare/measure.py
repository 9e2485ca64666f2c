"""Timing side by side, and the records of what was measured."""

import gc
import importlib.metadata
import json
import statistics
import time
from dataclasses import dataclass
from typing import Any, Callable

import annulus_compare

import provenance


@dataclass
class Contender:
    """One method. `call` gets the number of the call, to choose among inputs by."""

    name: str
    call: Callable[[int], Any]
    role: str = "peer"  # "ours", "peer" or "yardstick"
    self_timed: bool = False  # call returns its seconds


SLICE_SECONDS = 0.01
SLOW_SECONDS, SLOW_ROUNDS = 0.05, 5


def race(contenders, rounds, warm_up=True):
    """Seconds per call of each contender, one number a round, and the cores it kept busy.

    All take turns in every round, so that a machine that slows down does so for all; slow ones drop out after a few
    rounds. Quick calls are repeated to fill a slice of time; calls are numbered through, so that consecutive ones have
    different inputs. Without a warm-up every call is counted, for what takes long and compiles nothing.
    """
    n_calls = 0
    cores = {c.name: [] for c in contenders}

    def run(contender, repeats):
        nonlocal n_calls
        first, n_calls = n_calls, n_calls + repeats
        start, start_cpu = time.perf_counter(), time.process_time()
        own = [contender.call(i) for i in range(first, n_calls)]
        wall, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        cores[contender.name].append(cpu / wall)
        return (sum(own) if contender.self_timed else wall) / repeats

    for contender in contenders if warm_up else []:  # compiles, faults memory in, starts thread pools
        run(contender, 1)
    once = {c.name: run(c, 1) if warm_up else SLOW_SECONDS for c in contenders}
    repeats = {name: max(1, min(200, int(SLICE_SECONDS / seconds))) for name, seconds in once.items()}
    seconds = {c.name: [] for c in contenders}
    gc.disable()
    for i in range(rounds):
        for contender in contenders:
            if i >= SLOW_ROUNDS and once[contender.name] > SLOW_SECONDS:
                continue
            seconds[contender.name].append(run(contender, repeats[contender.name]))
    gc.enable()
    return seconds, {name: statistics.median(shares) for name, shares in cores.items()}


class Records:
    """A file of one JSON line a measurement, replaced if it was there, and the checks that failed."""

    def __init__(self, path, threads, command):
        self._path = path
        path.write_text("")
        self.failures = []
        packages = ("numpy", "jax", "faiss-cpu", "scikit-learn", "nanopq")
        self._common = {
            "threads": threads,
            **provenance.provenance(command),
            "versions": annulus_compare.build_info() | {name: importlib.metadata.version(name) for name in packages},
        }

    def write(self, record):
        """One that was measured elsewhere."""
        with open(self._path, "a") as file:
            file.write(json.dumps(record | self._common) + "\n")

    def add(self, case, contenders, timing, extra):
        """One record a contender, of what race returned: `case` is common to all, extra[name] is its own.

        "ratio" is by how much it is slower than each of ours: the median over the rounds of time / our time. "cores" is
        processor time / time: below 1 on one thread, somebody else had the core and the times mean little.
        """
        seconds, cores = timing
        ours = [c.name for c in contenders if c.role == "ours"]
        with open(self._path, "a") as file:
            for c in contenders:
                times = seconds[c.name]
                ratio = {name: statistics.median(t / o for t, o in zip(times, seconds[name])) for name in ours}
                record = case | {
                    "contender": c.name,
                    "role": c.role,
                    "seconds": {"min": min(times), "median": statistics.median(times), "max": max(times)},
                    "rounds": len(times),
                    "cores": cores[c.name],
                    "ratio": ratio,
                }
                file.write(json.dumps(record | extra.get(c.name, {}) | self._common) + "\n")

    def check(self, holds, what):
        if not holds:
            self.failures.append(what)
            print(f"FAILED: {what}", flush=True)

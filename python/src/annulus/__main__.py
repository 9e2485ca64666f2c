"""`python -m annulus demo` and `python -m annulus bench data.npy --peers hnswlib,pynndescent`."""

import argparse
import sys


def parser():
    from ._bench.contenders import PEERS

    whole = argparse.ArgumentParser(prog="python -m annulus", description="Nearest neighbours: try them, measure them.")
    commands = whole.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="search made rows by each kind of index", description="Takes some ten seconds.")

    bench = commands.add_parser(
        "bench",
        help="recall against queries a second on rows of yours",
        description="Builds indexes over the rows, searches them with wider and wider searches, and prints a table of "
        "recall against queries a second. Contenders take turns; times are medians.",
    )
    bench.add_argument("data", help="rows: .npy of (n, dim), or an HDF5 file of ann-benchmarks (train, test, distance)")
    bench.add_argument("--queries", help=".npy of (n, dim); else rows are drawn from the data and taken out of it")
    bench.add_argument("--n-queries", type=int, default=1000, help="how many are searched (default: %(default)s)")
    bench.add_argument("--metric", choices=("euclidean", "cosine", "inner_product"), help="default: euclidean")
    bench.add_argument("-k", type=int, default=10, help="neighbours of a query (default: %(default)s)")
    bench.add_argument("--peers", default="", help=f"of {', '.join(PEERS)}: separated by commas")
    bench.add_argument("--threads", type=int, default=1, help="of builds and searches; 0: all (default: %(default)s)")
    bench.add_argument("--rounds", type=int, default=3, help="of which times are medians (default: %(default)s)")
    bench.add_argument("--output", default="bench.png", help="the plot (default: %(default)s); '' draws none")
    return whole


def main(arguments=None):
    options = parser().parse_args(arguments)
    try:
        if options.command == "demo":
            from ._bench.demo import run
        else:
            from ._bench.bench import run
        run(options)
    except (ValueError, OSError, ImportError) as error:
        print(f"annulus {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

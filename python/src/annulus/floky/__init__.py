"""floky's classes by annulus's hash tables: change `from floky import SRP` to `from annulus.floky import SRP`.

Names, arguments and results are those of floky 0.2, lsh-rs for Python. Results are ranked exactly, best first, and
probes go to the likeliest buckets of all tables. Beyond floky's there are `delete`, `update`, `save` and `load`.
"""

from . import stats
from .tables import L2, SRP, QueryResult

__all__ = ["L2", "SRP", "QueryResult", "stats"]

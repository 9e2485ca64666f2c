#pragma once

/// \file
/// What help() and the stubs say of the class Index.

namespace annulus_python { namespace text {

inline constexpr char index[] = "An index of any kind; annulus.Index and the classes derived from it.";

inline constexpr char search_signature[] =
    "def search(self, queries: object, k: int = 10, *, beam: int = 0, epsilon: float = 0.1, by_estimates: bool = "
    "False, n_probes: int = 0, max_candidates: int = 0, recall_target: float | None = None, k_factor: int | None = "
    "None, float_tables: bool = False, filter: object | None = None, threads: int = 0, progress: object | None = None) "
    "-> annulus._results.Neighbors";
inline constexpr char search[] = R"(The k nearest rows of each query that the search finds.

A parameter that is set and that the kind of index has no use for is refused.

Parameters
----------
queries : rows of the index's kind, m x dim, or one row
    Numbers of another type are converted.
k : int, default 10
    At least 1.
beam : int, default 0
    nndescent: rows kept during the walk; k where less.
epsilon : float, default 0.1
    nndescent: how much further than the k-th row it still looks.
by_estimates : bool, default False
    nndescent with rabitq: whether it ranks by codes alone.
n_probes : int, default 0
    lsh: buckets of all tables together, the likeliest ones; 0: the query's own, one a table.
max_candidates : int, default 0
    lsh: rows compared, at most; 0: all that are found.
recall_target : float, optional
    flat, lsh: in (0, 1].
k_factor : int, optional
    pq, opq, fast_scan, rabitq: rows ranked exactly, in multiples of k, at least 1.
float_tables : bool, default False
    fast_scan: whether it ranks by exact tables.
filter : int array, bool array, or function, optional
    The rows that may be returned: their ids, a bool for each row, or a function of an id, which may be a function
    pointer of ctypes.
threads : int, default 0
    0: all cores.
progress : bool or function, default False
    True for a bar (tqdm), or a function (stage, fraction, whole).

Returns
-------
Neighbors
    ids int32 and distances float32, m x k (of one row: k), nearest first, ids -1 at infinity where fewer than k rows
    are found.

Raises
------
ValueError, TypeError
    For arguments that do not fit.
KeyboardInterrupt
    At Ctrl-C.)";

inline constexpr char radius_search_signature[] =
    "def radius_search(self, queries: object, radius: float, *, beam: int = 0, epsilon: float = 0.1, by_estimates: "
    "bool = False, n_probes: int = 0, max_candidates: int = 0, recall_target: float | None = None, filter: object | "
    "None = None, threads: int = 0) -> annulus._results.NeighborLists";
inline constexpr char radius_search[] =
    R"(nndescent, lsh: all rows within a distance of each query that the search finds.

Parameters
----------
radius : float
    That distance.
queries, beam, epsilon, by_estimates, n_probes, max_candidates, recall_target, filter, threads
    As of search.

Returns
-------
NeighborLists
    A list for each query, nearest first.

Raises
------
ValueError, TypeError, KeyboardInterrupt
    As search.)";

inline constexpr char candidates_signature[] =
    "def candidates(self, queries: object, *, n_probes: int = 0, max_candidates: int = 0, recall_target: float | None "
    "= None, filter: object | None = None, threads: int = 0) -> annulus._results.NeighborLists";
inline constexpr char candidates[] =
    R"(lsh: the rows that share buckets with each query.

Parameters
----------
queries, n_probes, max_candidates, filter, threads
    As of search.
recall_target : None
    Has no use here, and is refused where it is set.

Returns
-------
NeighborLists
    A list for each query; in place of a distance, in how many buckets a row was found, most first.

Raises
------
ValueError, TypeError, KeyboardInterrupt
    As search.)";

inline constexpr char insert[] =
    R"(All kinds but rabitq: adds rows.

Parameters
----------
rows : rows of the index's kind, m x dim, or one row
    Numbers of another type are converted.
threads : int, default 0
    0: all cores.

Returns
-------
int
    The id of the first; the others follow it.

Raises
------
ValueError, TypeError
    For rows that the index does not take, which leave it as it was.)";
inline constexpr char erase[] =
    R"(nndescent, lsh: removes a row; its id is not given out again.

Parameters
----------
id : int
    Of the row.

Raises
------
ValueError
    Where there is none.)";
inline constexpr char update[] =
    R"(nndescent, lsh: replaces a row, which keeps its id.

Parameters
----------
id : int
    Of the row.
row : one row of the index's kind
    In its place.

Raises
------
ValueError, TypeError
    As insert and erase.)";
inline constexpr char consolidate[] =
    R"(nndescent, lsh: frees the memory of erased rows, which else happens by itself in time.

Raises
------
ValueError
    For another kind of index.)";

inline constexpr char graph_signature[] = "def graph(self) -> annulus._results.Neighbors";
inline constexpr char graph[] =
    R"(nndescent: the k-NN graph.

Returns
-------
Neighbors
    The neighbours of each row of the index, nearest first.

Raises
------
ValueError
    For another kind of index.)";

inline constexpr char save[] =
    R"(Writes the index to a file, which annulus.open reads, and programs in C++ and C do too.

The file is replaced at once or not at all.

Parameters
----------
path : str or path
    Of the file.

Raises
------
OSError
    Where it cannot be written.)";
inline constexpr char verify[] =
    R"(Checks the structure of an index that was opened with mapped=True.

Raises
------
FormatError
    Names the first defect.)";
inline constexpr char info[] =
    R"(A property of the index.

Parameters
----------
name : str
    "kind", "metric", "storage" (or the family) or "rows".

Returns
-------
str or None
    Such as "rows of float32"; None where it has none.

Raises
------
TypeError
    For a name that is no text.)";

}}  // namespace annulus_python::text

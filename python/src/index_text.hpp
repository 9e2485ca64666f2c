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

queries: m x dim rows of the kind that the index has (numbers of another type are converted), or one row of dim.
k: at least 1. A parameter that is set and that the kind of index has no use for is refused:

    nndescent             beam: rows kept during the walk, k where less (0); epsilon: how much further than the k-th
                          row it still looks (0.1); by_estimates: ranks by codes alone (rabitq)
    lsh                   n_probes: buckets of each table (0: the query's own); max_candidates: rows compared (0: all)
    flat, lsh             recall_target: in (0, 1]
    pq, opq, fast_scan,   k_factor: rows ranked exactly, in multiples of k, at least 1
    rabitq
    fast_scan             float_tables: ranks by exact tables

filter: the rows that may be returned: an array of ids, a bool for each row, or a function of an id, which may be a
function pointer of ctypes. threads: 0 for all cores. progress: True for a bar (tqdm), or a function (stage, fraction,
whole).

Returns Neighbors: ids int32 and distances float32, m x k (of one row: k), nearest first, ids -1 at infinity where fewer
than k rows are found. Raises ValueError and TypeError for arguments that do not fit, KeyboardInterrupt at Ctrl-C.)";

inline constexpr char radius_search_signature[] =
    "def radius_search(self, queries: object, radius: float, *, beam: int = 0, epsilon: float = 0.1, by_estimates: "
    "bool = False, n_probes: int = 0, max_candidates: int = 0, recall_target: float | None = None, filter: object | "
    "None = None, threads: int = 0) -> annulus._results.NeighborLists";
inline constexpr char radius_search[] =
    R"(nndescent, lsh: all rows within a distance of each query that the search finds.

Parameters as of search. Returns NeighborLists (indptr, ids, distances): those of query i, nearest first, are at
indptr[i]:indptr[i + 1].)";

inline constexpr char candidates_signature[] =
    "def candidates(self, queries: object, *, n_probes: int = 0, max_candidates: int = 0, recall_target: float | None "
    "= None, filter: object | None = None, threads: int = 0) -> annulus._results.NeighborLists";
inline constexpr char candidates[] =
    R"(lsh: the rows that share buckets with each query; in place of a distance, in how many.)";

inline constexpr char insert[] =
    R"(All kinds but rabitq: adds rows (m x dim, or one of dim). Returns the id of the first; the others follow it.)";
inline constexpr char erase[] = "nndescent, lsh: removes a row; its id is not given out again.";
inline constexpr char update[] = "nndescent, lsh: replaces a row, which keeps its id.";
inline constexpr char consolidate[] =
    "nndescent, lsh: frees the memory of erased rows, which else happens by itself in time.";

inline constexpr char graph_signature[] = "def graph(self) -> annulus._results.Neighbors";
inline constexpr char graph[] = "nndescent: the k-NN graph, the neighbours of each row of the index.";

inline constexpr char save[] =
    R"(Writes the index to a file, which annulus.open reads, and programs in C++ and C do too.

The file is replaced at once or not at all. Raises OSError where it cannot be written.)";
inline constexpr char verify[] =
    "Checks the structure of an index that was opened with mapped=True. Raises FormatError, which names the first "
    "defect.";
inline constexpr char info[] =
    R"("kind", "metric", "storage" (or the family) or "rows" ("rows of float32") of the index; None where it has none.)";

}}  // namespace annulus_python::text

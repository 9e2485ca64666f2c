"""L2 and SRP, as floky has them."""

import io
import json
import os
import tempfile
import zipfile
import zlib
from collections import namedtuple

import numpy as np

import annulus

from .rows import GrowingRows

QueryResult = namedtuple("QueryResult", ["index", "vectors", "n_collisions", "distances"])
QueryResult.__doc__ = "What `predict` finds for one query; empty lists where no row collides."
QueryResult.index.__doc__ = "int32: ids, nearest first."
QueryResult.vectors.__doc__ = "float32: their rows; None with only_index."
QueryResult.n_collisions.__doc__ = "The number of rows that share a bucket with the query."
QueryResult.distances.__doc__ = "float32: Euclidean (L2), or cosine similarities, greatest first (SRP)."


class Tables:
    """What L2 and SRP share. Ids are given out in the order of storing, from 0, and stay."""

    def __init__(self, n_projections, n_hash_tables, dim, seed, db_path, in_mem, log):
        self.n_projection = n_projections  # the attribute's name in floky
        self.n_hash_tables, self.dim, self.seed = n_hash_tables, dim, seed
        self.db_path, self.in_mem, self.log = db_path, in_mem, log
        self._tables = None  # made of the first rows
        self._rows = GrowingRows(dim)
        self._erased = set()
        self._budget = 0
        if not in_mem and os.path.exists(db_path):
            self._take(self.load(db_path))

    @property
    def data(self):
        """float32 array, n x dim: the rows that were stored, erased ones too; None before there are any."""
        return self._rows.view() if len(self._rows) else None

    def __len__(self):
        return len(self._rows) - len(self._erased)

    def fit(self, X, chunk_size=250):
        """Stores rows in place of all that were there.

        Parameters
        ----------
        X : array, n x dim
            The rows.
        chunk_size : int
            Has no effect.

        Raises
        ------
        ValueError
            For rows with NaN or infinity, which leave all as it was.
        """
        X = rows_of(X, "X")
        tables = self._tables_of(X)  # first: where a row is refused all stays as it was
        self.reset(X.shape[1])
        self._tables = tables
        self._keep(X)

    def store_vecs(self, vs, chunk_size=250):
        """Adds rows.

        Parameters
        ----------
        vs : array, n x dim
            The rows.
        chunk_size : int
            Has no effect.

        Raises
        ------
        ValueError
            For rows of another dimension, with NaN or infinity: nothing is stored.
        """
        vs = self._checked(vs, "vs")
        if len(vs) == 0:
            return
        if self._tables is None:
            self._tables = self._tables_of(vs)
        else:
            self._tables.insert(vs)
        self._keep(vs)

    def store_vec(self, v):
        """Adds one row.

        Parameters
        ----------
        v : array
            The row.

        Raises
        ------
        ValueError
            As `store_vecs`.
        """
        self.store_vecs(self._checked(v, "v", one=True))

    def predict(self, x, only_index=False, top_k=5, bound=None):
        """The nearest of the rows that collide with each query.

        Parameters
        ----------
        x : array, n x dim, or one query
            The queries.
        only_index : bool, default False
            Whether `vectors` is left out of the results.
        top_k : int, default 5
            Results of a query, at most.
        bound : int, default all that collide
            Rows that are compared with a query, at most.

        Returns
        -------
        list of QueryResult
            One for each query.

        Raises
        ------
        ValueError
            Before there are rows, for another dimension, and for values out of range.
        """
        x = self._checked(x, "x")
        self._check_filled()
        if top_k < 1 or (bound is not None and bound < 1):
            raise ValueError(f"top_k = {top_k} and bound = {bound} must be at least 1")
        limit = {} if bound is None else {"max_candidates": bound}
        ids, distances = self._tables.search(x, top_k, n_probes=self._n_probes(), **limit)
        n_collisions = np.diff(self._tables.candidates(x, n_probes=self._n_probes())[0])
        n_found = (ids >= 0).sum(axis=1)
        distances = self._as_floky(distances)
        results = []
        for row in range(len(x)):
            n = n_found[row]
            if n == 0:
                results.append(QueryResult([], [], 0, []))
                continue
            found = ids[row, :n]
            vectors = None if only_index else self.data[found]
            results.append(QueryResult(found, vectors, int(n_collisions[row]), distances[row, :n]))
        return results

    def query_bucket_idx(self, v):
        """The ids of the rows that share a bucket with a row.

        Parameters
        ----------
        v : array
            The row.

        Returns
        -------
        list of int
            Most buckets first.

        Raises
        ------
        ValueError
            For another dimension.
        """
        v = self._checked(v, "v", one=True)
        return self._tables.candidates(v, n_probes=self._n_probes())[1].tolist() if self._tables else []

    def query_bucket(self, v):
        """The rows that share a bucket with a row.

        Parameters
        ----------
        v : array
            The row.

        Returns
        -------
        list of lists
            Most buckets first.

        Raises
        ------
        ValueError
            For another dimension.
        """
        found = self.query_bucket_idx(v)
        return self.data[found].tolist() if found else []

    def multi_probe(self, budget):
        """Searches look into more buckets than the query's own, the likeliest of all tables.

        Parameters
        ----------
        budget : int
            How many more a table, at least 0.

        Raises
        ------
        ValueError
            For a negative one.
        """
        if budget < 0:
            raise ValueError(f"budget is {budget}, must be at least 0")
        self._budget = budget

    def base(self):
        """Searches look into the query's own buckets, one a table, as before `multi_probe`."""
        self._budget = 0

    def delete_vec(self, v):
        """Erases the rows equal to one.

        Parameters
        ----------
        v : array
            The row.

        Returns
        -------
        int
            Their number.

        Raises
        ------
        ValueError
            For another dimension.
        """
        v = self._checked(v, "v", one=True)
        equal = [i for i in self.query_bucket_idx(v) if np.array_equal(self.data[i], v[0])]
        for i in equal:
            self.delete(i)
        return len(equal)

    def delete(self, index):
        """Erases a row.

        Parameters
        ----------
        index : int
            Its id.

        Raises
        ------
        ValueError
            Where there is none.
        """
        self._check_filled()
        self._tables.erase(index)
        self._erased.add(int(index))

    def update(self, index, v):
        """Replaces a row, which keeps its id.

        Parameters
        ----------
        index : int
            Its id.
        v : array
            In its place.

        Raises
        ------
        ValueError
            Where there is none, and for another dimension, NaN or infinity.
        """
        v = self._checked(v, "v", one=True)
        self._check_filled()
        self._tables.update(index, v)
        self._rows.view()[index] = v

    def update_by_idx(self, idx, new_v, old_v=None):
        """lsh-rs's name of `update`.

        Parameters
        ----------
        idx : int
            The id.
        new_v : array
            In place of the row.
        old_v
            Has no effect: the old row is known.

        Raises
        ------
        ValueError
            As `update`.
        """
        self.update(idx, new_v)

    def describe(self):
        """Prints what the tables hold."""
        print(f"No. of tables: {self.n_hash_tables}")
        print(f"Hash values of a table: {self.n_projection}")
        print(f"Rows: {len(self)}, of {self.dim} dimensions")
        if self._tables is None:
            return
        buckets = self._tables.describe()
        print(f"Buckets: {buckets.n_buckets}, tables of {buckets.bytes / 2**20:.1f} MiB")
        print("\nHash collisions:")
        for name, value in (("avg", buckets.mean), ("std-dev", buckets.sd), ("min", buckets.min), ("max", buckets.max)):
            print(f"{name}:\t{value:.6g}")

    def reset(self, dim):
        """Forgets all rows.

        Parameters
        ----------
        dim : int
            Dimensions of those to come.
        """
        self.clean()
        self.dim = dim
        self._tables, self._rows, self._erased = None, GrowingRows(dim), set()

    def save(self, path):
        """Writes tables, rows and parameters to one file, which replaces one that is there.

        Parameters
        ----------
        path : str or path
            Of the file.

        Raises
        ------
        ValueError
            Before there are rows.
        OSError
            Where the file cannot be written.
        """
        self._check_filled()
        path = os.fsdecode(path)
        with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(path))) as folder:
            tables, whole = os.path.join(folder, "tables"), os.path.join(folder, "whole")
            self._tables.save(tables)
            with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as file:
                file.write(tables, "tables")
                file.writestr("rows.npy", bytes_of(self.data))
                file.writestr("parameters.json", json.dumps(self._parameters()))
            os.replace(whole, path)

    @classmethod
    def load(cls, path):
        """The object that `save` wrote.

        Parameters
        ----------
        path : str or path
            Of the file.

        Returns
        -------
        L2 or SRP
            Of the class that it is called on.

        Raises
        ------
        FormatError
            For a file that is damaged, or that save did not write.
        ValueError
            For an object of the other class.
        OSError
            Where the file cannot be read.
        """
        try:
            with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as file:
                parameters = json.loads(file.read("parameters.json"))
                rows = np.load(io.BytesIO(file.read("rows.npy")), allow_pickle=False)
                tables = annulus.open(file.extract("tables", folder))
        except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
            raise annulus.FormatError(f"{path} is damaged, or was not written by save: {error}") from error
        kind, erased, budget = (parameters.pop(name) for name in ("kind", "erased", "budget"))
        if kind != cls.__name__:
            raise ValueError(f"{path} holds {kind}, not {cls.__name__}: use {kind}.load")
        result = cls(**parameters, log=False)
        result._tables, result._erased, result._budget = tables, set(erased), budget
        result._rows.append(rows)
        return result

    dump = save  # lsh-rs's name

    def commit(self):
        """With in_mem=False, writes the file `db_path`, as storing does by itself; to be called after other changes."""
        if not self.in_mem and self._tables is not None:
            self.save(self.db_path)

    def clean(self):
        """With in_mem=False, removes the file `db_path`."""
        if not self.in_mem and os.path.exists(self.db_path):
            os.remove(self.db_path)

    def init_transaction(self):
        """Does nothing; floky's is of SQLite, as are `index` and `to_mem`."""

    def index(self):
        """Does nothing."""

    def to_mem(self, pages_per_step=100):
        """Does nothing: tables are in memory.

        Parameters
        ----------
        pages_per_step : int
            Has no effect.
        """

    def _tables_of(self, rows):
        return annulus.LSHIndex(rows, **self._options(), progress=self.log) if len(rows) else None

    def _keep(self, rows):
        """What the tables have taken."""
        self._rows.append(rows)
        self.commit()

    def _take(self, other):
        self.__dict__.update(other.__dict__, db_path=self.db_path, in_mem=self.in_mem, log=self.log)

    def _parameters(self):
        return {
            "kind": type(self).__name__,
            "n_projections": self.n_projection,
            "n_hash_tables": self.n_hash_tables,
            "dim": self.dim,
            "seed": self.seed,
            "erased": sorted(self._erased),
            "budget": self._budget,
        }

    def _options(self):
        """Of the index. As in floky, a seed of 0 is another one each time."""
        seed = self.seed or int.from_bytes(os.urandom(8), "little")
        return {"n_projections": self.n_projection, "n_tables": self.n_hash_tables, "seed": seed}

    def _n_probes(self):
        """Of all tables together; 0 for the query's own buckets."""
        return self.n_hash_tables * (1 + self._budget) if self._budget else 0

    def _checked(self, rows, name, one=False):
        rows = rows_of(rows, name, one)
        if rows.shape[1] != self.dim:
            raise ValueError(f"{name} has {rows.shape[1]} dimensions, must have {self.dim}")
        return rows

    def _check_filled(self):
        if self._tables is None:
            raise ValueError("there are no rows yet: call fit first")

    def __repr__(self):
        sizes = f"n_projections={self.n_projection}, n_hash_tables={self.n_hash_tables}, n={len(self)}"
        return f"{type(self).__name__}({sizes})"


class L2(Tables):
    """Hash tables for the Euclidean distance: places along Gaussian directions, in steps of `r` (Datar et al. 2004).

    Parameters
    ----------
    n_projections : int
        Hash values of a table, K in the literature.
    n_hash_tables : int
        L in the literature.
    dim : int, default 10
        Dimension of the rows; `fit` takes it from its data.
    r : float, default 4.0
        Width of a bucket, W in the literature; about 4 for data divided by the distance that is looked for.
    seed : int, default 0
        Of the hash functions; 0: others each time.
    db_path : str, default "./lsh.db3"
        The file of in_mem=False.
    in_mem : bool, default True
        False: what is stored is also written to the file `db_path`, and read from it where it exists.
    log : bool, default True
        Whether progress is shown.
    """

    def __init__(
        self, n_projections, n_hash_tables, dim=10, r=4.0, seed=0, db_path="./lsh.db3", in_mem=True, log=True
    ):
        self.r = r
        super().__init__(n_projections, n_hash_tables, dim, seed, db_path, in_mem, log)

    def _options(self):
        return {**super()._options(), "metric": "euclidean", "family": "p_stable_l2", "width": self.r}

    def _parameters(self):
        return {**super()._parameters(), "r": self.r}

    @staticmethod
    def _as_floky(distances):
        return distances


class SRP(Tables):
    """Hash tables for the cosine: on which side of random hyperplanes a row lies (Charikar 2002).

    Parameters
    ----------
    n_projections : int
        Hash values of a table, at most 64.
    n_hash_tables, dim, seed, db_path, in_mem, log
        As of `L2`.
    """

    def __init__(self, n_projections, n_hash_tables, dim=10, seed=0, db_path="./lsh.db3", in_mem=True, log=True):
        super().__init__(n_projections, n_hash_tables, dim, seed, db_path, in_mem, log)

    def _options(self):
        return {**super()._options(), "metric": "cosine", "family": "sign_random_projection"}

    @staticmethod
    def _as_floky(distances):
        return 1 - distances


def rows_of(rows, name, one=False):
    """Rows as float32 of (n, dim); a single one may come as (dim,), and has to where it is `one`."""
    rows = np.asarray(rows, dtype=np.float32)
    if rows.ndim == 1 and (one or rows.size):
        rows = rows[None]
    if rows.ndim != 2 or (one and len(rows) != 1):
        raise ValueError(f"{name} has the shape {rows.shape}, must have " + ("(dim,)" if one else "(n, dim)"))
    return np.ascontiguousarray(rows)


def bytes_of(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()

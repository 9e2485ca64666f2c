"""annulus.floky beside floky's documentation and notebook, its defects, and numpy."""

import copy
import os
import pickle

import numpy as np
import pytest

import annulus
from annulus.floky import L2, SRP, QueryResult, stats


def blobs(n, dim, seed=1, spread=0.3):
    """Clusters whose near rows are much nearer than others."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(2, n // 20), dim))
    return (centres[rng.integers(len(centres), size=n)] + spread * rng.standard_normal((n, dim))).astype(np.float32)


def euclidean(query, rows):
    return np.linalg.norm(rows - query, axis=1)


def cosine_similarity(query, rows):
    return rows @ query / (np.linalg.norm(rows, axis=1) * np.linalg.norm(query))


# Its documentation.


def test_getting_started():
    rng = np.random.default_rng(0)
    lsh = SRP(n_projections=19, n_hash_tables=10)
    lsh.fit(rng.standard_normal((2000, 10)))
    results = lsh.predict(rng.standard_normal((100, 10)))
    assert len(results) == 100 and all(isinstance(result, QueryResult) for result in results)


def test_a_query_that_collides_with_nothing_has_empty_results():
    rng = np.random.default_rng(1)
    lsh = L2(n_projections=10, n_hash_tables=1, log=False, seed=1, r=0.01)
    lsh.fit(rng.standard_normal((1, 10)))
    assert lsh.predict(rng.standard_normal((1, 10)))[0] == QueryResult([], [], 0, [])


def test_rows_scaled_by_the_distance_looked_for():
    rows = blobs(3000, 10)
    distances = np.sort(np.stack([euclidean(row, rows) for row in rows[:50]]), axis=1)
    rows = rows / distances[:, 1:5].mean()
    lsh = L2(n_projections=10, n_hash_tables=1, log=False, seed=1, r=4.0)
    lsh.fit(rows)
    results = lsh.predict(rows[:50], only_index=True, top_k=5)
    assert all(result.vectors is None and len(result.index) <= 5 for result in results)
    assert np.mean([result.n_collisions for result in results]) < 1000


def notebook_recall(lsh, rows, nearest, n_queries):
    """As floky's notebook counts: is the nearest other row among the six best, the row itself left out?"""
    results = lsh.predict(rows[:n_queries], only_index=True, top_k=6)
    hits = [nearest[i] in result.index[1:] for i, result in enumerate(results)]
    return np.mean(hits), np.mean([result.n_collisions for result in results])


def test_the_notebook():
    rows, n_queries = blobs(4000, 32), 100
    distances = np.stack([euclidean(row, rows) for row in rows[:n_queries]])
    rows = rows / (distances.mean() / 2.5)
    nearest = distances.argsort(axis=1)[:, 1]
    by_tables = []
    for n_tables in (1, 5, 20):
        lsh = L2(15, n_tables, seed=3, log=False)
        lsh.fit(rows)
        by_tables.append(notebook_recall(lsh, rows, nearest, n_queries))
    (recalls, collisions) = zip(*by_tables)
    assert recalls[0] < recalls[1] < recalls[2] and collisions[0] < collisions[1] < collisions[2]

    lsh = L2(15, 5, seed=3, log=False)
    lsh.fit(rows)
    before = notebook_recall(lsh, rows, nearest, n_queries)
    lsh.multi_probe(20)
    probed = notebook_recall(lsh, rows, nearest, n_queries)
    assert probed[0] > before[0] and probed[1] > before[1] and probed[0] > 0.9
    lsh.base()
    assert notebook_recall(lsh, rows, nearest, n_queries) == before


# Results.


@pytest.mark.parametrize("kind", [L2, SRP])
def test_results_are_the_nearest_of_those_that_collide(kind):
    rows, queries = np.split(blobs(2030, 16), [2000])
    lsh = kind(8, 6, seed=5, log=False)
    lsh.fit(rows)
    for query, result in zip(queries, lsh.predict(queries, top_k=7)):
        collided = lsh.query_bucket_idx(query)
        assert result.n_collisions == len(collided) == len(set(collided))
        assert len(result.index) == min(7, len(collided))
        if not collided:
            continue
        order = euclidean(query, rows[collided]) if kind is L2 else -cosine_similarity(query, rows[collided])
        expected = np.sort(order)[:7]
        np.testing.assert_allclose(result.distances if kind is L2 else -result.distances, expected, atol=1e-4)
        np.testing.assert_array_equal(result.vectors, rows[result.index])
        np.testing.assert_array_equal(lsh.query_bucket(query), rows[collided])


def test_cosine_results_are_similarities_greatest_first():
    rows = blobs(500, 8)
    lsh = SRP(4, 10, seed=1, log=False)
    lsh.fit(rows)
    result = lsh.predict(rows[3], top_k=3)[0]
    assert result.index[0] == 3 and result.distances[0] == pytest.approx(1)
    assert (np.diff(result.distances) <= 1e-6).all()


@pytest.mark.parametrize("kind", [L2, SRP])
def test_shapes_and_types_that_queries_may_have(kind):
    rows = blobs(300, 6)
    lsh = kind(4, 4, seed=2, log=False)
    lsh.fit(rows.tolist())
    one = lsh.predict(rows[0])
    for query in (rows[0].astype(np.float64), rows[:1], rows[0].tolist(), [rows[0].tolist()]):
        np.testing.assert_array_equal(lsh.predict(query)[0].index, one[0].index)
    assert lsh.predict(np.empty((0, 6))) == []
    assert lsh.data.dtype == np.float32 and lsh.data.shape == (300, 6)


def test_bound_limits_what_is_compared():
    rows = blobs(2000, 8)
    lsh = L2(2, 20, seed=4, log=False, r=8.0)
    lsh.fit(rows)
    all_compared, some = lsh.predict(rows[:50], top_k=5), lsh.predict(rows[:50], top_k=5, bound=20)
    assert all(few.n_collisions == every.n_collisions for few, every in zip(some, all_compared))
    found = [np.mean([result.distances.mean() for result in results]) for results in (all_compared, some)]
    assert found[0] < found[1]


# What the reference does wrong.


@pytest.mark.parametrize("kind", [L2, SRP])
def test_probes_find_more_rows(kind):
    rows, queries = np.split(blobs(3060, 24), [3000])
    lsh = kind(12, 3, seed=6, log=False)
    lsh.fit(rows)
    collided = []
    for budget in (0, 5, 40):
        lsh.multi_probe(budget)
        collided.append(sum(result.n_collisions for result in lsh.predict(queries, only_index=True)))
    assert collided[0] < collided[1] < collided[2]


@pytest.mark.parametrize("kind", [L2, SRP])
def test_probes_beyond_all_buckets_are_no_error(kind):
    rows = blobs(200, 4)
    lsh = kind(2, 2, seed=6, log=False)
    lsh.fit(rows)
    lsh.multi_probe(10_000)
    assert lsh.predict(rows[:3])[0].index[0] == 0


def test_rows_stored_in_parts_are_in_all_tables():
    rows = blobs(1500, 16)
    whole, parts = (SRP(10, 8, dim=16, seed=7, log=False) for _ in range(2))
    whole.store_vecs(rows)
    for first in range(0, 1500, 400):
        parts.store_vecs(rows[first : first + 400])
    for query in rows[::100]:
        assert sorted(whole.query_bucket_idx(query)) == sorted(parts.query_bucket_idx(query))


def test_rows_can_be_stored_one_at_a_time():
    rows = blobs(40, 5)
    lsh = L2(3, 4, dim=5, seed=1, log=False)
    for row in rows:
        lsh.store_vec(row)
    assert len(lsh) == 40
    np.testing.assert_array_equal(lsh.data, rows)
    assert all(result.index[0] == i for i, result in enumerate(lsh.predict(rows)))


@pytest.mark.parametrize("kind", [L2, SRP])
def test_deleted_rows_are_gone(kind):
    rows = blobs(300, 6)
    rows[7] = rows[5]
    lsh = kind(3, 6, seed=2, log=False)
    lsh.fit(rows)
    assert {5, 7} <= set(lsh.query_bucket_idx(rows[5]))
    assert lsh.delete_vec(rows[5]) == 2 and len(lsh) == 298
    assert not {5, 7} & set(lsh.query_bucket_idx(rows[5]))
    assert not {5, 7} & set(lsh.predict(rows[5], top_k=300)[0].index)
    assert lsh.delete_vec(rows[5]) == 0
    lsh.delete(11)
    assert 11 not in lsh.query_bucket_idx(rows[11]) and len(lsh) == 297
    with pytest.raises(ValueError):
        lsh.delete(11)
    with pytest.raises(ValueError):
        lsh.delete(300)


@pytest.mark.parametrize("kind", [L2, SRP])
def test_updated_rows_are_found_where_they_are_now(kind):
    rows = blobs(300, 6)
    lsh = kind(3, 6, seed=2, log=False)
    lsh.fit(rows)
    moved = blobs(1, 6, seed=99)[0] * 3
    lsh.update(4, moved)
    result = lsh.predict(moved)[0]
    assert result.index[0] == 4
    np.testing.assert_array_equal(result.vectors[0], moved)
    lsh.update_by_idx(4, rows[4], moved)
    assert lsh.predict(rows[4])[0].index[0] == 4


def test_a_change_that_fails_changes_nothing():
    rows = blobs(100, 6)
    lsh = L2(3, 6, seed=2, log=False)
    lsh.fit(rows)
    bad = rows[:3].copy()
    bad[1, 2] = np.nan
    for change in (
        lambda: lsh.store_vecs(bad),
        lambda: lsh.update(3, bad[1]),
        lambda: lsh.update(100, rows[0]),
        lambda: lsh.fit(bad),
    ):
        with pytest.raises(ValueError):
            change()
    np.testing.assert_array_equal(lsh.data, rows)
    assert len(lsh) == 100 and lsh.predict(rows[3])[0].index[0] == 3


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda lsh, rows: lsh.predict(rows[:, :4]), "4 dimensions"),
        (lambda lsh, rows: lsh.predict(rows[0, :4]), "4 dimensions"),
        (lambda lsh, rows: lsh.query_bucket_idx(rows[0, :4]), "4 dimensions"),
        (lambda lsh, rows: lsh.store_vec(rows[0, :4]), "4 dimensions"),
        (lambda lsh, rows: lsh.delete_vec(rows[0, :4]), "4 dimensions"),
        (lambda lsh, rows: lsh.store_vec(rows), "shape"),
        (lambda lsh, rows: lsh.predict(rows[None]), "shape"),
        (lambda lsh, rows: lsh.predict(rows, top_k=0), "top_k"),
        (lambda lsh, rows: lsh.predict(rows, bound=0), "bound"),
        (lambda lsh, rows: lsh.multi_probe(-1), "budget"),
    ],
)
def test_errors_say_what_is_wrong(wrong, words):
    rows = blobs(100, 6)
    lsh = L2(3, 6, seed=2, log=False)
    lsh.fit(rows)
    with pytest.raises(ValueError, match=words):
        wrong(lsh, rows)


def test_a_query_of_nan_finds_nothing():
    lsh = L2(3, 6, seed=2, log=False)
    lsh.fit(blobs(100, 6))
    assert lsh.predict(np.full(6, np.nan))[0] == QueryResult([], [], 0, [])


def test_before_fit_there_is_nothing_to_find():
    lsh = SRP(3, 4, dim=6, log=False)
    assert lsh.query_bucket_idx(np.ones(6)) == [] and lsh.query_bucket(np.ones(6)) == [] and lsh.data is None
    for call in (lambda: lsh.predict(np.ones(6)), lambda: lsh.delete(0), lambda: lsh.save("nowhere")):
        with pytest.raises(ValueError, match="fit"):
            call()
    with pytest.raises(ValueError):
        SRP(0, 4, log=False).fit(blobs(10, 3))


def test_fit_replaces_what_was_there():
    lsh = L2(3, 6, seed=2, log=False)
    lsh.fit(blobs(100, 6))
    lsh.delete(3)
    lsh.fit(blobs(50, 9))
    assert lsh.dim == 9 and len(lsh) == 50 and lsh.data.shape == (50, 9)
    assert lsh.predict(lsh.data[3])[0].index[0] == 3


def test_a_seed_repeats_and_zero_does_not():
    rows = blobs(500, 8)

    def collided(seed):
        lsh = L2(6, 3, seed=seed, log=False)
        lsh.fit(rows)
        return [result.n_collisions for result in lsh.predict(rows[:50])]

    assert collided(9) == collided(9) and collided(9) != collided(10) and collided(0) != collided(0)


# Files.


@pytest.mark.parametrize("kind", [L2, SRP])
def test_save_and_load(kind, tmp_path):
    rows = blobs(400, 8)
    lsh = kind(4, 5, seed=3, log=False)
    lsh.fit(rows)
    lsh.multi_probe(3)
    lsh.delete(7)
    lsh.update(9, rows[0] + 0.01)
    path = tmp_path / "tables.lsh"
    lsh.save(path)
    lsh.save(path)  # over the old file
    read = kind.load(path)
    assert [p.name for p in tmp_path.iterdir()] == ["tables.lsh"]
    for other in (read, pickle.loads(pickle.dumps(lsh)), copy.deepcopy(lsh)):
        assert (len(other), other.dim, other.n_hash_tables, other.seed) == (399, 8, 5, 3)
        for expected, found in zip(lsh.predict(rows[:40]), other.predict(rows[:40])):
            np.testing.assert_array_equal(found.index, expected.index)
            assert found.n_collisions == expected.n_collisions
        other.store_vec(rows[1])
        assert len(other.data) == 401 and 400 in other.query_bucket_idx(rows[1])
    with pytest.raises(ValueError, match=kind.__name__):
        (SRP if kind is L2 else L2).load(path)


def test_a_damaged_file_is_an_error(tmp_path):
    lsh = L2(4, 5, seed=3, log=False)
    lsh.fit(blobs(400, 8))
    path = tmp_path / "tables.lsh"
    lsh.save(path)
    content = path.read_bytes()
    of_first = content.index(b"PK\x01\x02") + 10  # how its bytes are compressed: by no method that there is
    for damaged in (content[:-200], content[:of_first] + b"\x63" + content[of_first + 1 :]):
        path.write_bytes(damaged)
        with pytest.raises(annulus.FormatError, match="damaged"):
            L2.load(path)


def test_files_may_be_named_by_bytes(tmp_path):
    lsh = L2(4, 5, seed=3, log=False)
    lsh.fit(blobs(40, 8))
    lsh.save(os.fsencode(tmp_path / "tables.lsh"))
    assert len(L2.load(tmp_path / "tables.lsh")) == 40
    with pytest.raises(OSError):
        L2.load(tmp_path / "none")


def test_a_database_file_is_kept_and_read_again(tmp_path):
    rows, path = blobs(300, 6), str(tmp_path / "lsh.db3")
    lsh = L2(3, 4, seed=5, log=False, in_mem=False, db_path=path)
    lsh.fit(rows)
    again = L2(3, 4, dim=6, seed=5, log=False, in_mem=False, db_path=path)
    assert len(again) == 300 and again.predict(rows[3])[0].index[0] == 3
    again.store_vec(rows[4])
    assert again.query_bucket_idx(rows[4])[-1] == 300 or 300 in again.query_bucket_idx(rows[4])  # no id twice
    again.clean()
    assert not (tmp_path / "lsh.db3").exists()


def test_describe_prints_buckets(capsys):
    lsh = L2(3, 4, seed=5, log=False)
    lsh.fit(blobs(300, 6))
    lsh.describe()
    out = capsys.readouterr().out
    for words in ("No. of tables: 4", "Rows: 300", "avg", "std-dev", "min", "max"):
        assert words in out


def test_nothing_is_printed_without_log(capsys):
    lsh = L2(3, 4, seed=5, log=False)
    lsh.fit(blobs(300, 6))
    lsh.predict(lsh.data[:5])
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == ""


# Probabilities.


def test_collision_probabilities():
    # Datar and others 2004, width 4.
    assert stats.collision_prob_l2(4, 1) == pytest.approx(0.800532, abs=1e-6)
    assert stats.collision_prob_l2(4, 2) == pytest.approx(0.609548, abs=1e-6)
    assert stats.collision_prob_l2(4, 0) == 1
    assert stats.collision_prob_cosine(1) == 1 and stats.collision_prob_cosine(0) == pytest.approx(0.5)
    assert stats.collision_prob_cosine(1 + 1e-7) == 1
    assert stats.det_prob_query(0.5, 2, 3) == pytest.approx(1 - 0.75**3)


def test_rows_collide_as_often_as_they_should():
    rng = np.random.default_rng(4)
    rows = rng.standard_normal((400, 20)).astype(np.float32)
    step = rng.standard_normal((400, 20)).astype(np.float32)
    queries = rows + 2 * step / np.linalg.norm(step, axis=1, keepdims=True)  # all at the distance 2
    lsh = L2(2, 3, seed=8, log=False)
    lsh.fit(rows)
    found = np.mean([i in lsh.query_bucket_idx(query) for i, query in enumerate(queries)])
    expected = stats.det_prob_query(stats.collision_prob_l2(4, 2), 2, 3)
    assert found == pytest.approx(expected, abs=0.08)

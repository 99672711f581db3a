"""Nearest windows: exactly those that a plain product and a full sort find, and where in which recording they are."""

from __future__ import annotations

import sys
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirdemo.backbones import load_backbone
from mirdemo.embedding.rows import FileRows, RowFolder
from mirdemo.search import find, lengths_of, nearest, similarity_to_any
from mirdemo.search.nearest import BLOCK, rough_similarity_to_any

nearest_module = sys.modules["mirdemo.search.nearest"]  # its name in the package is the function's


def plain(rows: np.ndarray, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """In double precision, everything at once."""
    rows, queries = np.asarray(rows, float), np.atleast_2d(np.asarray(queries, float))
    with np.errstate(all="ignore"):
        cosines = (queries / np.linalg.norm(queries, axis=1, keepdims=True)) @ (
            rows / np.linalg.norm(rows, axis=1, keepdims=True)
        ).T
    cosines = np.where(np.isfinite(cosines), cosines, -1).round(12)
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
    return order, np.take_along_axis(cosines, order, axis=1)


@pytest.mark.parametrize("n", [1, 7, BLOCK, 3 * BLOCK + 5, 17 * BLOCK + 5])
@pytest.mark.parametrize("count", [1, 10])
def test_they_are_those_of_a_plain_product_and_a_sort(n: int, count: int):
    rng = np.random.default_rng(n)
    rows = rng.standard_normal((n, 24)).astype(np.float32) + 1
    queries = rng.standard_normal((5, 24))
    places, cosines = nearest(rows, queries, count)
    expected, values = plain(rows, queries, count)
    np.testing.assert_array_equal(places, expected)
    np.testing.assert_allclose(cosines, values, atol=1e-12)
    np.testing.assert_array_equal(nearest(rows, queries, count, lengths=lengths_of(rows))[0], expected)
    np.testing.assert_allclose(
        similarity_to_any(rows, queries),
        [max(column) for column in zip(*[_cosines(rows, q) for q in queries], strict=True)],
        atol=1e-6,
    )


@pytest.fixture
def sieving(monkeypatch: pytest.MonkeyPatch):
    """As on a processor that multiplies bfloat16. Gives what each look let through: None where all was computed."""
    let: list[int | None] = []
    sieved = nearest_module._Product.sieved

    def told(self, start: int, worst: np.ndarray, kept: int):
        found = sieved(self, start, worst, kept)
        let.append(None if found is None else sum(len(new) for _, new, _ in found))
        return found

    monkeypatch.setattr(nearest_module, "_multiplies_bfloat16", lambda: True)
    monkeypatch.setattr(nearest_module._Product, "sieved", told)
    return let


def _near(rng: np.random.Generator, n: int) -> np.ndarray:
    """Rows so alike that bfloat16 does not tell them apart."""
    return (1 + 3e-2 * rng.standard_normal((n, 48))).astype(np.float32)


def _odd(rng: np.random.Generator, n: int) -> np.ndarray:
    """Among plain rows some of zeros, of no number, beyond the range of products, and many times the same."""
    rows = rng.standard_normal((n, 48)).astype(np.float32)
    rows[::97] = rows[1]
    rows[5::211], rows[7::211, 3], rows[9::211, 4] = 0, np.nan, np.inf
    rows[11::211] *= np.float32(1e-30)
    rows[13::211] *= np.float32(1e17)
    return rows


def _apart(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.standard_normal((n, 48)).astype(np.float32) * rng.lognormal(0, 3, (n, 1)).astype(np.float32)


@pytest.mark.parametrize(("make", "lets"), [(_apart, "few"), (_odd, "few"), (_near, "none")])
@pytest.mark.parametrize("told", [False, True])
def test_a_sieve_of_half_the_digits_loses_none(
    sieving: list, make, lets: str, told: bool, monkeypatch: pytest.MonkeyPatch
):
    rng = np.random.default_rng(3)
    if make is _apart:  # where no two are equal, the spare ones hide no loss
        monkeypatch.setattr(nearest_module, "SPARE", 0)
    rows = make(rng, 90 * BLOCK + 77)
    queries = np.vstack([rng.standard_normal((6, 48)), np.ones(48)])
    lengths = lengths_of(rows) if told else None
    places, cosines = nearest(rows, queries, 10, lengths=lengths, alone=True)
    expected, values = plain(rows, queries, 10)
    np.testing.assert_allclose(cosines, values, atol=1e-9)
    np.testing.assert_array_equal(places, expected)
    through = [one for one in sieving if one is not None]
    if lets == "few":
        assert len(through) >= 3
        assert np.median(through) < 0.05 * len(rows)
    else:
        assert len(through) < len(sieving) / 2


def test_rows_whose_length_is_said_to_be_none_are_like_nothing(sieving: list):
    """As an index leaves out what it is to be asked for."""
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((40 * BLOCK, 48)).astype(np.float32)
    lengths, left_out = lengths_of(rows), np.arange(5, len(rows), 997)
    lengths[left_out] = np.nan
    places, cosines = nearest(rows, rows[left_out], 3, lengths=lengths, alone=True)
    assert not np.isin(places, left_out).any()
    np.testing.assert_array_equal(places, nearest(rows, rows[left_out], 3, lengths=lengths)[0])
    assert cosines.max() < 0.99


def test_torch_is_set_to_round_only_where_nothing_else_multiplies_and_put_back(
    sieving: list, monkeypatch: pytest.MonkeyPatch
):
    torch = pytest.importorskip("torch")
    product, during = torch.mm, []

    def watched(*of, out):
        during.append(torch.backends.mkldnn.matmul.fp32_precision)
        return product(*of, out=out)

    monkeypatch.setattr(torch, "mm", watched)
    before = torch.backends.mkldnn.matmul.fp32_precision
    rows = np.random.default_rng(0).standard_normal((20 * BLOCK, 48)).astype(np.float32)
    nearest(rows, rows[:3], 5)
    assert set(during) == {before}
    with pytest.raises(KeyboardInterrupt):
        nearest(rows, rows[:3], 5, alone=True, progress=_stop_at_once)
    during.clear()
    nearest(rows, rows[:3], 5, alone=True)
    assert set(during) == {"bf16"}
    assert torch.backends.mkldnn.matmul.fp32_precision == before


def test_a_row_of_no_numbers_hides_none_beside_it(sieving: list, monkeypatch: pytest.MonkeyPatch):
    """As products of bfloat16 come with AMX where rows are no multiple of 32 numbers long (torch 2.11; findings/rows_beside_nan_on_amx.sh)."""
    torch = pytest.importorskip("torch")
    product, spoilt = torch.mm, []

    def as_with_amx(block, columns, *, out):
        product(block, columns, out=out)
        before = (~block.isfinite().all(1)).nonzero()[:, 0] - 1
        out[before[before >= 0]] = float("nan")
        spoilt.append(len(before))

    monkeypatch.setattr(torch, "mm", as_with_amx)
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((40 * BLOCK, 48)).astype(np.float32)
    queries = rng.standard_normal((3, 48))
    near = np.arange(30 * BLOCK, 30 * BLOCK + 30, 3)
    rows[near], rows[near + 1, 5] = queries[0] + 0.1 * rng.standard_normal((10, 48)), np.nan
    places, _ = nearest(rows, queries, 10, alone=True)
    assert sum(spoilt) >= 10
    assert set(places[0]) == set(near)
    np.testing.assert_array_equal(places, plain(rows, queries, 10)[0])
    roughly, _ = rough_similarity_to_any(rows, queries, alone=True)
    assert np.isinf(roughly[near]).all()
    assert np.isinf(roughly[near + 1]).all()


@pytest.mark.parametrize("size", [3, 48, 768])
def test_no_rounded_product_is_farther_off_than_is_reckoned_with(sieving: list, size: int):
    """On a processor that rounds; on others products are nearer."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    # Halfway between two neighbours, all rounded the same way, is the worst there is.
    halfway = (1 + 2.0**-8 - 2.0**-20) * np.ones((64, size))
    rows = np.vstack([rng.standard_normal((20 * BLOCK, size)), halfway, 3 * halfway]).astype(np.float32)
    queries = np.vstack([rng.standard_normal((5, size)), np.ones(size), halfway[:1]])
    exact = np.array([_cosines(rows, query) for query in queries]).T
    roughly, off = rough_similarity_to_any(rows, queries, alone=True)
    assert np.abs(roughly - exact.max(axis=1)).max() < off
    # The same by hand, whatever this processor does.
    asked = torch.from_numpy(nearest_module._checked(rows, queries).T.copy()).to(torch.bfloat16).double()
    by_hand = torch.from_numpy(rows).to(torch.bfloat16).double() @ asked
    by_hand /= torch.from_numpy(lengths_of(rows)).double()[:, None]
    assert 0.3 * off < np.abs(by_hand.numpy() - exact).max() < off  # and not much nearer than that


def _cosines(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    order, values = plain(rows, query, len(rows))
    return values[0][np.argsort(order[0])]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 16), st.integers(1, 20), st.sampled_from([1e-20, 1.0, 1e18]))
def test_equal_rows_come_in_their_order_whatever_their_scale(seed: int, n: int, count: int, scale: float):
    rng = np.random.default_rng(seed)
    rows = (rng.integers(-1, 2, (n, 3)) * scale).astype(np.float32)
    query = rng.integers(-1, 2, 3) + 0.5
    places, cosines = nearest(rows, query, count)
    expected, values = plain(rows, query, count)
    np.testing.assert_allclose(cosines, values, atol=1e-9)
    assert [round(float(value), 9) for value in cosines[0]] == sorted(
        (round(float(value), 9) for value in cosines[0]), reverse=True
    )
    np.testing.assert_array_equal(places, expected)


def test_what_is_no_number_is_like_nothing():
    rows = np.array([[1, 0], [np.nan, 1], [0, 0], [np.inf, 1], [1, 1]], np.float32)
    places, cosines = nearest(rows, np.array([1.0, 0.0]), 5)
    assert places[0][:2].tolist() == [0, 4]
    assert (cosines[0][2:] == -1).all()
    assert (nearest(rows, np.zeros(2), 2)[1] == -1).all()
    for wrong in (np.zeros(3), np.zeros((2, 3))):
        with pytest.raises(ValueError, match="fit"):
            nearest(rows, wrong, 1)


def test_no_rows_and_none_asked_for():
    assert nearest(np.zeros((0, 4), np.float32), np.ones(4), 3)[0].shape == (1, 0)
    assert nearest(np.ones((4, 4), np.float32), np.ones(4), 0)[0].shape == (1, 0)
    assert similarity_to_any(np.zeros((0, 4), np.float32), np.ones(4)).shape == (0,)


def test_it_needs_little_memory_beside_the_rows():
    rows = np.random.default_rng(0).standard_normal((100 * BLOCK, 64)).astype(np.float32)
    tracemalloc.start()
    nearest(rows, rows[:32], 10)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 0.2 * rows.nbytes


def test_lanes_are_told_of_together_and_end_together(monkeypatch: pytest.MonkeyPatch):
    rows, told = np.random.default_rng(0).standard_normal((200 * BLOCK, 8)).astype(np.float32), []
    monkeypatch.setattr("torch.get_num_threads", lambda: 3)
    places, _ = nearest(rows, rows[[5, -5]], 1, progress=lambda *step: told.append(step))
    assert places.ravel().tolist() == [5, len(rows) - 5]
    assert told[-1] == (len(rows), len(rows), "searching")
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    with pytest.raises(KeyboardInterrupt):
        nearest(rows, rows[:2], 1, progress=_stop_at_once)
    assert not [one for one in threading.enumerate() if one.name.startswith("mirdemo-lane")]


def _stop_at_once(done: int, total: int, phase: str) -> None:
    raise KeyboardInterrupt


def test_a_search_can_be_stopped():
    def stop(done: int, total: int, phase: str) -> None:
        assert phase == "searching"
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nearest(np.ones((20 * BLOCK, 4), np.float32), np.ones(4), 1, progress=stop)


@pytest.fixture
def folder(tmp_path):
    """Three recordings: two windows, one, three; the last was written twice, the first time with other sound."""
    identity = load_backbone("mini-world").identity
    with RowFolder.writing(tmp_path / "r", identity, {"x": 2}, "window") as rows:
        for path, sha, content in (
            ("c.wav", "0", [[1, 0]]),
            ("a.wav", "1", [[1, 0.2], [0, 1]]),
            ("b.wav", "2", [[1, 0.1]]),
            ("c.wav", "3", [[-1, 0], [1, 0.1], [0, -1]]),
        ):
            starts = tuple(10.0 * i for i in range(len(content)))
            line = FileRows(path, "s", 0, len(content), sha, starts, 10.0 * len(content) - 5)
            rows.append(line, {"x": np.array(content, np.float32)})
    return RowFolder.reading(tmp_path / "r")


def test_each_file_once_by_its_nearest_window_with_where_that_is(folder):
    hits = find(folder, "x", np.array([[1.0, 0.1]]), 10)
    assert [(hit.file, hit.start, hit.end) for hit in hits] == [
        ("c.wav", 10.0, 20.0), ("b.wav", 0.0, 5.0), ("a.wav", 0.0, 10.0),
    ]  # fmt: skip
    assert hits[0].cosine == pytest.approx(1)
    every = find(folder, "x", np.array([[1.0, 0.1], [0.0, -1.0]]), 4, every_window=True)
    assert [(hit.file, hit.start) for hit in every] == [
        ("c.wav", 10.0), ("c.wav", 20.0), ("b.wav", 0.0), ("a.wav", 0.0),
    ]  # fmt: skip
    assert every[1].end == 25.0


def test_the_query_itself_and_files_that_were_not_asked_for_do_not_count(folder):
    query = np.array([[1.0, 0.1]])
    assert [hit.file for hit in find(folder, "x", query, 10, leave_out=["3"])] == ["b.wav", "a.wav"]
    assert [hit.file for hit in find(folder, "x", query, 10, files=["a.wav", "gone.wav"])] == ["a.wav"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory):
    """Recordings of one to forty windows, in rows that bfloat16 hardly tells apart, some windows many times the same."""
    rng, first, path = np.random.default_rng(5), 0, tmp_path_factory.mktemp("archive")
    identity = load_backbone("mini-world").identity
    with RowFolder.writing(path, identity, {"x": 48}, "window") as rows:
        for number in range(900):
            count = int(rng.integers(1, 41))
            content = (1 + 0.05 * rng.standard_normal((count, 48))).astype(np.float32)
            content[rng.random(count) < 0.1] = 1
            content[rng.random(count) < 0.01] = np.nan
            starts = tuple(10.0 * i for i in range(count))
            rows.append(
                FileRows(f"{number}.wav", "s", 0, count, str(number), starts, 10.0 * count), {"x": content}
            )
            first += count
    assert first > 16 * BLOCK
    return RowFolder.reading(path)


@pytest.mark.parametrize("every_window", [False, True])
@pytest.mark.parametrize("count", [1, 10, 2000])
@pytest.mark.parametrize("alone", [False, True])
def test_what_is_found_is_what_comparing_all_would_find(
    sieving: list, archive: RowFolder, every_window: bool, count: int, alone: bool
):
    rng = np.random.default_rng(6)
    queries = np.vstack([1 + 0.05 * rng.standard_normal((3, 48)), np.ones(48)])
    files = [name for name in archive.files if name != "7.wav"]
    found = find(
        archive, "x", queries, count, files=files, leave_out=["11"], every_window=every_window, alone=alone
    )
    exact = np.max([_cosines(archive.matrix("x"), query) for query in queries], axis=0)
    expected = []
    for number, name in enumerate(files):
        line = archive.files[name]
        if name != "11.wav":
            own = exact[line.first : line.first + line.count]
            chosen = range(line.count) if every_window else [int(own.argmax())]
            expected += [(-own[i], number, i) for i in chosen]
    expected = sorted(expected)[:count]
    assert [(hit.file, hit.start) for hit in found] == [
        (files[number], 10.0 * i) for _, number, i in expected
    ]
    np.testing.assert_allclose(
        [-hit.cosine for hit in found], [cosine for cosine, _, _ in expected], atol=1e-11
    )

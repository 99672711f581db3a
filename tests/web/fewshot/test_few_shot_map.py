"""The map: a plane of the clips' greatest differences, and prototypes that stand for tags."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mirdemo.web.tabs.fewshot import charts
from mirdemo.web.tabs.fewshot.labels import box_of, name_places, overlap
from mirdemo.web.tabs.fewshot.placing import Plane, stars

ROWS = arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 6)), elements=st.floats(-5, 5))


@given(ROWS)
def test_axes_are_orthonormal_or_missing_and_shares_are_of_the_whole(rows):
    plane = Plane.of(rows)
    gram = plane.axes @ plane.axes.T
    lengths = np.diag(gram)
    np.testing.assert_allclose(lengths, np.round(lengths), atol=1e-6)
    assert abs(gram[0, 1]) < 1e-6
    assert 0 <= plane.share.sum() <= 1 + 1e-9
    assert plane.share[0] >= plane.share[1]
    assert (plane.share[lengths < 0.5] == 0).all()
    assert plane.place(rows).shape == (len(rows), 2)


def test_places_keep_the_variance_they_say_and_do_not_depend_on_length():
    rows = np.random.default_rng(0).normal(size=(20, 5))
    plane = Plane.of(rows)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(plane.place(rows).var(axis=0), plane.share * unit.var(axis=0).sum())
    np.testing.assert_allclose(plane.place(3 * rows), plane.place(rows))
    np.testing.assert_allclose(Plane.of(rows[::-1]).place(rows), plane.place(rows))


def test_one_clip_or_equal_clips_are_at_the_centre():
    for rows in (np.ones((1, 4)), np.ones((3, 4)), np.zeros((2, 4))):
        assert (Plane.of(rows).place(rows) == 0).all()


PLOT = (300.0, 330.0)
INSIDE = st.tuples(st.floats(75, PLOT[0] - 75), st.floats(30, PLOT[1] - 30))


@given(INSIDE, INSIDE, st.sampled_from(["taiko", "shinobue", "太鼓"]))
def test_two_names_never_cover_each_other_nor_leave_the_plot_where_there_is_room(one, other, name):
    places = name_places([name, name], [one, other], [], PLOT)
    boxes = [box_of(name, *at, place) for at, place in zip((one, other), places, strict=True)]
    assert overlap(*boxes) == 0
    for box in boxes:
        assert overlap(box, (0, 0, *PLOT)) == pytest.approx(overlap(box, box))


def test_a_name_keeps_clear_of_marks():
    above = (100.0, 82.0)
    assert name_places(["kane"], [(100.0, 100.0)], [], PLOT) == ["top center"]
    (place,) = name_places(["kane"], [(100.0, 100.0)], [above], PLOT)
    assert overlap(box_of("kane", 100.0, 100.0, place), (93.0, 75.0, 107.0, 89.0)) == 0


def test_a_place_on_the_map_in_pixels_counts_from_the_top_left():
    corners = np.array([[1.0, 5.0], [3.0, 4.0]])
    pixels = charts._pixels(corners, [[1.0, 3.0], [4.0, 5.0]], PLOT)
    np.testing.assert_allclose(pixels, [(0, 0), PLOT])


@pytest.fixture
def built():
    """Three clips: a, a with b, and none."""
    from types import SimpleNamespace

    from mirdemo.stages.fewshot import LCPrototypes

    rows = np.array([[1.0, 0.0, 0.2], [0.6, 0.8, 0.0], [0.0, 0.1, 1.0]])
    labels = np.array([[1, 0], [1, 1], [0, 0]])
    return SimpleNamespace(rows=rows, prototypes=LCPrototypes().fit(rows, labels, tags=["a", "b"]))


def test_a_star_that_stands_for_a_whole_tag_is_named_after_it_and_knows_its_nearest_clip(built):
    found = {star.named: star for star in stars(built, Plane.of(built.rows))}
    assert set(found) == {("a",), ("b",), ()}
    assert found[("b",)].tags == ("a", "b")
    assert found[("b",)].clip == 1
    assert found[("a",)].clip in (0, 1)
    assert (found[()].tags, found[()].clip) == ((), 2)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bitlaw.inference.hull import convex_hull, hull_vector

SQUARE = np.array([[4.0, 6.0], [5.0, 6.0], [5.0, 8.0], [4.0, 8.0]])
GRID = st.integers(-20, 20).map(lambda value: value / 4)
CLOUDS = st.integers(1, 12).flatmap(lambda count: arrays(np.float64, (count, 2), elements=GRID))


def test_hull_of_a_grid_is_its_corners():
    grid = np.array([[n, d] for n in (4.0, 4.5, 5.0) for d in (6.0, 7.0, 8.0)])
    assert sorted(convex_hull(grid).tolist()) == sorted(SQUARE.tolist())


def test_hull_of_one_size_is_a_vertex_and_of_a_fixed_ratio_a_segment():
    assert convex_hull(np.full((3, 2), 5.0)).tolist() == [[5.0, 5.0]]
    n = np.log10([1e6, 7e6, 3e7, 1e9])
    ends = convex_hull(np.column_stack([n, n + np.log10(20)]))
    assert np.allclose(ends, [[6, 6 + np.log10(20)], [9, 9 + np.log10(20)]])


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.array([[1.0, np.nan]]), np.array([[1.0, np.inf]])])
def test_hull_needs_finite_points(points):
    with pytest.raises(ValueError, match="at least one point"):
        convex_hull(points)


@pytest.mark.parametrize(
    ("hull", "point", "vector"),
    [
        (SQUARE, [4.5, 7.0], [0, 0]),
        (SQUARE, [5.0, 7.0], [0, 0]),
        (SQUARE, [4.0, 6.0], [0, 0]),
        (SQUARE, [9.0, 12.0], [4, 4]),
        (SQUARE, [4.5, 5.5], [0, -0.5]),
        (SQUARE[[2, 0, 3, 1]], [4.5, 9.0], [0, 1]),
        (np.array([[5.0, 5.0]]), [5.0, 5.0], [0, 0]),
        (np.array([[5.0, 5.0]]), [6.0, 3.0], [1, -2]),
        (np.array([[0.0, 0.0], [2.0, 2.0]]), [1.0, 1.0], [0, 0]),
        (np.array([[0.0, 0.0], [2.0, 2.0]]), [2.0, 0.0], [1, -1]),
        (np.array([[0.0, 0.0], [2.0, 2.0]]), [4.0, 4.0], [2, 2]),
        (np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]), [4.0, 4.0], [2, 2]),
    ],
)
def test_vector_known_answers(hull, point, vector):
    assert hull_vector(hull, np.array([point])).tolist() == [vector]


@given(points=CLOUDS, weights=arrays(np.float64, 12, elements=st.floats(0.01, 1.0)))
def test_vector_is_zero_inside(points, weights):
    hull = convex_hull(points)
    inside = weights[: len(hull)] @ hull / weights[: len(hull)].sum()
    assert not hull_vector(hull, np.vstack([points, inside])).any()


@given(points=CLOUDS, angle=st.floats(0, 2 * np.pi), length=st.floats(0.01, 9.0))
def test_vector_has_the_right_length_outside(points, angle, length):
    """From the extreme vertex in a direction, going further that way leaves the hull by as much."""
    direction = np.array([np.cos(angle), np.sin(angle)])
    hull = convex_hull(points)
    extreme = hull[(hull @ direction).argmax()]
    vector = hull_vector(hull, (extreme + length * direction)[None])[0]
    assert np.allclose(vector, length * direction, atol=1e-7)


@given(points=CLOUDS, point=arrays(np.float64, 2, elements=GRID))
def test_going_back_along_the_vector_reaches_the_hull(points, point):
    hull = convex_hull(points)
    vector = hull_vector(hull, point[None])
    assert np.allclose(hull_vector(hull, point[None] - vector), 0, atol=1e-9)

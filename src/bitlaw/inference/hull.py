"""The convex hull of the fitted (log10 N, log10 D), and how far outside of it a point lies."""

from typing import Any

import numpy as np

_FLAT = 1e-9
"""Width of a hull relative to its length, and distance in decades, below which it counts as none."""


def convex_hull(points: np.ndarray) -> np.ndarray:
    """Vertices of the convex hull of points in the plane.

    Parameters
    ----------
    points
        Shape (points, 2), for example log10 of parameters and tokens.

    Returns
    -------
    numpy.ndarray
        Shape (vertices, 2), counter-clockwise. One vertex where all points coincide, the two ends
        where they lie on a line.

    Raises
    ------
    ValueError
        If there is no point, or one that is not finite.

    Examples
    --------
    >>> convex_hull(np.array([[0.0, 0.0], [2.0, 2.0], [1.0, 1.0]])).tolist()
    [[0.0, 0.0], [2.0, 2.0]]
    """
    points = np.unique(np.asarray(points, dtype=np.float64).reshape(-1, 2), axis=0)
    if not len(points) or not np.isfinite(points).all():
        raise ValueError("a convex hull needs at least one point, and finite coordinates")
    if len(points) == 1:
        return points
    centred = points - points.mean(axis=0)
    _, spread, axes = np.linalg.svd(centred, full_matrices=False)
    if len(points) == 2 or spread[1] <= _FLAT * spread[0]:
        along = centred @ axes[0]
        return points[np.sort([along.argmin(), along.argmax()])]
    from scipy.spatial import ConvexHull

    return points[ConvexHull(centred).vertices]


def hull_vector(hull: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The shortest vector from a convex hull to each point; zero inside.

    Parameters
    ----------
    hull
        Vertices, shape (vertices, 2), in any order; a single vertex and a segment are hulls too.
    points
        Shape (points, 2).

    Returns
    -------
    numpy.ndarray
        Shape (points, 2): with log10 coordinates, decades of parameters and decades of tokens.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> hull_vector(square, np.array([[0.5, 0.5], [3.0, 0.5], [2.0, -1.0]])).tolist()
    [[0.0, 0.0], [2.0, 0.0], [1.0, -1.0]]
    """
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    return np.stack(hull_parts(hull, points[:, 0], points[:, 1], np), axis=1)


def hull_parts(hull: np.ndarray, x: Any, y: Any, xp: Any) -> tuple[Any, Any]:
    """The two parts of that vector.

    Parameters
    ----------
    hull
        As for ``hull_vector``.
    x, y
        Coordinates of the points, of one shape.
    xp
        Array namespace.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> [float(part) for part in hull_parts(square, 2.0, -1.0, np)]
    [1.0, -1.0]
    """
    vertices = _counter_clockwise(np.asarray(hull, dtype=np.float64).reshape(-1, 2))
    nearest: Any = None
    for (at_x, at_y), (next_x, next_y) in zip(
        vertices.tolist(), np.roll(vertices, -1, axis=0).tolist(), strict=True
    ):
        along_x, along_y, from_x, from_y = next_x - at_x, next_y - at_y, x - at_x, y - at_y
        length = along_x**2 + along_y**2
        share = (from_x * along_x + from_y * along_y) / (length if length > 0 else 1.0)
        share = xp.minimum(xp.maximum(share, 0.0), 1.0)
        away_x, away_y = from_x - share * along_x, from_y - share * along_y
        distance, is_left = xp.hypot(away_x, away_y), along_x * from_y - along_y * from_x > 0
        if nearest is None:
            nearest, part_x, part_y, inside = distance, away_x, away_y, is_left
            continue
        nearer = distance < nearest
        part_x, part_y = xp.where(nearer, away_x, part_x), xp.where(nearer, away_y, part_y)
        nearest, inside = xp.minimum(distance, nearest), inside & is_left
    none = inside | (nearest <= _FLAT)
    return xp.where(none, 0.0, part_x), xp.where(none, 0.0, part_y)


def _counter_clockwise(vertices: np.ndarray) -> np.ndarray:
    centred = vertices - vertices.mean(axis=0)
    return vertices[np.argsort(np.arctan2(centred[:, 1], centred[:, 0]), kind="stable")]

"""The convex hull of the fitted (log10 N, log10 D), and how far outside of it a point lies."""

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
    vertices = _counter_clockwise(np.asarray(hull, dtype=np.float64).reshape(-1, 2))
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    edges = np.roll(vertices, -1, axis=0) - vertices
    from_vertex = points[:, None, :] - vertices
    length = (edges**2).sum(axis=1)
    share = (from_vertex * edges).sum(axis=2) / np.where(length > 0, length, 1.0)
    from_edge = from_vertex - np.clip(share, 0.0, 1.0)[:, :, None] * edges
    distance = np.hypot(from_edge[..., 0], from_edge[..., 1])
    nearest = distance.argmin(axis=1)
    vector = from_edge[np.arange(len(points)), nearest]
    inside = (distance.min(axis=1) <= _FLAT) | _strictly_inside(edges, from_vertex)
    return np.where(inside[:, None], 0.0, vector)


def _counter_clockwise(vertices: np.ndarray) -> np.ndarray:
    centred = vertices - vertices.mean(axis=0)
    return vertices[np.argsort(np.arctan2(centred[:, 1], centred[:, 0]), kind="stable")]


def _strictly_inside(edges: np.ndarray, from_vertex: np.ndarray) -> np.ndarray:
    """Whether each point lies to the left of every edge; nothing is inside a hull without area."""
    to_the_left = edges[:, 0] * from_vertex[..., 1] - edges[:, 1] * from_vertex[..., 0]
    return (to_the_left > 0).all(axis=1)

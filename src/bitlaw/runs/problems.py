"""Long lists of problems, cut to what a person reads."""

from collections.abc import Sequence

MOST_LISTED = 20


def first_problems(problems: Sequence[str], source: str, limit: int = MOST_LISTED) -> list[str]:
    """The first problems, and how many more there are.

    Parameters
    ----------
    problems
        One sentence each.
    source
        File to name in the last line.
    limit
        Most problems to list in full.

    Examples
    --------
    >>> first_problems(["a", "b", "c"], "runs.csv", limit=2)
    ['a', 'b', 'runs.csv: and 1 more']
    """
    more = len(problems) - limit
    return list(problems[:limit]) + ([f"{source}: and {more} more"] if more > 0 else [])

"""Do 90 % intervals contain the parameters that made the table as often as they say?"""

import pickle
from collections.abc import Callable, Iterator, Sequence

import pytest
from calibration import calibrate

from bitlaw.inference.executors import Progress
from bitlaw.laws.registry import DEFAULT_LAW, load_law

TABLES = 40
FEWEST, MOST = 29, 40
"""A binomial(40, 0.9) count falls outside of this less than once in 500 times."""


class LastFirst:
    """An executor of other processes, as far as tasks can tell, that finishes the last task first."""

    is_local = False

    def run[T, R](
        self, function: Callable[[T], R], tasks: Sequence[T], progress: Progress | None = None
    ) -> Iterator[tuple[int, R]]:
        for done, index in enumerate(reversed(range(len(tasks)))):
            yield index, pickle.loads(pickle.dumps(function))(pickle.loads(pickle.dumps(tasks[index])))
            if progress is not None:
                progress(done + 1, len(tasks))


def assert_calibrated(law_name: str) -> None:
    found = calibrate(load_law(law_name), TABLES)
    assert found.tables == TABLES
    outside = {name: count for name, count in found.inside.items() if not FEWEST <= count <= MOST}
    assert outside == {}
    # An interval that always contains the truth is too wide: ranks must spread over the unit interval.
    lowest_spread = min(max(ranks) - min(ranks) for ranks in found.ranks.values())
    assert lowest_spread > 0.6


def test_base_law_is_calibrated() -> None:
    assert_calibrated("coupled")


@pytest.mark.calibration
def test_full_law_is_calibrated() -> None:
    assert_calibrated(DEFAULT_LAW)


def test_an_executor_changes_where_tables_are_fitted_and_nothing_else() -> None:
    told: list[tuple[int, int]] = []
    here = calibrate(load_law("chinchilla"), 3)
    elsewhere = calibrate(
        load_law("chinchilla"),
        3,
        executor=LastFirst(),
        progress=lambda done, every: told.append((done, every)),
    )
    assert here == elsewhere
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert here.tables == 3
    assert {len(ranks) for ranks in here.ranks.values()} == {3}

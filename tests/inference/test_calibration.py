"""Do 90 % intervals contain the parameters that made the table as often as they say?"""

import pytest
from calibration import calibrate

from bitlaw.laws.registry import DEFAULT_LAW, load_law

TABLES = 40
FEWEST, MOST = 29, 40
"""A binomial(40, 0.9) count falls outside of this less than once in 500 times."""


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

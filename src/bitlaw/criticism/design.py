"""What a run table can and cannot identify of a law, before any sampling.

Levels are counted with the terms in mind: a power law and a floor need three sizes, a curve in bits
two bit-widths below 16, a format factor runs of that format, a degradation two bit-widths after training.
"""

from collections.abc import Sequence

import pandas as pd

from bitlaw.criticism.design_columns import ignored_column_findings
from bitlaw.criticism.design_confounded import confounding_findings
from bitlaw.criticism.design_post import post_findings
from bitlaw.criticism.design_precision import precision_findings
from bitlaw.criticism.design_repeats import repeat_findings
from bitlaw.criticism.design_size import size_findings
from bitlaw.finding import Finding
from bitlaw.laws.law import Law


def design_findings(law: Law, frame: pd.DataFrame, pool: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Which constants the rows can identify and which are left to the priors.

    Checks of terms the law does not have are left out.

    Parameters
    ----------
    law
        The law to be fitted, with its ties.
    frame
        Rows the law can use, canonical columns.
    pool
        Columns pooled over; they are no longer ignored.

    Returns
    -------
    tuple of Finding
        WARN, PASS or NOT_RUN; a WARN names the constants that the priors decide.
    """
    return (
        *size_findings(law, frame),
        *repeat_findings(law, frame),
        *precision_findings(law, frame),
        *confounding_findings(law, frame),
        *post_findings(law, frame),
        *ignored_column_findings(law, frame, pool),
    )

"""What a long command is doing now, for whoever shows it."""

from collections.abc import Callable

Stage = Callable[[str], None]
"""Called with what begins now; with nothing where the work that follows shows itself, as the sampler does."""

COMPILING, PILOT, JUDGING, WRITING = "compiling", "pilot", "checking the fit", "writing the report"
SHOWS_ITSELF = ""


def untold(stage: str) -> None:
    """Tell nobody."""


def of_law(name: str, on_stage: Stage) -> Stage:
    """Stages with the name of a law in front.

    Parameters
    ----------
    name
        The law.
    on_stage
        Told ``LAW: stage``.

    Examples
    --------
    >>> of_law("coupled", print)(COMPILING)
    coupled: compiling
    """

    def tell(stage: str) -> None:
        on_stage(f"{name}: {stage}" if stage else stage)

    return tell

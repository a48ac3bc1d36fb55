"""``bitlaw predict``: the loss to expect of runs that have not been trained."""

import inspect
from pathlib import Path
from typing import Annotated

import typer

from bitlaw.cli.options import (
    Fits,
    Group,
    Json,
    NoDrift,
    Probability,
    Quiet,
    column_option,
    column_reader,
    flag,
)
from bitlaw.cli.points import POINT_COLUMNS, point_from_flags, points_from_file
from bitlaw.cli.several import open_fits, print_answer
from bitlaw.errors import InputError
from bitlaw.runs.columns import COUNTS, Column

EXAMPLE = """Examples:

bitlaw predict fit.nc --n-params 7e9 --tokens 1e12 --bits-weights 4

bitlaw predict kumar2024.nc bitlaw-default.nc --points points.csv --json

bitlaw predict ptq-gap.nc --n-params 7e9 --tokens 1e12 --bits-post 4 --loss 2.04
"""

Points = Annotated[
    Path | None,
    typer.Option(
        "--points",
        metavar="POINTS.csv",
        help="A table with a point per row; columns of a run table, without loss.",
    ),
]
Loss = Annotated[
    float | None,
    column_option(
        "loss", "NATS", "Measured loss as trained, nats/token: stands for the law's, at every point."
    ),
]


def predict(
    fits: Fits,
    points: Points = None,
    loss: Loss = None,
    group: Group = None,
    prob: Probability = 0.9,
    no_drift: NoDrift = False,
    as_json: Json = False,
    quiet: Quiet = False,
    **columns: float | str | None,
) -> int:
    """Predict the loss of new runs, with intervals, and say how far they are from the fitted data."""
    if points is None:
        frame = point_from_flags(columns)
    else:
        given = [flag(name) for name, value in columns.items() if value is not None]
        if given:
            raise InputError(f"--points and {given[0]} exclude each other; put the value into {points}")
        frame = points_from_file(points)
    fitted = open_fits(fits)
    if len(fitted) > 1:
        from bitlaw.decisions.stacked import predict_across

        across = predict_across(fitted, frame, prob, measured=loss, group=group, drift=not no_drift)
        return print_answer("predict", fitted, across, as_json, quiet)
    from bitlaw.decisions import predict as decisions

    prediction = decisions.predict(fitted[0], frame, prob, measured=loss, group=group, drift=not no_drift)
    return print_answer("predict", fitted, prediction, as_json, quiet)


def _parameter(column: Column) -> inspect.Parameter:
    suffixes = " Also with k, M, B or T." if column.name in COUNTS else ""
    option = typer.Option(
        flag(column.name),
        parser=column_reader(column.name),
        metavar=(column.unit or "text").split("/")[0].upper(),
        help=column.meaning + suffixes,
        rich_help_panel="The point",
    )
    return inspect.Parameter(
        column.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option]
    )


_written = inspect.signature(predict)
_named = [item for item in _written.parameters.values() if item.kind is not inspect.Parameter.VAR_KEYWORD]
predict.__signature__ = _written.replace(  # type: ignore[attr-defined]
    parameters=[*_named, *(_parameter(column) for column in POINT_COLUMNS)]
)

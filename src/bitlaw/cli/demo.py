"""``bitlaw demo``: the embedded sweep, fitted and reported."""

from pathlib import Path
from typing import Annotated

import typer

from bitlaw.cli.files import require_output_folder
from bitlaw.cli.fit import show_progress
from bitlaw.cli.options import Json, Quiet
from bitlaw.cli.progress import stages, task_bar
from bitlaw.cli.report import print_page

EXAMPLE = """Examples:

bitlaw demo

bitlaw demo --out /tmp/tiny_sweep
"""

Out = Annotated[
    Path,
    typer.Option(
        "--out", metavar="DIR", help="Folder for index.html, summary.json, model_card.md and the fits."
    ),
]


def demo(out: Out = Path("reports/tiny_sweep"), as_json: Json = False, quiet: Quiet = False) -> int:
    """Fit the sweep that comes with bitlaw and write its report. A few minutes."""
    require_output_folder(out)
    from bitlaw.workflow import reporting

    shown = show_progress(as_json, quiet)
    with stages(shown) as on_stage, task_bar("refits and folds", shown) as on_task:
        _, page = reporting.demo(out, progress=shown, on_task=on_task, on_stage=on_stage)
    return print_page("demo", page, as_json, quiet)

"""Progress on stderr: what a command is doing now, and bars for work that is done task by task."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bitlaw.workflow.stages import untold


@contextmanager
def stages(shown: bool) -> Iterator[Callable[[str], None]]:
    """What to tell what begins now: a spinner with its seconds, until something else begins.

    Parameters
    ----------
    shown
        Whether a spinner helps anyone.
    """
    if not shown:
        yield untold
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    spinner = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )

    def tell(stage: str) -> None:
        spinner.stop()  # two displays at once would draw over each other
        for task in spinner.task_ids:
            spinner.remove_task(task)
        if stage:
            spinner.add_task(stage, total=None)
            spinner.start()

    try:
        yield tell
    finally:
        spinner.stop()


@contextmanager
def task_bar(label: str, shown: bool) -> Iterator[Callable[[int, int], None] | None]:
    """What to tell how many tasks are done, and of how many; None where nothing is shown.

    Parameters
    ----------
    label
        What the tasks are, in a word or two.
    shown
        Whether a bar helps anyone.
    """
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(label, total=None)

    def tell(done: int, total: int) -> None:
        bar.start()  # only while tasks run, so that it does not draw over other bars
        bar.update(task, completed=done, total=total)
        if done == total:
            bar.stop()

    try:
        yield tell
    finally:
        bar.stop()

"""Tasks that workers of an executor run: defined here, where a process of its own can import them."""

import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

from bitlaw.errors import InputError


class Marked(NamedTuple):
    """A number, and a folder in which every attempt at it leaves a line."""

    number: int
    folder: str
    seconds: float = 0.0


def square(number: int) -> int:
    return number * number


def refuse(number: int) -> int:
    if number == 2:
        raise InputError(["row 2: no", "row 3: neither"])
    return number


def attempts(folder: Path, number: int) -> int:
    path = folder / str(number)
    return len(path.read_text().splitlines()) if path.is_file() else 0


def square_marked(task: Marked) -> int:
    """The square, after leaving this process's id."""
    _mark(task)
    time.sleep(task.seconds)
    return task.number**2


def square_or_die_once(task: Marked) -> int:
    """The square; at the first attempt at number 3 the worker is killed."""
    _mark(task)
    if task.number == 3 and attempts(Path(task.folder), 3) == 1:
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    return task.number**2


def die(_number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def _mark(task: Marked) -> None:
    with (Path(task.folder) / str(task.number)).open("a") as file:
        file.write(f"{os.getpid()}\n")

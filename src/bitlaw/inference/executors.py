"""Executors: one function over many tasks, here, in local processes, or on a Dask cluster."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Protocol

from bitlaw.errors import InputError, did_you_mean

NAMES = ("serial", "processes", "dask")

MOST_LOSSES = 3
"""Times that workers may be lost before it is no accident."""

_CONNECT_SECONDS = 10
_NOT_THE_SAME = "Error during deserialization"
"""How Dask begins to say that scheduler and client have different environments."""

Progress = Callable[[int, int], None]
"""Called with the number of tasks done and the number of all tasks, also before the first is done."""


class Executor(Protocol):
    """Runs a function over tasks and yields results as they come.

    Leaving the loop early, by Ctrl-C or any other exception, cancels what is not done.
    """

    @property
    def is_local(self) -> bool:
        """Whether tasks run in this process, one at a time, so that each may use every core."""
        ...

    def run[T, R](
        self, function: Callable[[T], R], tasks: Sequence[T], progress: Progress | None = None
    ) -> Iterator[tuple[int, R]]:
        """Yield the index of a task and what the function made of it, in the order they finish.

        Parameters
        ----------
        function
            Defined at the top of a module, so that a worker can import it.
        tasks
            Picklable, independent of each other.
        progress
            Told how many are done.

        Raises
        ------
        InputError
            If workers are lost again and again. Exceptions of the function come through as they are.
        """
        ...


def executor_named(
    name: str = "serial", scheduler: str | None = None, workers: int | None = None
) -> Executor:
    """An executor by its name.

    Parameters
    ----------
    name
        ``serial``, ``processes`` or ``dask``.
    scheduler
        Address of an existing Dask cluster, as ``tcp://host:8786``; for ``dask`` only.
    workers
        Local processes; as many as there are cores by default.

    Raises
    ------
    InputError
        For an unknown name, a scheduler that would not be used, or none where one is needed.

    Examples
    --------
    >>> list(executor_named().run(abs, [-1, 2]))
    [(0, 1), (1, 2)]
    """
    if name not in NAMES:
        raise InputError(f'unknown executor "{name}" ({did_you_mean(name, NAMES)})')
    if scheduler is not None and name != "dask":
        raise InputError(f"--scheduler {scheduler} is for --executor dask; the executor is {name}")
    if name == "dask":
        if not scheduler:
            raise InputError(
                "--executor dask needs the address of a cluster, as in --scheduler tcp://host:8786"
            )
        return DaskCluster(scheduler)
    return Serial() if name == "serial" else LocalProcesses(workers or os.cpu_count() or 1)


@dataclass(frozen=True)
class Serial:
    """One task after the other in this process, which keeps what it has compiled."""

    is_local = True

    def run[T, R](
        self, function: Callable[[T], R], tasks: Sequence[T], progress: Progress | None = None
    ) -> Iterator[tuple[int, R]]:
        """See ``Executor``."""
        _tell(progress, 0, tasks)
        for index, task in enumerate(tasks):
            result = function(task)
            _tell(progress, index + 1, tasks)
            yield index, result


@dataclass(frozen=True)
class LocalProcesses:
    """Processes of this machine, started afresh. A script that uses them guards its main part.

    A worker that is lost takes its pool with it; what was not finished is done again in a new one.

    Parameters
    ----------
    workers
        How many processes.
    """

    workers: int
    is_local = False

    def run[T, R](
        self, function: Callable[[T], R], tasks: Sequence[T], progress: Progress | None = None
    ) -> Iterator[tuple[int, R]]:
        """See ``Executor``."""
        left = dict(enumerate(tasks))
        losses = 0
        _tell(progress, 0, tasks)
        while left:
            try:
                for index, result in self._finished(function, left):
                    del left[index]
                    _tell(progress, len(tasks) - len(left), tasks)
                    yield index, result
            except BrokenProcessPool as error:
                losses += 1
                if losses > MOST_LOSSES:
                    raise InputError(
                        f"worker processes were lost {losses} times, {len(left)} of {len(tasks)} tasks are "
                        'not done: memory may be short, or a script may lack `if __name__ == "__main__":`; '
                        "use --executor serial"
                    ) from error

    def _finished[T, R](self, function: Callable[[T], R], left: dict[int, T]) -> Iterator[tuple[int, R]]:
        """Results of one pool, which is gone afterwards, with its processes, however this ends."""
        others = set(multiprocessing.active_children())
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(min(self.workers, len(left)), context, _leave_interrupts_to_the_parent)
        ended = False
        try:
            futures = {pool.submit(function, task): index for index, task in left.items()}
            for future in as_completed(futures):
                yield futures[future], future.result()
            ended = True
        finally:
            if not ended:
                for process in set(multiprocessing.active_children()) - others:
                    process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    """A Ctrl-C reaches every process of a terminal; the parent ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass(frozen=True)
class DaskCluster:
    """An existing Dask cluster, whose workers have the same bitlaw installed.

    The scheduler gives the tasks of a worker that is lost to another one; results are fetched as soon as
    they are there, so none is lost with the worker that made it.

    Parameters
    ----------
    address
        Of the scheduler.
    """

    address: str
    is_local = False

    def run[T, R](
        self, function: Callable[[T], R], tasks: Sequence[T], progress: Progress | None = None
    ) -> Iterator[tuple[int, R]]:
        """See ``Executor``; also raises InputError if the scheduler cannot be reached."""
        if not tasks:
            return
        client = self._client()
        futures: dict[Any, int] = {}
        try:
            from distributed import KilledWorker
            from distributed import as_completed as completed

            _tell(progress, 0, tasks)
            futures = {client.submit(function, task, pure=False): i for i, task in enumerate(tasks)}
            for done, future in enumerate(completed(futures, loop=client.loop), start=1):
                try:
                    result = future.result()
                except KilledWorker as error:
                    raise InputError(
                        f"the cluster at {self.address} lost the worker of one task again and again: {error}"
                    ) from error
                except CancelledError as error:
                    raise InputError(
                        f"the scheduler at {self.address} was lost with {len(futures)} of {len(tasks)} tasks "
                        "not done; run again when it answers"
                    ) from error
                except RuntimeError as error:
                    if not str(error).startswith(_NOT_THE_SAME):
                        raise
                    raise InputError(
                        f"the cluster at {self.address} cannot read the tasks; install the same bitlaw, and "
                        "the same Dask, with its scheduler and its workers as here"
                    ) from error
                index = futures.pop(future)
                future.release()  # else the cluster would redo it where the worker that holds it is lost
                _tell(progress, done, tasks)
                yield index, result
        finally:
            client.cancel(list(futures))
            client.close()

    def _client(self) -> Any:
        try:
            from distributed import Client
        except ImportError as error:
            raise InputError("--executor dask needs Dask: pip install 'bitlaw[dask]'") from error
        try:
            return Client(self.address, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:  # a timeout is an OSError, a malformed address a ValueError
            reason = " ".join(str(error).split())
            raise InputError(
                f"--scheduler {self.address}: no Dask scheduler answers there ({reason}); "
                "valid: the address of a running one, as tcp://host:8786"
            ) from error


def _tell(progress: Progress | None, done: int, tasks: Sequence[object]) -> None:
    if progress is not None:
        progress(done, len(tasks))

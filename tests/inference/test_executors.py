"""Executors: results as they come, lost workers, interrupts, and what cannot be."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bitlaw.errors import InputError
from bitlaw.inference.executors import DaskCluster, Executor, LocalProcesses, Serial, executor_named
from tasks import Marked, attempts, die, refuse, square, square_marked, square_or_die_once

HERE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as running:
        yield running


def check_results(executor: Executor) -> None:
    told: list[tuple[int, int]] = []
    found = dict(executor.run(square, [3, 1, 2], lambda done, total: told.append((done, total))))
    assert found == {0: 9, 1: 1, 2: 4}
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert list(executor.run(square, [])) == []
    with pytest.raises(InputError) as caught:
        dict(executor.run(refuse, [1, 2, 3]))
    assert caught.value.problems == ("row 2: no", "row 3: neither")


def test_serial() -> None:
    check_results(Serial())
    assert [index for index, _ in Serial().run(square, range(5))] == [0, 1, 2, 3, 4]


def test_processes() -> None:
    check_results(LocalProcesses(2))


def test_a_dask_cluster(cluster) -> None:
    check_results(DaskCluster(cluster.scheduler_address))


def test_a_worker_process_that_dies_costs_only_what_was_not_finished(tmp_path: Path) -> None:
    tasks = [Marked(number, str(tmp_path)) for number in range(6)]
    found = dict(LocalProcesses(1).run(square_or_die_once, tasks))
    assert found == {number: number**2 for number in range(6)}
    assert [attempts(tmp_path, number) for number in range(4)] == [1, 1, 1, 2]


def test_worker_processes_that_keep_dying_are_an_error() -> None:
    with pytest.raises(InputError, match=r"lost 4 times, 2 of 2 tasks are not done"):
        list(LocalProcesses(1).run(die, [1, 2]))


def test_a_dask_worker_killed_half_way_costs_only_what_was_not_finished(cluster, tmp_path: Path) -> None:
    tasks = [Marked(number, str(tmp_path), seconds=0.3) for number in range(10)]
    found: dict[int, int] = {}
    at_the_kill: set[int] = set()
    for index, result in DaskCluster(cluster.scheduler_address).run(square_marked, tasks):
        found[index] = result
        if len(found) == 4:
            at_the_kill = set(found)
            running = [int(path.read_text().split()[-1]) for path in tmp_path.iterdir()]
            os.kill(running[-1], signal.SIGKILL)
    assert found == {number: number**2 for number in range(10)}
    assert all(attempts(tmp_path, number) == 1 for number in at_the_kill)


def test_a_scheduler_lost_half_way_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    address, environment = "tcp://127.0.0.1:18786", os.environ | {"PYTHONPATH": str(HERE)}
    module = [sys.executable, "-W", "ignore", "-m"]
    scheduler = subprocess.Popen(
        [*module, "distributed.cli.dask_scheduler", "--port", "18786", "--no-dashboard"],
        env=environment, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    worker = subprocess.Popen(
        [*module, "distributed.cli.dask_worker", address, "--no-dashboard", "--nthreads", "1", "--no-nanny"],
        env=environment, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    tasks = [Marked(number, str(tmp_path), seconds=0.5) for number in range(6)]

    def kill_the_scheduler(done: int, _: int) -> None:
        if done == 1:
            scheduler.kill()

    try:
        with pytest.raises(InputError, match=r"the scheduler at .* was lost with . of 6 tasks not done"):
            list(DaskCluster(address).run(square_marked, tasks, kill_the_scheduler))
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()


def test_leaving_the_loop_early_ends_the_workers(tmp_path: Path) -> None:
    tasks = [Marked(number, str(tmp_path), seconds=0.0 if number == 0 else 60.0) for number in range(3)]
    start = time.monotonic()
    results = LocalProcesses(2).run(square_marked, tasks)
    assert next(results) == (0, 0)
    while not (tmp_path / "1").is_file():
        time.sleep(0.05)
    results.close()
    assert time.monotonic() - start < 30
    assert not any(is_alive(process) for process in process_ids(tmp_path))


def test_an_interrupt_leaves_no_orphans(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    script = tmp_path / "script.py"
    script.write_text(  # a test run in the background would hand down an ignored SIGINT
        "import signal\n"
        "from bitlaw.inference.executors import LocalProcesses\n"
        "from tasks import Marked, square_marked\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"    tasks = [Marked(number, {str(marks)!r}, 60.0) for number in range(4)]\n"
        "    list(LocalProcesses(2).run(square_marked, tasks))\n"
    )
    running = subprocess.Popen(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": str(HERE)},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    while len(list(marks.iterdir())) < 2:
        assert running.poll() is None
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)
    _, error = running.communicate(timeout=20)
    assert running.returncode in (-signal.SIGINT, 130, 1)
    assert b"KeyboardInterrupt" in error
    assert not any(is_alive(process) for process in process_ids(marks))


def test_what_cannot_be() -> None:
    with pytest.raises(InputError, match=r'unknown executor "dsk" \(did you mean "dask"\?\)'):
        executor_named("dsk")
    with pytest.raises(InputError, match="is for --executor dask; the executor is processes"):
        executor_named("processes", "tcp://127.0.0.1:8786")
    with pytest.raises(InputError, match="needs the address of a cluster"):
        executor_named("dask")
    assert executor_named("processes", workers=3) == LocalProcesses(3)
    assert executor_named().is_local


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://here"])
def test_a_scheduler_that_does_not_answer(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("bitlaw.inference.executors._CONNECT_SECONDS", 1)
    with pytest.raises(InputError, match=r"no Dask scheduler answers there"):
        list(executor_named("dask", address).run(square, [1]))


def test_dask_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'bitlaw\[dask\]'"):
        list(executor_named("dask", "tcp://127.0.0.1:8786").run(square, [1]))


def process_ids(folder: Path) -> list[int]:
    return [int(line) for path in folder.iterdir() for line in path.read_text().split()]


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True

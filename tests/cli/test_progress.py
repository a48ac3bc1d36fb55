"""What is drawn on a terminal while a command works, and that nothing is where nobody looks."""

import pytest

from bitlaw.cli import fit as room
from bitlaw.cli.progress import stages, task_bar


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "FORCE_COLOR": "1",
        "TERM": "xterm",
        "TTY_COMPATIBLE": "1",
        "TTY_INTERACTIVE": "1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_terminal")
def test_stages_and_tasks_take_turns(capsys: pytest.CaptureFixture[str]) -> None:
    with stages(True) as on_stage, task_bar("folds", True) as on_task:
        assert on_task is not None
        on_stage("coupled: compiling")
        on_stage("coupled: pilot")
        on_stage("")
        on_task(0, 2)
        on_task(2, 2)
        on_stage("writing the report")
    drawn = capsys.readouterr()
    assert drawn.out == ""
    places = [drawn.err.index(text) for text in ("compiling", "pilot", "folds", "2/2", "writing the report")]
    assert places == sorted(places)


def test_nothing_is_drawn_where_it_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with stages(False) as on_stage, task_bar("folds", False) as on_task:
        on_stage("compiling")
        assert on_task is None
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("terminal", "as_json", "quiet", "shown"),
    [
        (True, False, False, True),
        (True, True, False, False),
        (True, False, True, False),
        (False, False, False, False),
    ],
)
def test_progress_is_for_people_at_a_terminal(
    terminal: bool, as_json: bool, quiet: bool, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.sys.stderr, "isatty", lambda: terminal, raising=False)
    assert room.show_progress(as_json, quiet) is shown

"""The house rules that a machine can check: who imports whom, what is heavy, what is long."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "bitlaw"
LEAVES = ("finding", "units", "errors", "notebook")
MAY_IMPORT: dict[str, set[str]] = {
    "notebook": {"finding"},
    "runs": set(),
    "laws": set(),
    "importers": {"runs"},
    "inference": {"runs", "laws"},
    "criticism": {"inference", "runs", "laws"},
    "decisions": {"criticism", "inference", "runs", "laws"},
    "reporting": {"decisions", "criticism", "inference", "runs", "laws"},
    "workflow": {"reporting", "decisions", "criticism", "inference", "importers", "runs", "laws", "data"},
    "cli": {
        "workflow",
        "reporting",
        "decisions",
        "criticism",
        "inference",
        "importers",
        "runs",
        "laws",
        "data",
    },
}
ONLY_IN: dict[str, set[str]] = {
    "pymc": {"inference"},
    "pytensor": {"inference"},
    "nutpie": {"inference"},
    "arviz": {"inference", "criticism"},
    "matplotlib": {"reporting"},
}
ONLY_IN_FILE: dict[str, str] = {"dask": "inference/executors.py", "distributed": "inference/executors.py"}
TRACKERS = {"mlflow", "tensorboard", "wandb"}
"""Their libraries are extras, imported by name where a source needs them (``importers/extras.py``)."""

FILES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py")


def imported_modules(path: Path) -> set[str]:
    """Every module a file imports, inside functions and TYPE_CHECKING blocks too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_up_the_list_only(path: Path) -> None:
    own = room(path)
    for module in imported_modules(path):
        parts = module.split(".")
        if parts[0] == "bitlaw" and len(parts) > 1 and parts[1] != own:
            allowed = MAY_IMPORT.get(own, set()) | (set() if own in LEAVES else set(LEAVES))
            assert parts[1] in allowed, f"{own} may not import {module}"
        if parts[0] in ONLY_IN:
            assert own in ONLY_IN[parts[0]], f"{module} has no place in {own}"
        if parts[0] in ONLY_IN_FILE:
            assert str(path.relative_to(SOURCE)) == ONLY_IN_FILE[parts[0]], f"{module} has no place in {path}"
        assert parts[0] not in TRACKERS, f"{path}: {module} is an extra"


@pytest.mark.parametrize(
    "package",
    ["runs", "laws", "importers", "inference", "criticism", "decisions", "reporting", "workflow", "cli"],
)
def test_room_init_files_hold_a_docstring_only(package: str) -> None:
    body = ast.parse((SOURCE / package / "__init__.py").read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


@pytest.mark.parametrize("package", ["laws", "cli"])
def test_laws_and_cli_import_no_arrays_at_module_level(package: str) -> None:
    for path in (SOURCE / package).rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = (
                    [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
                )
                assert not {str(name).split(".")[0] for name in names} & {"numpy", "pandas", "xarray"}, path


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import bitlaw", ("numpy", "pandas", "xarray", "pymc", "arviz", "matplotlib", "pydantic", "typer")),
        ("import bitlaw; bitlaw.predict, bitlaw.optimum, bitlaw.ptq, bitlaw.load_fit",
         ("pymc", "pytensor", "arviz", "arviz_stats", "nutpie", "matplotlib")),
    ],
)  # fmt: skip
def test_heavy_packages_are_imported_only_where_used(statement: str, absent: tuple[str, ...]) -> None:
    code = f"{statement}\nimport sys\nprint(*[m for m in {absent!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_no_error_is_caught_wholesale() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                assert caught not in ("everything", "Exception", "BaseException"), f"{path}:{node.lineno}"


def test_architecture_page_says_what_every_file_is_for() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for path in FILES:
        purpose = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]
        assert f"- `{path.relative_to(SOURCE)}`: {purpose}\n" in page


def test_wheel_and_source_tree_list_the_same_packages() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "packages"
    ]
    found = {
        ".".join(path.parent.relative_to(ROOT / "src").parts) for path in (ROOT / "src").rglob("__init__.py")
    }
    assert set(listed) == found | {"bitlaw.models"}

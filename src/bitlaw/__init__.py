"""bitlaw: precision-aware neural scaling laws, fitted with honest uncertainty.

The names below load on first use, so importing bitlaw is fast.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

_API: dict[str, str] = {
    "InputError": "bitlaw.errors",
    "Fit": "bitlaw.inference.fit",
    "RunTable": "bitlaw.runs.table",
    "read_runs": "bitlaw.runs.read",
    "load_law": "bitlaw.laws.registry",
    "law_names": "bitlaw.laws.registry",
    "load_fit": "bitlaw.inference.fit_file",
    "save_fit": "bitlaw.inference.fit_file",
    "points_frame": "bitlaw.inference.draws",
    "import_runs": "bitlaw.workflow.importing",
    "check": "bitlaw.workflow.preparing",
    "fit": "bitlaw.workflow.fitting",
    "compare": "bitlaw.workflow.comparing",
    "backtest": "bitlaw.workflow.backtesting",
    "predict": "bitlaw.decisions.predict",
    "optimum": "bitlaw.decisions.optimum",
    "optimum_on_chips": "bitlaw.decisions.on_chips",
    "ptq": "bitlaw.decisions.ptq",
    "budget": "bitlaw.decisions.budget",
    "budget_on_chips": "bitlaw.decisions.on_chips",
    "plan": "bitlaw.decisions.plan",
    "report": "bitlaw.workflow.reporting",
    "demo": "bitlaw.workflow.reporting",
}

_MODULES: dict[str, str] = {"plots": "bitlaw.reporting.plots"}

__version__ = version("bitlaw")
__all__ = ["__version__", *_API, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name not in _API:
        raise AttributeError(f"module 'bitlaw' has no attribute {name!r}")
    return getattr(import_module(_API[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

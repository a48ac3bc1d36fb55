"""What a user sees, on the embedded sweep: a prediction beyond it, the same without drift, and its backtest."""

from typing import Any

from store import Fitted, Store

from bitlaw import RunTable, points_frame, predict
from bitlaw.criticism.backtest import from_dict
from bitlaw.inference.fit import Fit

LAW, FOLDS = "coupled", 4
SIZE = {"n_params": 3.3e6, "tokens": 1.6e8}
"""Ten times the parameters and the tokens of the largest run of the sweep."""

_TABLE = "src/bitlaw/data/tiny_sweep.csv"


def example(sweep: RunTable, store: Store) -> tuple[dict[str, Any], Fitted]:
    """Commands with the first paragraph that each prints, and the fit behind them.

    Parameters
    ----------
    sweep
        The embedded sweep, all rows.
    store
        Where the fit is kept.
    """
    fitted = store.fit("embedded sweep", sweep, LAW, folds=FOLDS)
    return {"shown": [_fit(fitted.fit), *_predictions(fitted.fit)]}, fitted


def _fit(fit: Fit) -> dict[str, str]:
    said = from_dict(fit.backtest).sentence() if fit.backtest else "No backtest."
    return {"command": f"bitlaw backtest {_TABLE} --law {LAW}", "said": said}


def _predictions(fit: Fit) -> list[dict[str, str]]:
    flags = f"--n-params {SIZE['n_params'] / 1e6:g}M --tokens {SIZE['tokens'] / 1e6:g}M"
    point = points_frame(**SIZE)
    return [
        {
            "command": f"bitlaw predict sweep.nc {flags}{'' if drift else ' --no-drift'}",
            "said": predict(fit, point, drift=drift).sentence(),
        }
        for drift in (True, False)
    ]

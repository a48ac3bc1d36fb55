"""The Fit file: one netCDF file per fit, written atomically, readable without PyMC or ArviZ."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import FORMAT_VERSION, Fit, Provenance
from bitlaw.laws.law import Reference
from bitlaw.laws.spec import parse_law
from bitlaw.units import LOSS_UNIT

_DRAWS = ("posterior", "prior", "drift", "sample_stats", "weights")
_TABLES = ("rows", "excluded", "runs")
_DROPPED_STATISTICS = ("divergence_message",)


def save_fit(fit: Fit, path: str | Path) -> Path:
    """Write a fit; the file appears only when it is complete.

    Parameters
    ----------
    fit
        The fit.
    path
        Where to; its folder is made if needed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    groups: dict[str, xr.Dataset] = {name: _plain(getattr(fit, name)) for name in _DRAWS}
    groups |= {name: _table_dataset(getattr(fit, name)) for name in _TABLES}
    groups["hull"] = xr.Dataset({"log10": (("vertex", "axis"), fit.hull)}, {"axis": ["n_params", "tokens"]})
    tree = xr.DataTree.from_dict({"/": xr.Dataset(attrs=_attributes(fit)), **groups})
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        tree.to_netcdf(temporary, engine="h5netcdf")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def load_fit(path: str | Path) -> Fit:
    """Read a fit.

    Raises
    ------
    InputError
        If the file is absent, is not netCDF, is truncated, or is no Fit file of this version.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such fit file; `bitlaw fit RUNS --out {path.name}` makes one")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            loaded = tree.load()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(f"{path}: not a readable netCDF file, or a truncated one ({error})") from error
    version = loaded.attrs.get("bitlaw_format_version")
    if version != FORMAT_VERSION:
        raise InputError(
            f"{path}: not a bitlaw Fit file of format version {FORMAT_VERSION} (found {version}); "
            "fit the run table again"
        )
    try:
        return _fit(loaded, path)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: a Fit file that lacks a part, or has a damaged one ({error})") from error


def _fit(tree: xr.DataTree, path: Path) -> Fit:
    attributes = tree.attrs
    return Fit(
        law=parse_law(attributes["law_toml"], str(path)),
        reference=Reference(**json.loads(attributes["reference"])),
        **{name: tree[name].to_dataset() for name in _DRAWS},
        **{name: _table_frame(tree[name].to_dataset()) for name in _TABLES},
        pool=tuple(json.loads(attributes["pool"])),
        hull=tree["hull"]["log10"].to_numpy(),
        findings=tuple(
            Finding(**item | {"status": Status(item["status"])})
            for item in json.loads(attributes["findings"])
        ),
        provenance=Provenance(**json.loads(attributes["provenance"])),
        backtest=json.loads(attributes["backtest"]),
    )


def _attributes(fit: Fit) -> dict[str, str | int]:
    return {
        "bitlaw_format_version": FORMAT_VERSION,
        "law": fit.law.name,
        "law_toml": fit.law.toml,
        "reference": json.dumps(asdict(fit.reference)),
        "provenance": json.dumps(asdict(fit.provenance)),
        "findings": json.dumps([finding.to_dict() for finding in fit.findings]),
        "pool": json.dumps(fit.pool),
        "loss_unit": LOSS_UNIT,
        "ceiling": str(fit.ceiling),
        "backtest": json.dumps(fit.backtest),
    }


def _plain(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset without what netCDF has no type for."""
    dataset = dataset.drop_vars([name for name in _DROPPED_STATISTICS if name in dataset])
    return dataset.drop_attrs()


def _table_dataset(frame: pd.DataFrame) -> xr.Dataset:
    """A table as one variable per column along ``row``; text stays text, numbers stay numbers."""
    variables: dict[str, tuple[str, np.ndarray]] = {"row_number": ("row", frame.index.to_numpy())}
    for name, column in frame.items():
        numeric = pd.api.types.is_numeric_dtype(column)
        values = column.to_numpy() if numeric else column.fillna("").astype(str).to_numpy(object)
        variables[str(name)] = ("row", values)
    return xr.Dataset(variables)


def _table_frame(dataset: xr.Dataset) -> pd.DataFrame:
    frame = pd.DataFrame({str(name): dataset[name].to_numpy() for name in dataset.data_vars})
    return frame.set_index("row_number").rename_axis(None)

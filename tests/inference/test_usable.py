"""Which rows a law can explain, which table it applies to, and the reasons for the rest."""

import numpy as np
import pandas as pd
import pytest

from bitlaw.errors import InputError
from bitlaw.finding import Status
from bitlaw.inference.draws import points_frame
from bitlaw.inference.usable import not_applicable, training_without_term, usable_rows
from bitlaw.laws.registry import law_names, load_law
from bitlaw.runs.table import RunTable
from designs import base_design, law_design, precision_design


def table(frame: pd.DataFrame) -> RunTable:
    """A run table with losses."""
    frame = frame.assign(loss=frame["loss"].fillna(2.0))
    return RunTable(frame, frame.iloc[:0].assign(reason=""), "runs.csv")


def reasons(name: str, **columns: object) -> list[str]:
    """Why a law has no term for one run."""
    points = points_frame(n_params=1e8, tokens=1e9, **columns)
    return [reason for _, reason in training_without_term(load_law(name), points)]


@pytest.mark.parametrize("name", law_names())
def test_a_table_made_for_a_law_is_usable_whole(name: str) -> None:
    law = load_law(name)
    design = law_design(law)
    paired = design["run_id"].isin(design.loc[design["bits_post"].notna(), "run_id"])
    usable, findings = usable_rows(law, table(design))
    assert len(usable.frame) == (paired.sum() if law.base.is_observed else len(design))
    assert not_applicable(law, table(design)) is None
    assert all(finding.status is Status.WARN for finding in findings)


def test_rows_a_law_has_no_term_for_are_excluded_with_a_reason() -> None:
    design = precision_design()
    design.loc[design.index[0], "format"] = "mxfp4"
    usable, findings = usable_rows(load_law("kumar2024-coupled"), table(design))
    assert len(usable.frame) + len(usable.excluded) == len(design)
    assert usable.excluded["reason"].tolist() == ['law kumar2024-coupled has no term for format "mxfp4"']
    usable, findings = usable_rows(load_law("coupled"), table(design))
    assert (usable.frame["bits_weights"] >= 16).all()
    assert usable.frame["bits_post"].isna().all()
    assert {finding.status for finding in findings} == {Status.WARN}
    assert {
        "law coupled has no term for post-training quantization",
        "law coupled has no term for bits_kv below 16",
    } <= set(usable.excluded["reason"])
    assert sum(finding.value for finding in findings) == len(usable.excluded)


@pytest.mark.parametrize(
    ("law", "columns", "reason"),
    [
        ("chinchilla", {"bits_weights": 4.0}, "law chinchilla has no term for bits_weights below 16"),
        ("bitlaw-default", {"bits_gradients": 8.0}, "law bitlaw-default has no term for bits_gradients below 16"),
        ("bitlaw-default", {"bits_weights": 4.0, "format": "int4"}, None),
        ("bitlaw-default", {"format": "fp8"}, 'law bitlaw-default has no term for format "fp8"'),
        ("frantar2025", {"format": "fp8", "bits_weights": 8.0}, None),
        ("frantar2025", {"bits_weights": 3.0, "bits_kv": 4.0}, None),
        ("frantar2025", {"bits_gradients": 8.0}, "law frantar2025 has no term for bits_gradients below 16"),
        ("quartet2025", {"bits_gradients": 8.0}, None),
        ("quartet2025", {"format": "mxfp4", "format_backward": "mxfp8"}, None),
        ("sun2025", {"format": "mxfp4"}, None),
        ("sun2025", {"format": "e4m3", "group_size": 128.0}, None),
        ("sun2025", {"format": "e4m3"}, "law sun2025 needs group_size, the elements that share one scale"),
        ("sun2025", {"bits_weights": 4.0, "group_size": 128.0},
         "law sun2025 has no term for bits_weights below 16"),
        ("sun2025", {"format": "ternary", "group_size": 32.0}, 'law sun2025 has no term for format "ternary"'),
        ("chen2025", {"bits_weights": 4.0}, "law chen2025 needs group_size, the elements that share one scale"),
        ("chen2025", {"bits_weights": 4.0, "group_size": 128.0}, None),
        ("chen2025", {}, None),
        ("ptq-gap", {"bits_weights": 4.0, "format": "mxfp4"}, None),
    ],
)  # fmt: skip
def test_what_a_law_has_a_term_for(law: str, columns: dict, reason: str | None) -> None:
    assert reasons(law, **columns) == ([] if reason is None else [reason])


@pytest.mark.parametrize(
    ("law", "frame", "reason"),
    [
        ("bitlaw-default", base_design(), "no run is trained below 16 bits"),
        ("quartet2025", law_design(load_law("frantar2025")), "no run has a backward pass below 16 bits"),
        ("sun2025", precision_design(), "no run is trained in a floating-point format below 16 bits"),
        ("chen2025", precision_design(), "no row has a group_size"),
        ("ptq-gap", base_design(), "no row quantized after training comes with its run's own loss"),
    ],
)
def test_a_table_that_says_nothing_about_a_laws_terms_is_not_applicable(
    law: str, frame: pd.DataFrame, reason: str
) -> None:
    found = not_applicable(load_law(law), table(frame))
    assert found is not None
    assert found.startswith(reason)


def test_post_training_bits_at_or_above_training_bits_say_nothing() -> None:
    design = precision_design()
    row = design.index[design["bits_post"] == 4][0]
    design.loc[row, "bits_post"] = design.loc[row, "bits_weights"]
    usable, findings = usable_rows(load_law("kumar2024"), table(design))
    assert list(usable.excluded.index) == [row]
    assert "not below bits_weights" in findings[0].message


def test_round_to_nearest_has_no_levels_below_two_bits() -> None:
    design = precision_design()
    row = design.index[design["bits_post"] == 2][0]
    usable, _ = usable_rows(load_law("kumar2024"), table(design.assign(bits_post=design["bits_post"].where(
        design.index != row, 1.5))))  # fmt: skip
    assert usable.excluded["reason"].tolist() == ["symmetric round-to-nearest has no levels below 2 bits"]


def test_a_law_of_degradations_leaves_out_what_has_no_pair() -> None:
    law = load_law("ptq-gap")
    design = law_design(law).reset_index(drop=True)
    own = design["bits_post"].isna()
    orphaned = design["run_id"].unique()[0]
    design = design[~(own & (design["run_id"] == orphaned))]
    extra = base_design(sizes=(5e7,), tokens=(1e9,)).assign(loss=2.5)
    usable, _ = usable_rows(law, table(pd.concat([design, extra], ignore_index=True)))
    assert orphaned not in set(usable.frame["run_id"])
    left_out = usable.excluded.set_index("run_id")["reason"]
    assert "there is no degradation to model" in left_out[orphaned].iloc[0]
    assert "none of this run was measured" in left_out[extra["run_id"].iloc[0]]


def test_too_few_usable_rows_is_an_input_error() -> None:
    quantized = precision_design()
    with pytest.raises(InputError, match=r"runs\.csv: law coupled can use 0 of \d+ rows"):
        usable_rows(load_law("coupled"), table(quantized[quantized["bits_weights"] == 3]))


def test_nothing_is_both_kept_and_excluded() -> None:
    design = law_design(load_law("quartet2025")).reset_index(drop=True)
    design.loc[design["format"] == "mxfp4", "bits_gradients"] = 8.0
    usable, findings = usable_rows(load_law("coupled"), table(design))
    assert len(usable.frame) + len(usable.excluded) == len(design)
    assert usable.excluded.index.is_unique
    assert np.isin(usable.frame["format"], ("",)).all()
    assert len(findings) >= 2

import numpy as np
import pytest

from bitlaw.criticism.design import design_findings
from bitlaw.criticism.design_columns import explained_columns
from bitlaw.finding import Status
from bitlaw.inference.draws import points_frame
from bitlaw.inference.ties import tied_kinds
from bitlaw.laws.registry import law_names, load_law
from bitlaw.laws.spec import parse_law, with_ties

ADDITIVE = load_law("bitlaw-default")
GRADIENTS = """
name = "gradients"
title = "Effective parameters and tokens"
source = "test"
summary = "Forward bits as parameters, gradient bits as tokens."
[terms]
base = "coupled"
training = ["effective-parameters", "effective-tokens"]
"""


def check(law, frame, pool=()):
    law = load_law(law) if isinstance(law, str) else law
    found = {}
    for finding in design_findings(law, frame, pool):
        found.setdefault(finding.code.removeprefix("design."), []).append(finding)
    return {code: findings[0] for code, findings in found.items()}


def runs(**columns):
    """Sixteen sizes and lengths apart, at 16 bits but for what is given."""
    sizes = {"n_params": np.repeat([1e7, 4e7, 16e7, 64e7], 4), "tokens": np.tile([1e9, 4e9, 16e9, 64e9], 4)}
    return points_frame(run_id=[f"r{i}" for i in range(16)], **(sizes | columns))


@pytest.mark.parametrize("name", law_names())
def test_every_law_finds_what_it_needs_in_a_table_made_for_it(make_fit, name):
    fit = make_fit(name)
    found = check(fit.law, fit.rows)
    few = {"runs", "repeats", "post_training_bits", "collinear", "bits_together"}
    assert {code for code, finding in found.items() if finding.status == Status.WARN} <= few
    assert all(finding.advice for finding in found.values() if finding.status == Status.WARN)


def test_an_additive_penalty_names_its_own_constants(design):
    never = check(ADDITIVE, design.assign(bits_kv=16.0))["bits_kv"]
    assert never.message == "No run has KV cache below 16 bits: the priors decide k_kv and c_kv."
    quantized = design[design["bits_weights"] < 16]
    assert check(ADDITIVE, quantized)["reference"].message.endswith("partly a and k_w, k_a, k_kv.")


def test_a_penalty_that_grows_needs_quantized_runs_of_several_sizes(design):
    assert check(ADDITIVE, design)["training_size"].status == Status.PASS
    fixed = check(ADDITIVE, design[design["tokens"].eq(1e6)])["training_size"]
    assert "D = 1M: the priors decide gamma_D_train" in fixed.message
    none = check("chen2025", runs(group_size=128.0))["training_size"]
    assert (none.status, none.value) == (Status.WARN, 0.0)
    assert "training_size" not in check("kumar2024", design)


def test_kinds_with_the_same_bits_are_tied_and_it_is_said(design):
    frame = design.assign(bits_activations=design["bits_weights"])
    law = with_ties(ADDITIVE, tied_kinds(ADDITIVE, frame))
    found = check(law, frame)
    finding = found["bits_together"]
    assert (finding.status, finding.value) == (Status.WARN, 1.0)
    assert finding.message == (
        "The bits of weights and activations are the same in every row, so only their joint effect is "
        "identified: k_a is tied to k_w, c_a is tied to c_w; a question about weights alone rests on that "
        "assumption."
    )
    assert "bits_activations" not in found
    assert "k_a" not in found["reference"].message
    assert found["runs"].threshold == check(ADDITIVE, frame)["runs"].threshold - 4


def test_three_tied_kinds_are_one_sentence(design):
    frame = design.assign(bits_activations=design["bits_weights"], bits_kv=design["bits_weights"])
    law = with_ties(ADDITIVE, tied_kinds(ADDITIVE, frame))
    finding = check(law, frame)["bits_together"]
    assert finding.value == 2.0
    assert "weights, activations and KV cache are the same" in finding.message


def test_kinds_that_change_one_to_one_but_differ_are_not_tied(design):
    frame = design.assign(bits_activations=design["bits_weights"].replace({4.0: 8.0}))
    law = with_ties(ADDITIVE, tied_kinds(ADDITIVE, frame))
    assert not law.ties
    message = check(law, frame)["bits_together"].message
    assert message.startswith(
        "Bits always change together for weights and activations: the priors decide how"
    )


def test_ties_a_user_chose_are_no_warning(design):
    law = with_ties(ADDITIVE, {"k_a": "k_w", "c_a": "c_w"})
    found = check(law, design)
    assert found["bits_together"].status == Status.PASS
    one_left = check(with_ties(ADDITIVE, {"k_a": "k_w"}), design[design["bits_activations"] != 3])
    assert one_left["bits_activations"].status == Status.PASS


def test_gradients_have_bits_and_constants_of_their_own(design):
    law = parse_law(GRADIENTS, "test")
    frame = design[design["bits_post"].isna()]
    never = check(law, frame)
    assert never["bits_gradients"].message == (
        "No run has gradients below 16 bits: the priors decide gamma_g and P0_g."
    )
    same = frame.assign(bits_gradients=frame["bits_weights"])
    assert not tied_kinds(law, same)
    found = check(law, same)
    assert found["bits_gradients"].status == Status.PASS
    assert "weights and gradients: the priors decide how gamma_w, P0_w and gamma_g, P0_g share" in (
        found["bits_together"].message
    )
    assert found["ignored_column"].status == Status.PASS


@pytest.mark.parametrize(
    ("formats", "rank", "says"),
    [
        ([""], 0, "the priors decide k_float, delta_float, nu_float"),
        (["", "mxfp4"], 1, "formats E2M1: the priors decide delta_float and nu_float"),
        (["", "e4m3", "e5m3"], 2, "the priors decide nu_float"),
        (["", "e2m1", "e2m3"], 2, "the priors decide delta_float"),
        (["", "fp4", "fp8"], 2, "how delta_float and nu_float share"),
        (["", "fp4", "fp8", "e5m2"], 3, "E2M1, E4M3, E5M2."),
    ],
)
def test_floating_point_formats(formats, rank, says):
    frame = runs(format=[formats[i % len(formats)] for i in range(16)], group_size=32.0)
    found = check("sun2025", frame)
    assert found["floating_point"].value == rank
    assert found["floating_point"].status == (Status.PASS if rank == 3 else Status.WARN)
    assert says in found["floating_point"].message
    assert found["block_size"].status == Status.WARN
    assert "ignored_column" in found
    assert found["ignored_column"].status == Status.PASS


def test_block_sizes_of_a_format_and_of_a_column_count():
    frame = runs(format=["mxfp4", "nvfp4", "fp8", ""] * 4, group_size=[np.nan, np.nan, 128.0, 16.0] * 4)
    assert check("sun2025", frame)["block_size"].value == 3.0


def test_formats_as_categories_say_how_many_runs_and_where():
    frame = runs(format=["", "mxfp4", "", "nvfp4"] * 4, format_backward=["", "mxfp8"] + [""] * 14)
    found = check("quartet2025", frame)
    assert found["scheme"].status == Status.PASS
    assert "mxfp4 (4 runs, N 10M to 640M, D 4B); nvfp4 (4 runs" in found["scheme"].message
    backward = found["scheme_backward"]
    assert (backward.status, backward.value) == (Status.WARN, 1.0)
    assert "eff_D of mxfp8 rests on one run" in backward.message
    none = check("frantar2025", runs())["scheme"]
    assert none.message == "No run has a quantized forward pass: the priors decide eff_N."
    assert "N_eff" not in found["reference"].message
    assert check("quartet2025", frame[frame["format"] != ""])["reference"].message.endswith(
        "a and eff_N, eff_D."
    )


def test_bits_are_part_of_a_format():
    frame = runs(bits_weights=[4.0, 16.0] * 8, bits_activations=[4.0, 16.0, 8.0, 16.0] * 4)
    message = check("frantar2025", frame)["scheme"].message
    assert "int w4a4 (4 runs" in message
    assert "int w4a8 (4 runs" in message


def test_group_sizes():
    frame = runs(bits_weights=[4.0, 16.0] * 8, group_size=128.0)
    finding = check("chen2025", frame)["group_size"]
    assert finding.message == "Group sizes of quantized runs 128 only: the priors decide gamma_G."
    frame["group_size"] = [128.0, 128.0, 32.0, 32.0] * 4
    assert check("chen2025", frame)["group_size"].status == Status.PASS
    assert check("chen2025", frame)["ignored_column"].status == Status.PASS
    assert check("bitlaw-default", frame)["ignored_column"].message.startswith("Column group_size varies")


def test_laws_that_take_losses_as_data_count_degradations(make_fit):
    fit = make_fit("ptq-gap")
    found = check(fit.law, fit.rows)
    assert not {"n_params", "tokens", "ratio", "collinear", "reference"} & set(found)
    assert found["runs"].message.startswith("64 degradations of 16 runs for 5 sampled constants")
    few = check(fit.law, fit.rows[fit.rows["run_id"] == fit.rows["run_id"].iloc[0]])
    assert (few["runs"].status, few["runs"].value, few["runs"].threshold) == (Status.WARN, 4.0, 10.0)
    assert "gamma_D and gamma_N" in few["post_size"].message


def test_the_power_law_in_bits_names_its_own_slope(make_fit):
    fit = make_fit("ouyang2024")
    one = fit.rows[fit.rows["bits_post"].isna() | fit.rows["bits_post"].eq(4)]
    found = check(fit.law, one)
    assert "the priors decide gamma_P" in found["bits_post"].message
    assert "post_training_bits" not in found


def test_a_base_without_floor_needs_two_sizes(design):
    law = load_law("kaplan")
    frame = design[design["bits_post"].isna() & design["n_params"].lt(100e3)]
    frame = frame[frame[["bits_weights", "bits_activations", "bits_kv"]].eq(16).all(axis=1)]
    assert check(law, frame)["n_params"].status == Status.PASS
    one = check(law, frame.assign(n_params=1e5))["n_params"].message
    assert one == "Every run has N = 100k: the priors decide a, alpha."


@pytest.mark.parametrize(
    ("law", "columns"),
    [
        ("coupled", set()),
        ("bitlaw-default", {"bits_weights", "bits_activations", "bits_kv"}),
        ("chen2025", {"bits_weights", "bits_activations", "bits_kv", "group_size"}),
        ("sun2025", {"bits_weights", "bits_activations", "bits_kv", "format", "group_size"}),
        ("frantar2025", {"bits_weights", "bits_activations", "bits_kv", "format"}),
    ],
)
def test_columns_a_law_reads(law, columns):
    possible = {"bits_weights", "bits_activations", "bits_kv", "bits_gradients", "format", "format_backward"}
    possible |= {"group_size", "corpus", "family", "method"}
    assert explained_columns(load_law(law)) & possible == columns


def test_a_format_the_law_reads_is_not_ignored_and_one_it_does_not_is():
    frame = runs(format=["", "mxfp4", "nvfp4", ""] * 4, bits_gradients=[16.0, 8.0] * 8)
    assert check("quartet2025", frame)["ignored_column"].status == Status.PASS
    found = design_findings(load_law("coupled"), frame)
    ignored = [finding.message.split()[1] for finding in found if finding.code == "design.ignored_column"]
    assert ignored == ["format", "bits_gradients"]


def test_names_of_formats_that_bits_describe_are_no_levels():
    frame = runs(bits_weights=[16.0, 8.0, 4.0, 16.0] * 4, format=["bf16", "int8", "int4", "fp16"] * 4)
    assert check("bitlaw-default", frame)["ignored_column"].status == Status.PASS


def test_every_pooled_column_is_explained():
    frame = runs(corpus=["a", "b"] * 8, family=["x"] * 8 + ["y"] * 8, method=["p"] * 4 + ["q"] * 12)
    assert check("coupled", frame, ("corpus", "family", "method"))["ignored_column"].status == Status.PASS
    assert "--pool method" in check("coupled", frame, ("corpus", "family"))["ignored_column"].advice
    some = frame.assign(method=[""] * 4 + ["q"] * 12)
    assert "--pool" not in check("coupled", some, ("corpus", "family"))["ignored_column"].advice

import numpy as np
import pytest

from bitlaw.criticism.design import design_findings
from bitlaw.finding import Status
from bitlaw.inference.draws import points_frame
from bitlaw.laws.registry import load_law

LAW = load_law("kumar2024-coupled")


def check(frame, law=LAW, pool=()):
    found = {}
    for finding in design_findings(law, frame, pool):
        found.setdefault(finding.code.removeprefix("design."), []).append(finding)
    return found


def only(found, code):
    (finding,) = found[code]
    return finding


def test_a_good_design_passes_and_says_what_is_there(design):
    found = check(design)
    assert found.pop("repeats")[0].status == Status.WARN  # every size and precision was run once
    assert {finding.status for findings in found.values() for finding in findings} == {Status.PASS}
    assert only(found, "n_params").message == "N from 25k to 332k, 4 levels."
    assert only(found, "runs").value == 128
    assert only(found, "collinear").value == 1.0


def test_one_size_names_the_constants_the_priors_decide(design):
    found = check(design.assign(n_params=7e9))
    finding = only(found, "n_params")
    assert finding.status == Status.WARN
    assert finding.message == "Every run has N = 7B: the priors decide a, alpha, g (and E partly)."
    assert only(found, "collinear").status == Status.NOT_RUN
    assert "gamma_N" in only(found, "post_size").message


def test_one_length_names_beta(design):
    found = check(design.assign(tokens=1e9), load_law("chinchilla"))
    assert "D = 1B: the priors decide b, beta (and E partly)" in only(found, "tokens").message


def test_two_sizes_are_too_few_for_a_slope_and_a_floor(design):
    finding = only(check(design[design["n_params"] < 100e3]), "n_params")
    assert (finding.status, finding.value) == (Status.WARN, 2.0)
    assert "cannot tell a, alpha, g from E" in finding.message


def test_sizes_that_hardly_differ_are_one_level(design):
    close = design["n_params"].map(
        dict(zip(sorted(design["n_params"].unique()), [1e8, 1.01e8, 1.02e8, 4e8], strict=True))
    )
    finding = only(check(design.assign(n_params=close)), "n_params")
    assert (finding.status, finding.value) == (Status.WARN, 2.0)


def test_a_fixed_ratio_is_collinear_even_when_rounded(design):
    found = check(design.assign(tokens=np.round(20 * design["n_params"], -3)))
    assert only(found, "ratio").status == Status.WARN
    assert "alpha and beta" in only(found, "ratio").message
    finding = only(found, "collinear")
    assert finding.status == Status.WARN
    assert finding.value > 1000
    assert "gamma_D and gamma_N" in only(found, "post_size").message


def test_runs_on_one_compute_budget_are_collinear_though_ratios_differ(design):
    found = check(design.assign(tokens=1e17 / 6 / design["n_params"]))
    assert only(found, "ratio").status == Status.PASS
    assert only(found, "collinear").status == Status.WARN


def test_too_few_runs_for_the_constants(design):
    few = design[design["run_id"].isin(design["run_id"].unique()[:20])]
    finding = only(check(few), "runs")
    assert (finding.status, finding.value, finding.threshold) == (Status.WARN, 20, 34)


def test_a_tensor_kind_never_or_once_quantized(design):
    never = only(check(design.assign(bits_kv=16.0)), "bits_kv")
    assert "the priors decide gamma_kv and P0_kv" in never.message
    once = only(check(design.assign(bits_kv=design["bits_kv"].replace(2.0, 3.0))), "bits_kv")
    assert (once.status, once.value) == (Status.WARN, 1.0)


def test_kinds_that_always_change_together(design):
    tied = check(design.assign(bits_activations=design["bits_weights"], bits_kv=16.0))
    finding = only(tied, "bits_together")
    assert finding.status == Status.WARN
    assert "weights and activations" in finding.message
    single = check(design.assign(bits_activations=16.0, bits_kv=16.0))
    assert only(single, "bits_together").status == Status.NOT_RUN


def test_no_run_at_16_bits(design):
    finding = only(check(design.assign(bits_kv=design["bits_kv"].clip(upper=4))), "reference")
    assert (finding.status, finding.value) == (Status.WARN, 0.0)


def test_more_than_16_bits_count_as_16(design):
    wide = design.assign(bits_weights=design["bits_weights"].replace(16.0, 32.0))
    assert only(check(wide), "reference").status == Status.PASS
    assert only(check(wide), "bits_weights").value == 2


def test_post_training_rows_absent_at_one_bit_width_or_from_one_precision(design):
    trained = check(design[design["bits_post"].isna()])
    assert "the priors decide C, gamma_D, gamma_N, gamma_post, C_w" in only(trained, "bits_post").message
    assert "post_size" not in trained
    one = design[design["bits_post"].isna() | (design["bits_post"] == 3)]
    assert "gamma_post" in only(check(one), "bits_post").message
    from_16 = design[design["bits_post"].isna() | (design["bits_weights"] == 16)]
    assert "C_w" in only(check(from_16), "post_training_bits").message


def test_post_training_rows_of_one_length(design):
    one_length = design[design["bits_post"].isna() | (design["tokens"] == 1e6)]
    assert "D = 1M: the priors decide gamma_D" in only(check(one_length), "post_size").message


def test_unpaired_rows_are_counted(design):
    finding = only(check(design.drop(index=0)), "paired")
    assert (finding.status, finding.value) == (Status.WARN, 4.0)


def test_laws_without_a_term_have_no_checks_of_it(design):
    found = check(design, load_law("chinchilla"))
    assert not {"bits_weights", "bits_together", "reference", "bits_post", "paired"} & set(found)


@pytest.mark.parametrize("column", ["corpus", "family"])
def test_an_ignored_group_is_named_unless_pooled_over(design, column):
    frame = design.assign(**{column: np.where(design["tokens"] > 2e6, "web", "code")})
    finding = only(check(frame), "ignored_column")
    assert finding.status == Status.WARN
    assert f"{column} varies (code, web)" in finding.message
    assert "--pool" in finding.advice
    assert only(check(frame, pool=(column,)), "ignored_column").status == Status.PASS


def test_at_most_six_levels_are_listed(design):
    frame = design.assign(corpus=[f"c{i % 9}" for i in range(len(design))])
    frame["corpus"] = frame.groupby("run_id")["corpus"].transform("first")
    assert "c5, and" in only(check(frame), "ignored_column").message


def test_a_method_that_only_quantized_runs_have_is_no_other_level(design):
    quantized = design[["bits_weights", "bits_activations", "bits_kv"]].lt(16).any(axis=1)
    same = design.assign(method=np.where(quantized, "ste", ""))
    assert only(check(same), "ignored_column").status == Status.PASS
    mixed = design.assign(method=np.where(design["bits_weights"] < 4, "lsq", same["method"]))
    assert "method varies (empty, lsq, ste)" in only(check(mixed), "ignored_column").message


def test_methods_after_training_have_constants_of_their_own_but_group_sizes_have_not(design):
    method = design["method_post"].where(design["bits_post"] != 3, "gptq")
    frame = design.assign(method_post=method, group_size=design["bits_post"].map({2.0: 64.0, 3.0: 128.0}))
    columns = [finding.message.split()[1] for finding in check(frame)["ignored_column"]]
    assert columns == ["group_size"]


def test_seeds_and_vocabularies_do_not_count():
    frame = points_frame(run_id=list("abcd"), n_params=[1e6, 1e7] * 2, tokens=[1e8, 1e8, 1e9, 1e9])
    frame = frame.assign(seed=[0, 1, 2, 3], vocab_size=[256.0, 512, 256, 512], loss_se=0.1)
    assert only(check(frame, load_law("coupled")), "ignored_column").status == Status.PASS


def test_precision_a_law_has_no_term_for_is_an_ignored_column(design):
    columns = [finding.message.split()[1] for finding in check(design, load_law("coupled"))["ignored_column"]]
    assert columns == ["bits_weights", "bits_activations", "bits_kv"]


def test_a_method_measured_at_one_bit_width_borrows_its_slope(design):
    assert "method_post" not in check(design)
    both = design.assign(method_post=design["method_post"].where(design["tokens"] > 2e6, "gptq"))
    assert (
        only(check(both), "method_post").message
        == "2 methods after training, with 4 bit-widths or more each."
    )
    one = design.assign(method_post=design["method_post"].where(design["bits_post"] != 3, "gptq"))
    finding = only(check(one), "method_post")
    assert (finding.status, finding.value) == (Status.WARN, 1.0)
    assert "1 of 2 methods after training were measured at one bit-width (gptq)" in finding.message
    assert "decide gamma_post there" in finding.message

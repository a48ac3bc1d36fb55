import numpy as np
import pytest

from bitlaw.criticism.differences import Elasticity, law_differences
from fits import NOISE, collapsed_fit, kumar_constants

BASE = {"mean_loss": 2.5, "floor_share": 0.6, "n_share": 0.5, "slope_n": 0.06, "slope_d": 0.07, "g": 0.6}
ADDITIVE = {f"{name}_{kind}": value for kind in ("w", "a", "kv") for name, value in (("k", 0.01), ("c", 1.0))}
GROWTH = {"gamma_D_train": 0.15, "gamma_N_train": 0.25}
AFTER = {"C": 0.03, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.65, "C_w": 50.0}
CAPACITY = {"gamma_w": 2.0, "P0_w": 0.6, "gamma_a": 2.2, "P0_a": 0.8, "gamma_kv": 1.0, "P0_kv": 0.9}
BITLAW = BASE | ADDITIVE | GROWTH | AFTER | NOISE


def found(fit, quantity: str, column: str) -> Elasticity:
    return next(
        item
        for item in law_differences([fit]).elasticities
        if (item.quantity, item.column) == (quantity, column)
    )


def test_additive_exponents_are_the_elasticities_of_the_gap():
    fit = collapsed_fit("bitlaw-default", BITLAW)
    for column, expected in (("tokens", 0.15), ("n_params", -0.25)):
        item = found(fit, "gap to 16 bits", column)
        assert item.value.median == pytest.approx(expected, abs=1e-4)
        assert item.value.lo == pytest.approx(item.value.hi)
    assert item.where == "int w4a4kv4"


def test_effective_parameters_on_chinchilla_have_no_growth_with_tokens():
    fit = collapsed_fit("kumar2024", kumar_constants())
    assert found(fit, "gap to 16 bits", "tokens").value.median == pytest.approx(0.0, abs=1e-6)
    assert found(fit, "gap to 16 bits", "n_params").value.median == pytest.approx(-0.4965, abs=0.01)


def test_degradation_grows_with_tokens_and_a_bit_divides_it():
    fit = collapsed_fit("bitlaw-default", BITLAW)
    item = found(fit, "degradation after training", "tokens")
    assert item.value.median == pytest.approx(0.5, abs=1e-4)
    assert item.where == "3 bits by gptq"
    per_bit = found(fit, "degradation after training", "bits_post").value.median
    assert per_bit == pytest.approx(np.exp(1 / 0.65), rel=1e-6)


def test_laws_of_degradations_are_told_apart_by_their_bits():
    exponential = collapsed_fit("ptq-gap", AFTER | NOISE)
    power = {name: value for name, value in AFTER.items() if name not in ("gamma_post", "C_w")}
    other = collapsed_fit("ptq-gap-power", power | NOISE | {"gamma_P": 4.0})
    both = law_differences([exponential, other])
    columns = {(item.law, item.column) for item in both.elasticities}
    assert columns == {
        (law, name) for law in ("ptq-gap", "ptq-gap-power") for name in ("tokens", "bits_post")
    }
    assert any("one bit more divides" in sentence for sentence in both.sentences())


def test_structures_are_told_apart_in_words():
    laws = [
        collapsed_fit("kumar2024-coupled", BASE | CAPACITY | AFTER | NOISE),
        collapsed_fit("bitlaw-default", BITLAW),
    ]
    differences = law_differences(laws)
    assert differences.cannot[0].startswith("kumar2024-coupled cannot say that the gap to 16 bits moves with")
    assert differences.cannot[1].startswith("bitlaw-default cannot say that two tensor kinds")
    assert len(differences.cannot) == 2  # the post-training term is shared
    sentence = next(text for text in differences.sentences() if "gap to 16 bits grows with D" in text)
    assert "as D^0.150 (90 % ETI 0.150 to 0.150) under bitlaw-default" in sentence
    assert sentence.startswith("At int w4a4kv4 ")
    assert differences.to_dict()["sentences"] == list(differences.sentences())


def test_a_law_without_a_term_is_said_to_have_none():
    laws = [collapsed_fit("coupled", BASE | NOISE), collapsed_fit("bitlaw-default", BITLAW)]
    text = law_differences(laws).sentences()
    assert "coupled has no term for training precision." in text
    assert "coupled has no term for post-training quantization." in text
    assert law_differences(laws[:1]).sentences() == ()

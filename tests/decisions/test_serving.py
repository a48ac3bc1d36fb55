"""Memory at serving: keys and values beside the weights of a decision on quantizing after training."""

import json
import math

import pytest

from bitlaw.decisions.costs import kv_cache_memory
from bitlaw.decisions.hardware import load_chip
from bitlaw.decisions.ptq import ptq
from bitlaw.decisions.serving import KvCache, Serving, kv_cache_of
from bitlaw.errors import InputError
from fits import collapsed_fit, kumar_constants, measured_everywhere

SHAPE = (32, 8, 128)


@pytest.fixture(scope="module")
def fit():
    return measured_everywhere(collapsed_fit("kumar2024", kumar_constants(), samples=20, jitter=0.02))


def test_a_known_cache():
    """Llama 3 8B: 131,072 bytes a token at 16 bits."""
    cache = KvCache(*SHAPE, context=1.0)
    assert cache.gigabytes(16) * 1e9 == pytest.approx(131072)
    assert KvCache(*SHAPE, context=4096.0).gigabytes(8) * 1e9 == kv_cache_memory(32, 8, 128, 1024, 4, 8)


def test_weights_and_cache_of_every_option(fit):
    decision = ptq(fit, 7e9, 1e12, bits=(8, 4), kv_cache=SHAPE, context=8192)
    assert decision.kv_cache_gb == pytest.approx(1.0737, abs=1e-4)
    table = decision.table()
    assert table["weights, GB"].tolist() == [7.0, 3.5]
    assert table["in all, GB"].tolist() == [8.07, 4.57]
    assert "keys and values of 8.19k tokens 1.07 GB at 16 bits" in decision.sentence()
    assert json.loads(json.dumps(decision.to_dict()))["kv_cache"] == {
        "layers": 32, "kv_heads": 8, "head_dim": 128, "context": 8192, "gb": pytest.approx(1.0737, abs=1e-4),
    }  # fmt: skip


def test_a_cache_trained_in_fewer_bits_is_served_in_them(fit):
    whole, half = (ptq(fit, 7e9, 1e12, bits_kv=bits, kv_cache=SHAPE, context=8192) for bits in (16, 8))
    assert half.kv_cache_gb == pytest.approx(whole.kv_cache_gb / 2)


def test_what_was_not_asked_is_not_said(fit):
    decision = ptq(fit, 7e9, 1e12)
    assert decision.kv_cache_gb is None
    assert "KV cache, GB" not in decision.table()
    assert "At serving" not in decision.sentence()
    assert decision.to_dict()["kv_cache"] is None


@pytest.mark.parametrize(
    ("shape", "context", "message"),
    [
        (SHAPE, None, "together"),
        (None, 8192, "together"),
        ((32, 8), 8192, "kv_cache is 32x8"),
        ((32, 8, 0.5), 8192, "kv_cache is 32x8x0.5"),
        (SHAPE, 0, "context is 0"),
        (SHAPE, math.inf, "context is inf"),
    ],
)
def test_bad_caches(shape, context, message):
    with pytest.raises(InputError, match=message):
        kv_cache_of(shape, context)


def test_chips_that_hold_weights_and_cache(fit):
    """A cache of 131,072 bytes a token: 2,000,000 tokens take 262.144 GB."""
    decision = ptq(
        fit, 1e9, 2e10, bits=(8,), tolerance=1.0, kv_cache=SHAPE, context=2e6, hardware=["H100", "gb300"]
    )
    assert decision.smallest_safe_bits == 8.0
    assert decision.serving.gigabytes == pytest.approx(1.0 + 262.144)
    assert "That fits in the memory of 4 h100 (80 GB each) or one gb300 (288 GB)." in decision.sentence()
    assert "Not counted: embeddings, scales, activations." in decision.sentence()
    assert json.loads(json.dumps(decision.to_dict()))["serving"] == {
        "bits": 8.0,
        "gb": pytest.approx(263.144),
        "chips": {"h100": {"memory_gb": 80.0, "needed": 4}, "gb300": {"memory_gb": 288.0, "needed": 1}},
    }


def test_every_option_has_its_number_of_chips(fit):
    table = ptq(fit, 7e10, 1e12, bits=(8, 4, 2), hardware="tpu-v6e").table()
    assert table["weights, GB"].tolist() == [70.0, 35.0, 17.5]
    assert table["tpu-v6e needed"].tolist() == [3, 2, 1]
    assert "in all, GB" not in table


def test_without_a_cache_the_sentence_says_that_it_is_not_counted(fit):
    text = ptq(fit, 1e9, 2e10, bits=(8,), tolerance=1.0, hardware="h100").sentence()
    assert "At serving its weights take 1 GB at 8 bits. That fits in the memory of one h100 (80 GB)." in text
    assert "Not counted: embeddings, scales, activations, keys and values." in text


def test_where_nothing_is_safe_the_weights_stay_as_trained(fit):
    decision = ptq(fit, 1e9, 2e10, tolerance=1e-9, hardware="h100")
    assert decision.smallest_safe_bits is None
    assert decision.serving.weights_gb == pytest.approx(2.0)
    assert "At serving its weights take 2 GB at 16 bits." in decision.sentence()


@pytest.mark.parametrize(
    ("gigabytes", "needed"), [(0.1, 1), (79.99, 1), (80.0, 1), (80.01, 2), (160.0, 2), (161.0, 3)]
)
def test_chips_needed(gigabytes, needed):
    assert Serving(8.0, gigabytes, 16.0).needed(load_chip("h100")) == needed


@pytest.mark.parametrize(
    ("hardware", "message"),
    [("h10", "unknown chip"), (["h100", "H100"], "each once"), ([], "one or more chips")],
)
def test_bad_chips(fit, hardware, message):
    with pytest.raises(InputError, match=message):
        ptq(fit, 1e9, 2e10, hardware=hardware)

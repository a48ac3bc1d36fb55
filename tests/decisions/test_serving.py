"""Memory at serving: keys and values beside the weights of a decision on quantizing after training."""

import json
import math

import pytest

from bitlaw.decisions.costs import kv_cache_memory
from bitlaw.decisions.ptq import ptq
from bitlaw.decisions.serving import KvCache, kv_cache_of
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

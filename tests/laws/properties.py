"""What must hold for any law, as functions of a law; the tests run them over the library and the docs."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import tomli_w

from bitlaw.inference.prior import frozen, prior_draws
from bitlaw.laws.capacity import EFFECTIVE_PARAMETERS_PRINTED
from bitlaw.laws.evaluate import Trained, log_post_degradation, train
from bitlaw.laws.law import Law, Reference
from bitlaw.laws.registry import law_names, load_law
from bitlaw.laws.spec import parse_law

REFERENCE = Reference(
    1e8, 2e9, {"bits_weights": 3.0, "bits_activations": 4.0, "bits_kv": 3.0, "bits_gradients": 4.0}
)
ROWS = 40
LOSS_TRAINED = 2.5
VOCABULARY = 32_000.0
BITS = ("bits_weights", "bits_activations", "bits_kv", "bits_gradients")
LABELS = {"scheme", "scheme_backward"}
"""Columns whose value is a level; a law is evaluated with the constants of that level."""


def composed(base: str, training: tuple[str, ...] = (), post: str | None = None, equal: bool = False) -> Law:
    """A law that is not in the library, from its terms."""
    terms = {"base": base, "training": list(training), "equal_exponents": equal}
    head = {"name": f"{base} with {', '.join((*training, post or 'nothing'))}", "title": "t", "source": "s"}
    spec = head | {"summary": "s", "terms": terms | ({"post": post} if post else {})}
    return parse_law(tomli_w.dumps(spec), "composed")


LAWS: dict[str, Law] = {name: load_law(name) for name in law_names()} | {
    "chinchilla, alpha = beta": composed("chinchilla", equal=True),
    "coupled, alpha = beta": composed("coupled", ("additive",), "exponential", equal=True),
    "kaplan, alpha = beta": composed("kaplan", ("format-parameters",), "power", equal=True),
    "parameters and tokens": composed("coupled", ("effective-parameters", "effective-tokens"), "power"),
    "formats and gradients": composed("chinchilla", ("format-parameters", "effective-tokens")),
    "groups and floating point": composed("kaplan", ("additive-in-groups", "floating-point")),
}
"""Every law of the library, and compositions that use the terms and options no library law has."""


def may_hurt_with_tokens(law: Law) -> bool:
    """Whether more tokens may raise a loss as trained: a penalty of its own may grow with D."""
    return any(term.penalty is not None for term in law.training)


def is_base_law_without_quantization(law: Law) -> bool:
    """Whether 16 bits is exactly the base law; the printed form of arXiv 2411.04330 has f(16) < 1."""
    return EFFECTIVE_PARAMETERS_PRINTED not in law.training


def random_columns(seed: int = 1, fewest_bits: float = 4.0) -> dict[str, np.ndarray]:
    """Every column a term may read, at random, bits from ``fewest_bits`` up."""
    rng = np.random.default_rng(seed)
    bits = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 8.0, 16.0, 32.0])
    training = {name: rng.choice(bits[bits >= fewest_bits], ROWS) for name in BITS}
    bits_post = np.minimum(rng.choice([2.0, 3.0], ROWS), training["bits_weights"] / 2)
    return {
        **training,
        "n_params": 10 ** rng.uniform(7, 9, ROWS),
        "tokens": 10 ** rng.uniform(8, 11, ROWS),
        "bits_post": bits_post,
        "post_symmetric": (rng.random(ROWS) < 0.5) & (bits_post >= 2.0),
        "is_quantized": rng.random(ROWS) < 0.7,
        "is_quantized_backward": rng.random(ROWS) < 0.7,
        "is_floating": rng.random(ROWS) < 0.7,
        "exponent_bits": rng.choice([1.0, 2.0, 4.0, 5.0], ROWS),
        "mantissa_bits": rng.choice([0.0, 1.0, 3.0], ROWS),
        "block_size": rng.choice([16.0, 32.0, 128.0], ROWS),
        "group_size": rng.choice([1.0, 16.0, 128.0, 4096.0], ROWS),
        "loss_trained": rng.uniform(1.0, 5.0, ROWS),
        "ceiling": np.log(rng.choice([256.0, VOCABULARY, np.inf], ROWS)),
    }


def unquantized(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same rows without any quantization in training."""
    without = np.zeros(ROWS, bool)
    flags = dict.fromkeys(("is_quantized", "is_quantized_backward", "is_floating"), without)
    return columns | {name: np.maximum(columns[name], 16.0) for name in BITS} | flags


def draws_of(law: Law, count: int, seed: int) -> dict[str, np.ndarray]:
    """Prior draws of all parameters, shape (draws, 1)."""
    return {name: values[:, None] for name, values in prior_draws(law, REFERENCE, count, seed).items()}


def extreme_draws(law: Law, count: int, seed: int) -> dict[str, np.ndarray]:
    """Sampled quantities each at its median or one in ten thousand from either end of its prior."""
    rng = np.random.default_rng(seed)
    levels = {prior.name: rng.choice([1e-4, 0.5, 1 - 1e-4], count) for prior in law.priors}
    return {name: frozen(law.prior(name), REFERENCE).ppf(level) for name, level in levels.items()}


def sampled_draws(law: Law, count: int, seed: int) -> dict[str, np.ndarray]:
    """What the sampler moves: half plain prior draws, half extreme ones, shape (draws,)."""
    plain = prior_draws(law, REFERENCE, count, seed)
    extreme = extreme_draws(law, count, seed)
    return {name: np.concatenate([plain[name], values]) for name, values in extreme.items()}


def outputs_of(law: Law, p: dict, columns: dict, xp: object) -> tuple[Trained, object]:
    """Runs as trained, and ln δ (0 for a law without a post-training term)."""
    trained = train(law, p, columns, REFERENCE, xp)
    if law.post is None:
        return trained, 0.0
    return trained, log_post_degradation(law, p, columns, trained.log_n, REFERENCE, xp)


def check_columns_are_known(law: Law) -> None:
    """A term reads columns that there are."""
    assert law.training_columns <= set(random_columns()) | LABELS


def check_numpy_is_pytensor(law: Law) -> None:
    """One formula, two array libraries: equal to 1e-12, far into the priors and below the floors."""
    draws, columns = sampled_draws(law, 30, seed=3), random_columns(fewest_bits=1.0)
    inputs, outputs = symbolic(law, draws, columns)
    compiled = pytensor.function(inputs, outputs, on_unused_input="ignore", mode="FAST_COMPILE")
    loss, penalty, log_n, log_delta = compiled(*draws.values())
    p = law.complete({name: value[:, None] for name, value in draws.items()}, np)
    expected, expected_delta = outputs_of(law, p, columns, np)
    np.testing.assert_allclose(loss, expected.loss, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(log_n, expected.log_n, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(log_delta, expected_delta, rtol=1e-12, atol=1e-12)
    assert (np.abs(penalty - expected.penalty) <= 1e-12 * (1.0 + np.abs(expected.loss))).all()


def check_gradients_are_finite(law: Law) -> None:
    """Wherever the sampler may go: floors lie below the smallest bits of a table, so those are the fewest."""
    draws, columns = sampled_draws(law, 60, seed=3), random_columns(fewest_bits=4.0)
    inputs, (loss, _, _, log_delta) = symbolic(law, draws, columns)
    slopes = pytensor.grad(loss.sum() + log_delta.sum(), inputs, disconnected_inputs="ignore")
    compiled = pytensor.function(inputs, [loss, *slopes], on_unused_input="ignore", mode="FAST_COMPILE")
    assert all(np.isfinite(values).all() for values in compiled(*draws.values()))


def symbolic(law: Law, draws: dict, columns: dict) -> tuple[list, list]:
    """Inputs for the draws, and loss, penalty, ln(N_eff/N̄) and ln δ as PyTensor variables."""
    inputs = {name: pt.dvector(name) for name in draws}
    p = law.complete({name: value[:, None] for name, value in inputs.items()}, pt)
    trained, log_delta = outputs_of(law, p, columns, pt)
    outputs = (trained.loss, trained.penalty, trained.log_n, log_delta)
    return list(inputs.values()), [pt.as_tensor(value) for value in outputs]


def check_more_is_never_worse(law: Law) -> None:
    """More parameters, tokens or bits, or smaller blocks, never raise the loss of a trained run.

    Except where the law says so: ``may_hurt_with_tokens``; and a penalty's decline with parameters
    has a Normal prior, so it holds for the draws in which it declines.
    """
    columns = random_columns()
    p = draws_of(law, 200, seed=5)
    if "gamma_N_train" in p:
        declines = p["gamma_N_train"][:, 0] >= 0
        p = {name: value[declines] for name, value in p.items()}
    loss = train(law, p, columns, REFERENCE, np).loss
    factors = dict.fromkeys((*BITS, "exponent_bits", "mantissa_bits"), 1.5) | {"n_params": 1.7}
    factors |= {"block_size": 0.5} | ({} if may_hurt_with_tokens(law) else {"tokens": 1.7})
    changes = [columns | {name: columns[name] * factor} for name, factor in factors.items()]
    for better in (*changes, unquantized(columns)):
        assert (train(law, p, better, REFERENCE, np).loss <= loss * (1 + 1e-12)).all()


def check_more_bits_after_training_never_hurt(law: Law) -> None:
    """Nor do more parameters, in the draws in which the degradation falls with them."""
    if law.post is None:
        return
    columns = random_columns()
    p = draws_of(law, 200, seed=5)
    log_delta = outputs_of(law, p, columns, np)[1]
    more_bits = outputs_of(law, p, columns | {"bits_post": columns["bits_post"] + 0.5}, np)[1]
    assert (more_bits <= log_delta + 1e-9).all()
    larger = outputs_of(law, p, columns | {"n_params": 2.0 * columns["n_params"]}, np)[1]
    declines = p["gamma_N"][:, 0] >= 0
    assert (larger <= log_delta + 1e-9)[declines].all()


def check_unquantized_is_the_base(law: Law) -> None:
    """Without quantization a law is its base, to the last digit; as printed, it is a little worse."""
    columns = unquantized(random_columns())
    p = draws_of(law, 50, seed=7)
    trained = train(law, p, columns, REFERENCE, np)
    if law.base.loss is None:
        base = columns["loss_trained"]
    else:
        log_n = np.log(columns["n_params"] / REFERENCE.n_params)
        log_d = np.log(columns["tokens"] / REFERENCE.tokens)
        base = law.base.loss(p, log_n, log_d, np)
    if is_base_law_without_quantization(law):
        np.testing.assert_array_equal(
            np.broadcast_to(trained.loss, (50, ROWS)), np.broadcast_to(base, (50, ROWS))
        )
    else:
        assert (trained.loss >= base).all()
        assert (trained.loss > base).any()


def check_never_worse_than_guessing(law: Law) -> None:
    """No draw, however far out, takes a model that is better than guessing beyond ln V."""
    columns = random_columns(fewest_bits=1.0) | {"ceiling": np.full(ROWS, np.log(256.0))}
    p = law.complete({name: value[:, None] for name, value in sampled_draws(law, 200, seed=11).items()}, np)
    trained = train(law, p, columns, REFERENCE, np)
    highest = np.maximum(columns["ceiling"], trained.unquantized)
    assert (np.asarray(trained.penalty) >= -1e-12 * trained.unquantized).all()
    assert (trained.loss <= highest * (1 + 1e-12)).all()


def check_losses_are_plausible(law: Law) -> None:
    """On an ordinary table, 90 % of the losses the priors expect lie between .3 nats and guessing."""
    rng = np.random.default_rng(0)
    size = ROWS
    columns = random_columns() | {
        **{name: rng.choice([4.0, 6.0, 8.0, 16.0], size) for name in BITS},
        "n_params": 10 ** rng.uniform(np.log10(3e7), 9, size),
        "tokens": 10 ** rng.uniform(9, np.log10(5e10), size),
        "bits_post": np.full(size, 3.0),
        "group_size": np.full(size, 128.0),
        "exponent_bits": np.full(size, 4.0),
        "mantissa_bits": np.full(size, 3.0),
        "loss_trained": np.full(size, LOSS_TRAINED),
        "ceiling": np.full(size, np.log(VOCABULARY)),
    }
    reference = Reference(
        float(np.exp(np.log(columns["n_params"]).mean())),
        float(np.exp(np.log(columns["tokens"]).mean())),
        dict.fromkeys(BITS, 4.0),
    )
    p = {name: values[:, None] for name, values in prior_draws(law, reference, 2000, 0).items()}
    loss = np.asarray(train(law, p, columns, reference, np).loss)
    assert np.mean((loss > 0.3) & (loss < np.log(VOCABULARY))) >= 0.9


CHECKS = (
    check_columns_are_known,
    check_numpy_is_pytensor,
    check_gradients_are_finite,
    check_more_is_never_worse,
    check_more_bits_after_training_never_hurt,
    check_unquantized_is_the_base,
    check_never_worse_than_guessing,
    check_losses_are_plausible,
)

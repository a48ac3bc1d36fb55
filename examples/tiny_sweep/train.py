"""Train one run to completion, evaluate it, then evaluate its rounded copies."""

from __future__ import annotations

import math
import time

import torch
import torch.nn.functional as functional
from corpus import Corpus, training_offsets, validation_windows
from grid import BATCH, BYTES_PER_STEP, CONTEXT, POST_BITS, Run
from model import VOCABULARY, ByteDecoder
from quantize import UNQUANTIZED_BITS, Precision, round_to_nearest

REFERENCE_LEARNING_RATE = 8e-3
REFERENCE_WIDTH = 64
WARM_UP_SHARE = 0.05
FINAL_SHARE = 0.01
WEIGHT_DECAY = 0.1
BETAS = (0.9, 0.99)
CLIP_NORM = 1.0
VALIDATION_WINDOWS = 1024
VALIDATION_BATCH = 64
CHECK_EVERY = 200


def peak_learning_rate(width: int) -> float:
    """Peak learning rate, falling with the square root of the width."""
    return REFERENCE_LEARNING_RATE * math.sqrt(REFERENCE_WIDTH / width)


def schedule(step: int, steps: int) -> float:
    """Share of the peak learning rate: linear warm-up, then cosine to about zero."""
    warm_up = max(1, round(WARM_UP_SHARE * steps))
    if step < warm_up:
        return (step + 1) / warm_up
    progress = (step - warm_up) / max(1, steps - warm_up)
    return FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * progress))


def make_optimizer(model: ByteDecoder, rate: float) -> torch.optim.AdamW:
    """AdamW; only the blocks' matrices decay."""
    decayed = list(model.block_weights())
    known = {id(weight) for weight in decayed}
    others = [weight for weight in model.parameters() if id(weight) not in known]
    groups = [
        {"params": decayed, "weight_decay": WEIGHT_DECAY},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=BETAS, fused=True)


def train_model(run: Run, stream: torch.Tensor) -> tuple[ByteDecoder, int]:
    """Train ``run`` from its seed; returns the model and the steps taken.

    Fewer steps than planned are taken only if the loss stops being finite.
    """
    torch.manual_seed(run.seed)
    model = ByteDecoder(run.shape, CONTEXT)
    peak = peak_learning_rate(run.shape.width)
    optimizer = make_optimizer(model, peak)
    weights = list(model.parameters())
    offsets = training_offsets(stream.numel(), CONTEXT, run.steps * BATCH, run.seed)
    offsets = offsets.view(run.steps, BATCH, 1)
    window = torch.arange(CONTEXT + 1)
    for step in range(run.steps):
        tokens = stream[offsets[step] + window].long()
        logits = model(tokens[:, :-1], run.precision)
        loss = functional.cross_entropy(logits.view(-1, VOCABULARY), tokens[:, 1:].reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, CLIP_NORM)
        rate = peak * schedule(step, run.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % CHECK_EVERY == 0 and not math.isfinite(loss.item()):
            return model, step + 1
    return model, run.steps


@torch.no_grad()
def evaluate(model: ByteDecoder, windows: torch.Tensor, precision: Precision) -> float:
    """Mean validation loss in nats per byte, summed in double precision."""
    total, count = 0.0, 0
    for batch in windows.split(VALIDATION_BATCH):
        logits = model(batch[:, :-1], precision)
        losses = functional.cross_entropy(
            logits.reshape(-1, VOCABULARY), batch[:, 1:].reshape(-1), reduction="none"
        )
        total += losses.double().sum().item()
        count += losses.numel()
    return total / count


def post_bits_below(weight_bits: int) -> list[int]:
    """Bits of the post-training roundings that lose something at these weights."""
    return [bits for bits in POST_BITS if bits < weight_bits]


@torch.no_grad()
def evaluate_rounded(
    model: ByteDecoder, windows: torch.Tensor, precision: Precision
) -> list[tuple[int, float, float]]:
    """(bits, loss, seconds) after rounding the *deployed* weights once more.

    The deployed weights of a model trained with quantized weights are the
    quantized ones, so those are rounded; activations, keys and values keep
    the training bits. The model's weights are overwritten.
    """
    weights = list(model.block_weights())
    deployed = [round_to_nearest(weight, precision.weights).clone() for weight in weights]
    kept = Precision(UNQUANTIZED_BITS, precision.activations, precision.kv)
    results = []
    for bits in post_bits_below(precision.weights):
        began = time.perf_counter()
        for weight, source in zip(weights, deployed):
            weight.copy_(round_to_nearest(source, bits))
        loss = evaluate(model, windows, kept)
        results.append((bits, loss, time.perf_counter() - began))
    return results


def is_diverged(loss: float) -> bool:
    """A loss that is not finite or is worse than guessing uniformly."""
    return not math.isfinite(loss) or loss > math.log(VOCABULARY)


def execute(run: Run, corpus: Corpus) -> list[dict[str, object]]:
    """Train and evaluate one run; its trained row, then its rounded rows."""
    began = time.perf_counter()
    model, steps = train_model(run, corpus.training)
    windows = validation_windows(corpus.validation, CONTEXT, VALIDATION_WINDOWS)
    loss = evaluate(model, windows, run.precision)
    trained = {
        "run_id": run.run_id,
        "n_params": run.shape.n_params,
        "tokens": steps * BYTES_PER_STEP,
        "loss": loss,
        "bits_weights": run.precision.weights,
        "bits_activations": run.precision.activations,
        "bits_kv": run.precision.kv,
        "bits_post": "",
        "method_post": "",
        "seed": run.seed,
        "vocab_size": VOCABULARY,
        "status": "diverged" if is_diverged(loss) else "ok",
        "corpus": corpus.record.corpus,
        "family": "tiny_sweep",
        "wall_seconds": time.perf_counter() - began,
    }
    if not math.isfinite(loss):
        return [trained]
    rounded = [
        {"bits_post": bits, "method_post": "rtn", "loss": loss, "wall_seconds": seconds}
        for bits, loss, seconds in evaluate_rounded(model, windows, run.precision)
    ]
    return [trained, *(trained | changes for changes in rounded)]

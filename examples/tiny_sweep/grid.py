"""The grid of runs: which sizes, data amounts, bits and seeds, in which order."""

from __future__ import annotations

from dataclasses import dataclass

from model import Shape
from quantize import Precision

CONTEXT = 128
BATCH = 8
BYTES_PER_STEP = CONTEXT * BATCH
POST_BITS = (2, 3, 4, 5, 6, 8)
MILLION = 1_000_000

SMALL, MEDIUM, LARGE, LARGEST = Shape(32, 2), Shape(48, 2), Shape(64, 3), Shape(96, 3)
SECONDS_PER_MILLION = {SMALL: 13.0, MEDIUM: 20.0, LARGE: 45.0, LARGEST: 80.0}
QUANTIZED_SLOWDOWN = 1.25
EVALUATION_MILLIONS = 0.131072 / 3
EXPENSIVE_SECONDS = 100.0

FULL = Precision()
QUANTIZED = (
    *(Precision(weights=bits) for bits in (2, 3, 4, 5, 6)),
    *(Precision(activations=bits) for bits in (3, 4, 5, 6)),
    *(Precision(kv=bits) for bits in (2, 3, 4)),
    *(Precision(bits, bits, bits) for bits in (3, 4, 6)),
)
# Cells (shape, millions of bytes) that every quantized setting visits, in order.
COMMON_CELLS = ((SMALL, 1), (MEDIUM, 2), (SMALL, 4), (LARGE, 1), (LARGEST, 1))
# One further cell per setting, in turn.
EXTRA_CELLS = ((SMALL, 8), (LARGE, 2))
# Expensive cells of a few settings.
FAR_CELLS = (
    (LARGEST, 2, Precision(weights=3)),
    (MEDIUM, 8, Precision(activations=4)),
    (LARGEST, 2, Precision(kv=3)),
    (MEDIUM, 8, Precision(4, 4, 4)),
)
# Cells repeated with seeds 1 and 2.
REPEATED_CELLS = (
    (SMALL, 1, FULL),
    (MEDIUM, 2, FULL),
    (SMALL, 4, Precision(weights=3)),
    (LARGE, 1, Precision(4, 4, 4)),
)


@dataclass(frozen=True)
class Run:
    """One training run: a shape, a number of steps, a precision and a seed."""

    shape: Shape
    steps: int
    precision: Precision
    seed: int = 0

    @property
    def tokens(self) -> int:
        return self.steps * BYTES_PER_STEP

    @property
    def run_id(self) -> str:
        bits = self.precision
        return (
            f"n{self.shape.n_params}_d{self.tokens}_w{bits.weights}"
            f"_a{bits.activations}_kv{bits.kv}_s{self.seed}"
        )

    @property
    def post_rows(self) -> int:
        """Rows that rounding after training adds."""
        return sum(bits < self.precision.weights for bits in POST_BITS)

    @property
    def estimated_seconds(self) -> float:
        """Rough cost on one thread, evaluations included."""
        per_million = SECONDS_PER_MILLION[self.shape]
        if self.precision != FULL:
            per_million *= QUANTIZED_SLOWDOWN
        evaluations = EVALUATION_MILLIONS * (1 + self.post_rows)
        return per_million * (self.tokens / MILLION + evaluations)


def make_run(shape: Shape, millions: int, precision: Precision, seed: int = 0) -> Run:
    """A run over (at least) so many million bytes, in whole steps."""
    return Run(shape, -(-millions * MILLION // BYTES_PER_STEP), precision, seed)


def baseline_runs() -> list[Run]:
    """Sixteen-bit runs at every size and data amount, cheapest first."""
    shapes = (SMALL, MEDIUM, LARGE, LARGEST)
    cells = [(shape, millions) for shape in shapes for millions in (1, 2, 4, 8)]
    cells += [(SMALL, 16), (MEDIUM, 16)]
    runs = [make_run(shape, millions, FULL) for shape, millions in cells]
    return sorted(runs, key=lambda run: run.estimated_seconds)


def quantized_runs() -> list[Run]:
    """Quantized runs, one cell after another, each cell over all its settings."""
    common = [make_run(*cell, bits) for cell in COMMON_CELLS for bits in QUANTIZED]
    extra = [make_run(*EXTRA_CELLS[at % len(EXTRA_CELLS)], bits) for at, bits in enumerate(QUANTIZED)]
    return common + extra


def repeated_runs() -> list[Run]:
    """The repetitions of four cells with other seeds."""
    return [make_run(*cell, seed) for cell in REPEATED_CELLS for seed in (1, 2)]


def spread(cheap: list[Run], expensive: list[Run]) -> list[Run]:
    """Interleave the expensive runs with the cheap ones, evenly by cost.

    Expensive runs begin after an eighth of the cheap work and are all placed
    before its last fifth, so that no long run is left alone at the end.
    """
    total = sum(run.estimated_seconds for run in cheap)
    count = len(expensive)
    marks = [total * (0.125 + 0.65 * at / count) for at in range(count)]
    ordered, waiting, done = [], list(zip(marks, expensive)), 0.0
    for run in cheap:
        while waiting and waiting[0][0] <= done:
            ordered.append(waiting.pop(0)[1])
        ordered.append(run)
        done += run.estimated_seconds
    return ordered + [run for _, run in waiting]


def planned_runs() -> list[Run]:
    """All runs, ordered so that any prefix is a usable design."""
    baselines, far = baseline_runs(), [make_run(*cell) for cell in FAR_CELLS]
    cheap_baselines = [run for run in baselines if run.estimated_seconds < EXPENSIVE_SECONDS]
    costly_baselines = baselines[len(cheap_baselines) :]
    quantized, repeated = quantized_runs(), repeated_runs()
    one, two = len(QUANTIZED), 2 * len(QUANTIZED)
    cheap = [
        *cheap_baselines,
        *quantized[:one],
        *repeated[:4],
        *quantized[one:two],
        *repeated[4:],
        *quantized[two:],
    ]
    expensive = []
    for at, run in enumerate(costly_baselines):
        expensive.append(run)
        if at % 2 and at // 2 < len(far):
            expensive.append(far[at // 2])
    return spread(cheap, expensive)

"""What is left out to compile a law sooner changes no gradient, and no law is computed twice."""

import gc

import numpy as np
import pytest
from numba.core import config
from numba.np import arrayobj
from pytensor.compile.mode import predefined_modes
from pytensor.graph.rewriting.utils import rewrite_graph
from pytensor.graph.traversal import graph_inputs, io_toposort

from bitlaw.inference.compilation import quick_compilation
from bitlaw.inference.compiled import CompiledLaw, compile_law
from bitlaw.inference.model import build_model
from bitlaw.inference.rows import arrange, reference_scales
from bitlaw.laws.registry import load_law
from designs import law_design, precision_design, simulated

_STEP = 1e-6


def compiled(name: str) -> CompiledLaw:
    law = load_law(name)
    design = law_design(law, sizes=(1e7, 1.6e8), tokens=(4e8, 1e10)) if law.by else precision_design()
    return compile_law(law, simulated(law, design))


@pytest.mark.parametrize("name", ["kumar2024-coupled", "quartet2025"])
def test_compiled_gradients_are_the_slopes_of_the_compiled_density(name: str) -> None:
    """With rewriting in place left out altogether, the density is right and its gradient is not."""
    own = compiled(name)
    evaluate = own.model.logp_func.vm.jit_fn
    at = np.random.default_rng(0).normal(0.0, 0.1, own.model.n_dim)

    def density(point: np.ndarray) -> float:
        return float(evaluate(point, own.numbers.vector)[0])

    gradient = np.array(evaluate(at, own.numbers.vector)[1])
    slopes = [(density(at + step) - density(at - step)) / (2 * _STEP) for step in _STEP * np.eye(len(at))]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-4, atol=1e-5 * np.abs(gradient).max())


def test_the_law_is_computed_once_for_runs_their_cells_and_their_quantization() -> None:
    """The coupled law takes one sum of powers for a run as it is, and one at its effective parameters."""
    law = load_law("kumar2024-coupled")
    frame = simulated(law, precision_design())
    rows = arrange(law, frame)
    assert rows.cells
    assert len(rows.paired)
    density = build_model(law, rows, reference_scales(frame)).logp()
    merged = rewrite_graph(density, include=("merge",))
    nodes = io_toposort(list(graph_inputs([merged])), [merged])
    assert sum("LogAddExp" in str(node.op) for node in nodes) == 2


def test_everything_is_put_back() -> None:
    def state() -> tuple[object, ...]:
        return (
            gc.isenabled(),
            predefined_modes["NUMBA"],
            vars(config)["OPT"],
            arrayobj.raise_with_shape_context,
        )

    before = state()
    with quick_compilation():
        assert not any(now is usual for now, usual in zip(state(), before, strict=True))
    assert state() == before

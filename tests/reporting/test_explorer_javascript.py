"""The recording namespace: what is recorded computes what NumPy does, and says what cannot be recorded."""

import json
import subprocess

import numpy as np
import pytest

from bitlaw.reporting.explorer.javascript import SUPPORT, TEMPLATES, Record
from browsers import NODE, needs_node

X, Y = (-2.5, -1.0, 0.0, 0.3, 1.0, 3.7), (0.5, -1.0, 2.0, 0.3, -4.0, 3.0)
BOOLEAN = {"logical_and", "logical_or", "logical_not"}


def in_node(source: str) -> object:
    assert NODE is not None
    done = subprocess.run([NODE, "-e", source], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@needs_node
@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_function_is_numpys(name: str) -> None:
    record = Record((), ("x", "y"))
    x, y = record.value("x"), record.value("y")
    arguments = (x > 0.1, y > 0.1) if name in BOOLEAN else (x > 0.1, x, y) if name == "where" else (x, y)
    count = sum(f"{{{index}}}" in TEMPLATES[name] for index in range(3))
    function = record.function("f", getattr(record.xp, name)(*arguments[:count]))
    points = list(zip(X, Y, strict=True))
    source = f"{SUPPORT}{function}\nconst f_ = f(); const all = {json.dumps(points)}.map(([x, y]) => Number(f_(x, y)));"
    found = in_node(source + "process.stdout.write(JSON.stringify(all.map(String)));")
    a, b = np.array(X), np.array(Y)
    plain = (a > 0.1, b > 0.1) if name in BOOLEAN else (a > 0.1, a, b) if name == "where" else (a, b)
    with np.errstate(all="ignore"):
        expected = np.asarray(getattr(np, name)(*plain[:count]), float)
    np.testing.assert_allclose([float(value) for value in found], expected, rtol=1e-14, atol=1e-15)


@needs_node
def test_operators_are_pythons() -> None:
    def formula(x, y):  # noqa: ANN001, ANN202
        both = (x < y) & ~(x >= 1.0) | (x == 0.3)
        return [
            -x + 2.0 * y - x / y,
            3.0 - x**2,
            2.0**y,
            np.float64(2.0) * x - np.float64(1.0),
            1 / y,
            abs(x),
            both * 1.0,
        ]

    record = Record((), ("x", "y"))
    x, y = record.value("x"), record.value("y")
    results = formula(x, y)
    function = record.function("f", results)
    points = list(zip(X, Y, strict=True))
    found = in_node(
        f"{function}\nprocess.stdout.write(JSON.stringify({json.dumps(points)}.map((one) => f()(...one))));"
    )
    np.testing.assert_allclose(np.array(found, float).T, formula(np.array(X), np.array(Y)), rtol=1e-14)


def test_what_repeats_is_computed_once_and_what_stays_outside_the_inner_function() -> None:
    record = Record(("p",), ("n",))
    xp, p, n = record.xp, record.value("p.a"), record.value("n")
    xp.log(p)
    function = record.function("f", xp.exp(p) * n + xp.exp(p) + 0.0)
    assert function.count("Math.exp") == 1
    assert "Math.log" not in function
    assert function.index("Math.exp") < function.index("=>")


def test_what_cannot_be_recorded_says_so() -> None:
    record = Record((), ("n",))
    n = record.value("n")
    with pytest.raises(TypeError, match="use xp.where"):
        bool(n > 1.0)
    with pytest.raises(AttributeError, match=r"no JavaScript for xp.erf; a term may use .*exp"):
        record.xp.erf(n)
    assert record.xp.log(2.0) == np.log(2.0)
    assert record.xp.where(True, 1.0, n) == 1.0


def test_names_are_never_words_of_the_language() -> None:
    record = Record((), ("n",))
    value = record.value("n")
    for index in range(2000):
        value = value + float(index + 1)
    names = list(record.steps)
    assert len(set(names)) == len(names)
    assert all(
        name[0].isalpha() and (len(name) == 1 or name[1:].strip("_").isdigit() or name[1:] == "_")
        for name in names
    )

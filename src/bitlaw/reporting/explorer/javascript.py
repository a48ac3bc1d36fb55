"""Python formulas as JavaScript: an array namespace that records what is computed with it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_UNARY: dict[str, str] = {
    name: f"Math.{name}({{0}})"
    for name in (
        "abs", "cbrt", "ceil", "cos", "cosh", "exp", "expm1", "floor", "log", "log10", "log1p", "log2",
        "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
    )
} | {
    "absolute": "Math.abs({0})",
    "arctan": "Math.atan({0})",
    "asarray": "{0}",
    "exp2": "Math.pow(2, {0})",
    "isfinite": "Number.isFinite({0})",
    "isnan": "Number.isNaN({0})",
    "logical_not": "!{0}",
    "negative": "-{0}",
    "square": "{0} * {0}",
}  # fmt: skip
_SEVERAL: dict[str, str] = {
    "add": "{0} + {1}",
    "divide": "{0} / {1}",
    "hypot": "Math.sqrt({0} * {0} + {1} * {1})",
    "logaddexp": "logaddexp({0}, {1})",
    "logical_and": "{0} && {1}",
    "logical_or": "{0} || {1}",
    "maximum": "Math.max({0}, {1})",
    "minimum": "Math.min({0}, {1})",
    "multiply": "{0} * {1}",
    "power": "Math.pow({0}, {1})",
    "subtract": "{0} - {1}",
    "where": "{0} ? {1} : {2}",
}
TEMPLATES: Mapping[str, str] = _UNARY | _SEVERAL
"""NumPy's functions that can be recorded, as JavaScript of their arguments."""

SUPPORT = """function logaddexp(x, y) {
  if (x === y) return x + Math.LN2;
  return x > y ? x + Math.log1p(Math.exp(y - x)) : y + Math.log1p(Math.exp(x - y));
}
"""
"""JavaScript that recorded functions call."""


class Value:
    """A number of the browser, known by the name of the constant that holds it.

    What it is combined with is recorded in turn. It has no truth value: a formula that branches on one
    cannot be recorded, nor could PyTensor run it.
    """

    __array_ufunc__ = None  # NumPy's numbers leave operators to this class

    def __init__(self, record: "Record", name: str, inner: bool) -> None:
        self.record, self.name, self.inner = record, name, inner

    def __bool__(self) -> bool:
        """Refuse, for the value is known in the browser only."""
        raise TypeError("a formula that is recorded cannot branch on a value; use xp.where")

    def __neg__(self) -> Any:
        return self.record.apply("-{0}", self)

    def __invert__(self) -> Any:
        return self.record.apply("!{0}", self)

    def __abs__(self) -> Any:
        return self.record.apply(TEMPLATES["abs"], self)

    def __add__(self, other: Any) -> Any:
        return self if _is(other, 0.0) else self.record.apply("{0} + {1}", self, other)

    def __radd__(self, other: Any) -> Any:
        return self if _is(other, 0.0) else self.record.apply("{0} + {1}", other, self)

    def __sub__(self, other: Any) -> Any:
        return self.record.apply("{0} - {1}", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.record.apply("{0} - {1}", other, self)

    def __mul__(self, other: Any) -> Any:
        return self if _is(other, 1.0) else self.record.apply("{0} * {1}", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self if _is(other, 1.0) else self.record.apply("{0} * {1}", other, self)

    def __truediv__(self, other: Any) -> Any:
        return self.record.apply("{0} / {1}", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.record.apply("{0} / {1}", other, self)

    def __pow__(self, other: Any) -> Any:
        template = "{0} * {0}" if _is(other, 2.0) else TEMPLATES["power"]
        return self.record.apply(template, self, other)

    def __rpow__(self, other: Any) -> Any:
        return self.record.apply(TEMPLATES["power"], other, self)

    def __lt__(self, other: Any) -> Any:
        return self.record.apply("{0} < {1}", self, other)

    def __le__(self, other: Any) -> Any:
        return self.record.apply("{0} <= {1}", self, other)

    def __gt__(self, other: Any) -> Any:
        return self.record.apply("{0} > {1}", self, other)

    def __ge__(self, other: Any) -> Any:
        return self.record.apply("{0} >= {1}", self, other)

    def __eq__(self, other: object) -> Any:
        """Whether both are the same number, in the browser."""
        return self.record.apply("{0} === {1}", self, other)

    def __ne__(self, other: object) -> Any:
        """Whether they are not."""
        return self.record.apply("{0} !== {1}", self, other)

    __hash__ = None  # type: ignore[assignment]

    def __and__(self, other: Any) -> Any:
        return self.record.apply("{0} && {1}", self, other)

    def __rand__(self, other: Any) -> Any:
        return self.record.apply("{0} && {1}", other, self)

    def __or__(self, other: Any) -> Any:
        return self.record.apply("{0} || {1}", self, other)

    def __ror__(self, other: Any) -> Any:
        return self.record.apply("{0} || {1}", other, self)


@dataclass(frozen=True)
class _Step:
    """One constant of a recorded function: its JavaScript, what that needs, and whether it is of the inner one."""

    code: str
    needs: tuple[str, ...]
    inner: bool


@dataclass(frozen=True)
class Record:
    """A JavaScript function in the making.

    It is two functions, one inside the other, so that what does not change between calls is computed once:
    the outer one takes ``outer`` names and returns a function of ``inner`` ones. An expression that occurs
    twice is one constant.

    Parameters
    ----------
    outer, inner
        Names of the arguments.

    Examples
    --------
    >>> record = Record(("p",), ("n",))
    >>> half, size = record.value("p.half"), record.value("n")
    >>> xp = record.xp
    >>> print(record.function("f", xp.exp(half) * xp.exp(half) + xp.where(size > 1.0, size, 0.0)))
    function f(p) {
      const a = p.half;
      const c = Math.exp(a);
      const d = c * c;
      return (n) => {
        const b = n;
        const e = b > 1.0;
        const f = e ? b : 0.0;
        const g = d + f;
        return g;
      };
    }
    """

    outer: tuple[str, ...]
    inner: tuple[str, ...]
    steps: dict[str, _Step] = field(default_factory=dict)
    known: dict[str, Value] = field(default_factory=dict)

    @property
    def xp(self) -> "Namespace":
        """The array namespace that records here."""
        return Namespace(self)

    def value(self, code: str) -> Value:
        """An input: an argument, or what is looked up in one.

        Parameters
        ----------
        code
            JavaScript; what does not begin with an inner argument is of the outer function.
        """
        return self._step(code, (), any(code == name or code.startswith(f"{name}[") for name in self.inner))

    def apply(self, template: str, *arguments: Any) -> Value:
        """The value of an expression.

        Parameters
        ----------
        template
            JavaScript with ``{0}`` and so on in the places of the arguments.
        arguments
            Values, or plain numbers.
        """
        values = [argument for argument in arguments if isinstance(argument, Value)]
        code = template.format(*(_code(argument) for argument in arguments))
        return self._step(code, tuple(value.name for value in values), any(value.inner for value in values))

    def _step(self, code: str, needs: tuple[str, ...], inner: bool) -> Value:
        if code not in self.known:
            name = _name(len(self.steps), {*self.outer, *self.inner})
            self.steps[name] = _Step(code, needs, inner)
            self.known[code] = Value(self, name, inner)
        return self.known[code]

    def function(self, name: str, result: Any) -> str:
        """The function as JavaScript text.

        Parameters
        ----------
        name
            What it is called.
        result
            What the inner function returns: a value or a number, or a sequence of them for an array.
        """
        results = list(result) if isinstance(result, Sequence) else [result]
        needed = self._needed([value.name for value in results if isinstance(value, Value)])
        before, inside = (
            [
                f"const {one} = {step.code};"
                for one, step in self.steps.items()
                if one in needed and step.inner is inner
            ]
            for inner in (False, True)
        )
        codes = [_code(value) for value in results]
        returned = f"[{', '.join(codes)}]" if isinstance(result, Sequence) else codes[0]
        lines = [f"function {name}({', '.join(self.outer)}) {{"]
        lines += [f"  {line}" for line in before]
        lines += [f"  return ({', '.join(self.inner)}) => {{"]
        lines += [f"    {line}" for line in (*inside, f"return {returned};")]
        return "\n".join([*lines, "  };", "}"])

    def _needed(self, names: list[str]) -> set[str]:
        needed: set[str] = set()
        while names:
            one = names.pop()
            if one not in needed:
                needed.add(one)
                names += self.steps[one].needs
        return needed


@dataclass(frozen=True)
class Namespace:
    """An array namespace whose functions are recorded; of plain numbers NumPy computes them."""

    record: Record

    def __getattr__(self, name: str) -> Any:
        """A function by NumPy's name of it."""
        if name in ("pi", "e", "inf", "nan"):
            return getattr(np, name)
        if name not in TEMPLATES:
            raise AttributeError(
                f"the explorer has no JavaScript for xp.{name}; a term may use {', '.join(sorted(TEMPLATES))}"
            )

        def recorded(*arguments: Any) -> Any:
            if not any(isinstance(argument, Value) for argument in arguments):
                return getattr(np, name)(*arguments)
            if name == "where" and not isinstance(arguments[0], Value):
                return arguments[1] if arguments[0] else arguments[2]
            return self.record.apply(TEMPLATES[name], *arguments)

        return recorded


def _is(other: Any, number: float) -> bool:
    return not isinstance(other, Value) and bool(np.ndim(other) == 0) and bool(other == number)


def _code(argument: Any) -> str:
    """A value's name, or a number as JavaScript reads it, to the last digit."""
    if isinstance(argument, Value):
        return argument.name
    number = argument.item() if isinstance(argument, np.generic | np.ndarray) else argument
    if isinstance(number, bool):
        return "true" if number else "false"
    number = float(number)
    text = "NaN" if math.isnan(number) else "Infinity" if math.isinf(number) else repr(abs(number))
    return f"({'-' if number < 0 else ''}{text})" if number < 0 else text


_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _name(index: int, taken: set[str]) -> str:
    """The name of a constant: a, b, … z, then a0, b0 and so on, none of them an argument or a word."""
    if index < len(_LETTERS):
        name = _LETTERS[index]
        return f"{name}_" if name in taken else name
    first, second = divmod(index - len(_LETTERS), len(_LETTERS))
    return f"{_LETTERS[second]}{first}"

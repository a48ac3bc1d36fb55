"""The errors bitlaw raises for mistakes a user can mend.

Anything else that escapes is a bug, and the command line says so with exit code 3.
"""

from collections.abc import Sequence


class InputError(ValueError):
    """Input or usage that cannot be worked with; the command line exits 2.

    Parameters
    ----------
    problems
        One complete sentence per problem: where it is (file, row, column), the value found, and
        what would be valid. A single string is one problem.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


def did_you_mean(word: str, choices: Sequence[str]) -> str:
    """A hint that names the closest valid choice, or all of them.

    Examples
    --------
    >>> did_you_mean("bits_wieghts", ["bits_weights", "tokens"])
    'did you mean "bits_weights"?'
    >>> did_you_mean("xyz", ["n_params", "tokens"])
    'valid: n_params, tokens'
    """
    from difflib import get_close_matches

    close = get_close_matches(word, choices, n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else f"valid: {', '.join(choices)}"

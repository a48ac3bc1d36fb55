"""The explorer as the page holds it: data as JSON, and one script."""

import json
import math
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from bitlaw.decisions.intervals import monte_carlo_error
from bitlaw.reporting.explorer.embedded import Explorer

_LARGEST_TWO_ERRORS = 2.0
ENGINE, PAGE = "explorer_engine.js", "explorer_page.js"


def explorer_context(own: Explorer) -> Mapping[str, Any]:
    """What the template of the explorer takes.

    Parameters
    ----------
    own
        The explorer.
    """
    error = _LARGEST_TWO_ERRORS * monte_carlo_error(0.5, own.data["samples"])
    shown = (
        "law",
        "group",
        "samples",
        "drift",
        "has_base",
        "reads_format",
        "kinds",
        "offers",
        "methods",
        "start",
    )
    return {
        **{name: own.data[name] for name in shown},
        "error": f"{math.ceil(100 * error)} %",
        "json": Markup(script_json(own.data)),
        "script": Markup(script_of(own)),
    }


def script_of(own: Explorer, *names: str) -> str:
    """The recorded functions and what works with them, as one script.

    Parameters
    ----------
    own
        The explorer.
    names
        Templates after the functions; by default ``ENGINE`` and ``PAGE``.
    """
    folder = files("bitlaw.reporting").joinpath("templates")
    texts = (folder.joinpath(name).read_text(encoding="utf-8") for name in names or (ENGINE, PAGE))
    return "\n".join((own.functions, *texts))


def script_json(value: Any) -> str:
    r"""JSON that cannot end the script element it is in.

    Examples
    --------
    >>> script_json({"name": "</script><!--"})
    '{"name": "\\u003c/script\\u003e\\u003c!--"}'
    """
    text = json.dumps(value, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

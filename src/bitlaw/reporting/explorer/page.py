"""The explorer as the page holds it: data as JSON, and one script."""

import json
import math
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from bitlaw.decisions.intervals import monte_carlo_error
from bitlaw.reporting.explorer.embedded import Explorer

_LARGEST_TWO_ERRORS = 2.0
_SCRIPTS = ("explorer_engine.js", "explorer_page.js")


def explorer_context(environment: Environment, own: Explorer) -> Mapping[str, Any]:
    """What the template of the explorer takes.

    Parameters
    ----------
    environment
        With the report's templates.
    own
        The explorer.
    """
    error = _LARGEST_TWO_ERRORS * monte_carlo_error(0.5, own.data["samples"])
    shown = ("law", "group", "samples", "drift", "reads_format", "kinds", "offers", "methods", "start")
    scripts = "\n".join(environment.get_template(name).render() for name in _SCRIPTS)
    return {
        **{name: own.data[name] for name in shown},
        "error": f"{math.ceil(100 * error)} %",
        "json": Markup(script_json(own.data)),
        "script": Markup(f"{own.functions}{scripts}"),
    }


def script_json(value: Any) -> str:
    r"""JSON that cannot end the script element it is in.

    Examples
    --------
    >>> script_json({"name": "</script><!--"})
    '{"name": "\\u003c/script\\u003e\\u003c!--"}'
    """
    text = json.dumps(value, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

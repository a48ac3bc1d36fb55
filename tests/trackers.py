"""What tests log to trackers: runs, with names that break what does not treat them as text."""

from collections.abc import Sequence
from typing import Any

HOSTILE = (
    "<script>alert(1)</script>",
    "she said \"no\", then 'yes'",
    "two\nlines\r\nand a tab\t",
    "x" * 700,
    "\u202etfel ot thgir\u202c שלום",
    "🚀 run=7; =cmd()",
    "../../etc/passwd",
    "a lone\rreturn",
)
"""Names that break what does not treat them as text."""


def fill_mlflow(client: Any, names: Sequence[str]) -> dict[str, str]:
    """Log runs to a store as a training script does, and return their ids by name."""
    experiment = client.create_experiment("scaling")
    ids = {}
    for at, name in enumerate(names):
        run = client.create_run(experiment, run_name=name)
        ids[name] = run.info.run_id
        client.log_param(run.info.run_id, "model.n_params", str(10_000_000 * (at + 1)))
        client.log_param(run.info.run_id, "lr", str(3e-4 * (1 + at % 2)))
        for step in range(1, 6):
            client.log_metric(run.info.run_id, "eval_loss", 4.0 - 0.1 * step - 0.01 * at, step=step)
            client.log_metric(run.info.run_id, "train_loss", 3.0 - 0.1 * step, step=step)
            client.log_metric(run.info.run_id, "tokens_seen", 1e8 * step, step=step)
        client.set_terminated(run.info.run_id)
    other = client.create_experiment("other")
    for name, status, loss in (("crashed", "FAILED", 3.3), ("burst", "KILLED", float("nan"))):
        run = client.create_run(other, run_name=name)
        client.log_param(run.info.run_id, "model.n_params", "5000000")
        client.log_metric(run.info.run_id, "eval_loss", loss, step=1)
        client.log_metric(run.info.run_id, "tokens_seen", 1e8, step=1)
        client.set_terminated(run.info.run_id, status=status)
    gone = client.create_run(other, run_name="deleted")
    client.delete_run(gone.info.run_id)
    return ids

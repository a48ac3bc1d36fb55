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


def wandb_record(name: str, at: int = 0, state: str = "finished", **summary: object) -> dict[str, Any]:
    """A run as ``wandb.Api().runs()`` gives it."""
    return {
        "id": f"id{at}",
        "name": name,
        "state": state,
        "config": {
            "model": {"n_params": 1e7 * (at + 1)},
            "lr": 3e-4 * (1 + at % 2),
            "bits": [4, 8],
            "_wandb": {"t": 1},
        },
        "summary": {"eval/loss": 3.5 - 0.1 * at, "tokens": 2e9, "_runtime": 60, "_wandb": {"runtime": 1}}
        | summary,
    }


def step_lines(run: str = "", shift: float = 0.0, n_params: float = 1e7) -> list[dict[str, object]]:
    """Lines as a training script writes them: settings first, then steps, some with an evaluation."""
    named = {"run_id": run} if run else {}
    lines: list[dict[str, object]] = [named | {"config": {"n_params": n_params, "lr": 3e-4}}]
    for step in range(1, 11):
        line = named | {"step": step, "train_loss": 3.0, "tokens": 1e8 * step, "eval_loss": None}
        if step % 2 == 0:
            line["eval_loss"] = 4.0 - 0.1 * step + shift
        lines.append(line)
    return lines


def trainer_state(
    step: int, losses: dict[int, float], tokens: float = 0, flos: float = 0.0
) -> dict[str, object]:
    """A trainer_state.json, with the keys that the Trainer writes."""
    history: list[dict[str, float]] = []
    for at, loss in losses.items():
        history.append(
            {"epoch": at / 100, "grad_norm": 0.9, "learning_rate": 3e-4, "loss": loss - 0.4, "step": at}
        )
        history.append({"epoch": at / 100, "eval_loss": loss, "eval_runtime": 3.2, "step": at})
    history.append(
        {"epoch": step / 100, "step": step, "total_flos": flos, "train_loss": 1.23, "train_runtime": 9.0}
    )
    return {
        "best_metric": None,
        "epoch": step / 100,
        "eval_steps": 100,
        "global_step": step,
        "is_world_process_zero": True,
        "log_history": history,
        "max_steps": 300,
        "num_input_tokens_seen": tokens,
        "num_train_epochs": 1,
        "stateful_callbacks": {"TrainerControl": {"args": {}, "attributes": {}}},
        "total_flos": flos,
        "train_batch_size": 8,
        "trial_name": None,
    }


_LLAMA = """\
0.00.010.777 I llama_model_loader: loaded meta data with 22 key-value pairs and 292 tensors from m/{name}.gguf (version GGUF V3 (latest))
0.00.010.802 I llama_model_loader: Dumping metadata keys/values. Note: KV overrides do not apply in this output.
0.00.010.900 I llama_model_loader: - kv   1:                               general.type str              = model
{imatrix}0.00.030.290 I print_info: file format = GGUF V3 (latest)
0.00.030.291 I print_info: file type   = {kind}
0.00.030.292 I print_info: file size   = 3.80 GiB ({bpw} BPW) 
0.00.037.451 I print_info: vocab_only       = 0
0.00.037.452 I print_info: model type       = 7B
0.00.037.453 I print_info: model params     = 6.74 B
0.00.037.454 I print_info: general.name     = {name}
0.00.037.455 I print_info: n_vocab          = 32000
perplexity: tokenizing the input ..
perplexity: calculating perplexity over 655 chunks, n_ctx=512, batch_size=2048, n_seq=4
perplexity: 0.58 seconds per pass - ETA 1.58 minutes
[1]4.3765,[2]4.9302,[3]5.7950,
Final estimate: PPL = {ppl} +/- {error}

llama_perf_context_print:        load time =     896.99 ms
"""  # noqa: E501, W291


def llama_log(
    kind: str, bpw: float, ppl: str, error: str = "0.03328", imatrix: str = "", name: str = "Llama 2 7B"
) -> str:
    return _LLAMA.format(kind=kind, bpw=bpw, ppl=ppl, error=error, imatrix=imatrix, name=name)

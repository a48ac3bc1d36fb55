"""llama.cpp: logs of ``llama-perplexity``, the final perplexity with its error and what was evaluated."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bitlaw.finding import Finding, Status
from bitlaw.importers.files import find_files, name_below
from bitlaw.importers.logged import Asked, Log, LoggedRun, Skipped
from bitlaw.units import suffixed_count

SUFFIXES = (".log", ".txt", ".out", ".err")

_INFO = r"(?:print_info|llm_load_print_meta):\s*"
_FACTS: dict[str, re.Pattern[str]] = {
    "model": re.compile(rf"{_INFO}general\.name\s*=\s*(.+)"),
    "file": re.compile(r"llama_model_loader: loaded meta data .* from (.+?) \(version"),
    "file_type": re.compile(rf"{_INFO}(?:file type|model ftype)\s*=\s*(.+)"),
    "bits_per_weight": re.compile(rf"{_INFO}(?:file size|model size)\s*=.*\(([\d.]+) BPW\)"),
    "model_params": re.compile(rf"{_INFO}model params\s*=\s*([\d.]+ ?[KMBT]?)\s*$"),
    "vocab_size": re.compile(rf"{_INFO}n_vocab(?: \(hp\))?\s*=\s*(\d+)"),
    "imatrix": re.compile(r"kv\s+\d+:\s*quantize\.imatrix\.file\s+str\s*=\s*(.+)"),
    "n_ctx": re.compile(r"perplexity: calculating perplexity over \d+ chunks, n_ctx=(\d+)"),
    "chunks": re.compile(r"perplexity: calculating perplexity over (\d+) chunks"),
}
_FINAL = re.compile(r"Final estimate: PPL\b.*?=\s*(\S+) \+/- (\S+)")
_BEGINS = re.compile(r"llama_model_loader: loaded meta data")
_UNQUANTIZED = re.compile(r"\b(F32|F16|BF16)\b")
_FAMILIES = (
    (re.compile(r"\bIQ\d"), "i-quant"),
    (re.compile(r"\bTQ\d"), "ternary"),
    (re.compile(r"\bQ\d_K\b"), "k-quant"),
    (re.compile(r"\bQ\d_\d\b"), "block-quant"),
    (re.compile(r"\bMXFP4\b"), "mxfp4"),
)
_NOT_LOGGED = "not in the log (stderr of llama-perplexity says it)"
_WORDS = ("print_info", "llm_load_print_meta", "llama_model_loader", "perplexity: ", "Final estimate")

_TOTAL = Finding(
    "import.total_params",
    Status.WARN,
    None,
    None,
    "llama.cpp counts all parameters, embeddings included, to three digits; a run table has those without.",
    "Where the parameters without embeddings are known, say --set n_params=NUMBER or name them by --pattern.",
)


def read(source: str, asked: Asked) -> Log:
    """Read perplexity logs: a row for each final estimate.

    The loss is the logarithm of the perplexity; its standard error is the printed one over the perplexity, as
    llama.cpp multiplies by it. Bits after training are the file's bits per weight, scales and unquantized
    tensors included; none for F32, F16 and BF16. The method is the family of the quantization, with
    ``+imatrix`` where an importance matrix was used. Training tokens are in no log.

    Parameters
    ----------
    source
        A log with stdout and stderr of llama-perplexity, or a folder of them (.log, .txt, .out, .err).
    asked
        Nothing of it applies: a log has one final estimate.

    Raises
    ------
    InputError
        If there is no such file, or none in the folder.
    """
    skipped: list[Skipped] = []
    runs: list[LoggedRun] = []
    for path in find_files(source, SUFFIXES, "logs of llama-perplexity"):
        found = list(_evaluations(path, name_below(path, source), skipped))
        runs += found
        if not found and not any(item.what == str(path) for item in skipped):
            skipped.append(Skipped(str(path), 'it has no line "Final estimate: PPL = … +/- …"'))
    has_params = any("model_params" in run.fields for run in runs)
    return Log(
        tuple(runs),
        tuple(skipped),
        defaults={
            "n_params": "model_params",
            "loss": "perplexity",
            "loss_se": "perplexity_se",
            "bits_post": "bits_post",
            "method_post": "method_post",
            "vocab_size": "vocab_size",
        },
        origins={
            "bits_post": "bits per weight of the file, unless F32, F16 or BF16",
            "method_post": "family of the file type",
            "perplexity": "logarithm of the perplexity",
            "perplexity_se": "error of the perplexity / perplexity",
        },
        loss_unit="perplexity",
        loss_rule="final estimate",
        names_are_models=True,
        findings=(_TOTAL,) if has_params else (),
    )


def _evaluations(path: Path, name: str, skipped: list[Skipped]) -> Iterator[LoggedRun]:
    facts: dict[str, str] = {}
    count = 0
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if not any(word in line for word in _WORDS):
                    continue
                if _BEGINS.search(line):
                    facts = {}
                for fact, pattern in _FACTS.items():
                    if found := pattern.search(line):
                        facts[fact] = found[1].strip()
                if final := _FINAL.search(line):
                    count += 1
                    key = name if count == 1 else f"{name}#{count}"
                    yield LoggedRun(facts.get("model") or name, key, _fields(facts, *final.groups()))
    except OSError as error:
        skipped.append(Skipped(str(path), f"cannot be read: {error.strerror}"))


def _fields(facts: Mapping[str, str], perplexity: str, error: str) -> dict[str, object]:
    fields: dict[str, object] = {**facts, "perplexity": perplexity, "perplexity_se": error}
    if "model_params" in facts:
        fields["model_params"] = suffixed_count(facts["model_params"]) or facts["model_params"]
    kind = facts.get("file_type", "")
    if not kind or "bits_per_weight" not in facts:
        fields["bits_post"] = _NOT_LOGGED  # else the row would pass for one that is not quantized
    elif not _UNQUANTIZED.search(kind):
        family = next((name for pattern, name in _FAMILIES if pattern.search(kind)), kind)
        fields["bits_post"] = facts["bits_per_weight"]
        fields["method_post"] = f"llama.cpp {family}" + ("+imatrix" if "imatrix" in facts else "")
    return fields

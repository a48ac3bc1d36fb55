"""Names under which runs are usually logged: which field is which column of a run table."""

import re
from collections.abc import Iterable, Sequence

USUAL: dict[str, tuple[str, ...]] = {
    "n_params": (
        "non_embedding_params", "n_params_non_embedding", "num_params_non_embedding", "num_params",
        "n_parameters", "num_parameters", "parameters", "params", "param_count", "model_params",
        "total_params", "n_non_embedding_params",
    ),
    "tokens": (
        "n_tokens", "num_tokens", "total_tokens", "train_tokens", "training_tokens", "tokens_seen",
        "n_tokens_seen", "num_tokens_seen", "num_input_tokens_seen", "consumed_tokens",
        "total_train_tokens",
    ),
    "flops": ("total_flos", "total_flops", "train_flops", "training_flops"),
    "loss": (
        "eval_loss", "val_loss", "valid_loss", "validation_loss", "test_loss", "loss_eval", "loss_val",
        "eval_ce_loss", "val_ce_loss", "eval_lm_loss", "validation_lm_loss", "eval_cross_entropy",
        "val_cross_entropy", "eval_nll", "val_nll",
    ),
    "bits_weights": ("weight_bits", "weights_bits", "w_bits", "wbits", "bits_w"),
    "bits_activations": ("activation_bits", "activations_bits", "act_bits", "a_bits", "abits", "bits_a"),
    "bits_kv": ("kv_bits", "kvbits", "kv_cache_bits", "bits_kv_cache"),
    "bits_gradients": ("gradient_bits", "gradients_bits", "grad_bits", "g_bits", "bits_grad"),
    "bits_post": ("ptq_bits", "post_bits", "bits_ptq"),
    "format": (),
    "format_backward": ("backward_format",),
    "method": (),
    "method_post": ("ptq_method", "post_method"),
    "group_size": ("groupsize", "quant_group_size"),
    "corpus": ("dataset", "dataset_name", "train_dataset"),
    "family": ("model_family",),
    "seed": ("random_seed",),
    "vocab_size": ("n_vocab", "vocabulary_size", "padded_vocab_size"),
}  # fmt: skip
"""Column to usual names. The loss of training batches is not among them: a run table has validation losses."""

_NOT_BY_OWN_NAME = ("loss",)


def plain(name: str) -> str:
    """A name in small letters, digits and single underscores.

    Examples
    --------
    >>> plain("Eval/Loss")
    'eval_loss'
    """
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def without_prefix(name: str, prefixes: Sequence[str]) -> str:
    """A field's name without what says where it was logged.

    Examples
    --------
    >>> without_prefix("config.model.n_params", ("config.", "summary."))
    'model.n_params'
    """
    for prefix in prefixes:
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name


def usual_fields(column: str, fields: Iterable[str], prefixes: Sequence[str] = ()) -> list[str]:
    """The fields that go by the best of the usual names of a column: one, none, or several as good.

    Names as a whole come before their last parts, and a column's own name before others.

    Parameters
    ----------
    column
        Canonical column.
    fields
        Names of fields.
    prefixes
        What names may begin with that says where they were logged.

    Examples
    --------
    >>> usual_fields("n_params", ["config.model.n_params", "config.lr"], ("config.",))
    ['config.model.n_params']
    >>> usual_fields("loss", ["train/loss", "eval/loss", "val/loss"])
    ['eval/loss', 'val/loss']
    """
    own = () if column in _NOT_BY_OWN_NAME else (column,)
    usual = USUAL.get(column, ())
    named = {name: without_prefix(name, prefixes) for name in fields}
    wholes = {name: plain(rest) for name, rest in named.items()}
    parts = {name: {plain(rest.split(mark)[-1]) for mark in "./"} for name, rest in named.items()}
    for accepted in (own, usual):
        found = [name for name, whole in wholes.items() if whole in accepted]
        if found:
            return found
    for accepted in (own, usual):
        found = [name for name, ends in parts.items() if ends & set(accepted)]
        if found:
            return found
    return []


def may_be_loss(name: str, asked: str = "", prefixes: Sequence[str] = ()) -> bool:
    """Whether a metric may turn out to be the loss, so that its evaluations are kept."""
    if asked:
        return asked in (name, without_prefix(name, prefixes))
    return bool(usual_fields("loss", [name], prefixes))

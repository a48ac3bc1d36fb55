"""What to bear in mind when laws are compared."""

from collections.abc import Iterator, Sequence

from bitlaw.criticism.law_scores import LawComparison, indistinguishable
from bitlaw.finding import Finding, Status
from bitlaw.inference.refit import ExactScores, Refit
from bitlaw.inference.refit_limits import FEWEST_DRAWS, HIGHEST_PARETO_K, HIGHEST_RHAT

_LOWEST_COVERAGE = 0.7
"""Share of held-out losses in 90 % intervals below which even the best law is not to be extrapolated with."""


def comparison_findings(
    laws: Sequence[LawComparison], scored: Sequence[ExactScores], refits: Sequence[Refit]
) -> tuple[Finding, ...]:
    """Convergence, unreliable scores, ties, and what the largest runs say otherwise.

    Parameters
    ----------
    laws
        Compared laws, best first.
    scored
        Their fits.
    refits
        Their refits without the largest runs; may be empty.
    """
    return (
        *_convergence(laws),
        *_pareto_k(scored),
        *_few_draws(scored),
        _mixing(scored, refits),
        _apart(laws),
        *_beyond(laws),
    )


def _convergence(laws: Sequence[LawComparison]) -> Iterator[Finding]:
    failed = [law.law for law in laws if law.status is Status.FAIL]
    for name in failed:
        yield Finding(
            "comparison.convergence",
            Status.FAIL,
            None,
            None,
            f"The fit of {name} did not converge, so its scores may be wrong.",
            "Leave the law out with --laws, or see the findings of its fit.",
        )
    if not failed:
        yield Finding("comparison.convergence", Status.PASS, None, None, "Every fit converged.")


def _pareto_k(scored: Sequence[ExactScores]) -> Iterator[Finding]:
    code = "comparison.pareto_k"
    for item in scored:
        if item.unreliable:
            yield Finding(
                code,
                Status.WARN,
                float(len(item.unreliable)),
                0.0,
                f"Under {item.fit.law.name}, {len(item.unreliable)} of {len(item.fit.runs)} runs have a Pareto k "
                f"above {HIGHEST_PARETO_K:g} and were not refitted, for {len(item.refitted)} were: "
                f"{_first(item.unreliable)}.",
                "The law is at odds with many runs; its elpd is more likely too high than too low.",
            )
    if not any(item.unreliable for item in scored):
        refitted = sum(len(item.refitted) for item in scored)
        message = f"{refitted} scores with a Pareto k above {HIGHEST_PARETO_K:g} were replaced by refits, none is left."
        yield Finding(code, Status.PASS, 0.0, 0.0, message)


def _few_draws(scored: Sequence[ExactScores]) -> Iterator[Finding]:
    for item in scored:
        if item.rough:
            yield Finding(
                "comparison.few_draws",
                Status.WARN,
                float(len(item.rough)),
                0.0,
                f"Under {item.fit.law.name}, the scores of {len(item.rough)} of {len(item.refitted)} refitted runs "
                f"rest on fewer than {FEWEST_DRAWS:g} draws of the posterior, and may be off by nats: "
                f"{_first(item.rough)}.",
                "Differences of elpd that come from these runs say little; compare again with another --seed, or "
                "without them. Such runs have many rows in groups, formats or methods that no other run has.",
            )


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")


def _mixing(scored: Sequence[ExactScores], refits: Sequence[Refit]) -> Finding:
    code = "comparison.refits"
    largest = {item.fit.law.name: item.rhat for item in scored if item.refitted}
    for item, refit in zip(scored, refits, strict=False):
        name = item.fit.law.name
        largest[name] = max(refit.rhat, largest.get(name, 1.0))
    if not largest:
        return Finding(code, Status.NOT_RUN, None, HIGHEST_RHAT, "Nothing was refitted.")
    poor = [name for name, rhat in largest.items() if not rhat <= HIGHEST_RHAT]
    worst = max(largest.values())
    message = f"The largest R-hat of the refits is {worst:.3f}; up to {HIGHEST_RHAT:g} is fine"
    if not poor:
        return Finding(code, Status.PASS, worst, HIGHEST_RHAT, f"{message}.")
    return Finding(
        code,
        Status.WARN,
        worst,
        HIGHEST_RHAT,
        f"{message}, and {', '.join(poor)} exceeds it: scores that rest on its refits are rough.",
        "Leave-one-out scores are reliable where no run was refitted; compare with another --seed.",
    )


def _apart(laws: Sequence[LawComparison]) -> Finding:
    code = "comparison.apart"
    best, *others = laws
    if not others:
        message = f"Only {best.law} applies to this table, so there is nothing to compare it with."
        return Finding(code, Status.NOT_RUN, None, 2.0, message, "Name more laws with --laws.")
    ratios = {law.law: -law.one_out.difference / max(law.one_out.difference_se, 1e-12) for law in others}
    tied = [law.law for law in others if indistinguishable(law.one_out)]
    if not tied:
        message = f"{best.law} is more than two standard errors above every other law."
        return Finding(code, Status.PASS, min(ratios.values()), 2.0, message)
    texts = [
        f"{law.law} ({law.one_out.difference:.1f}, SE {law.one_out.difference_se:.1f} nats)"
        for law in others
        if law.law in tied
    ]
    return Finding(
        code,
        Status.WARN,
        min(ratios.values()),
        2.0,
        f"The data do not tell {best.law} apart from {', '.join(texts)}.",
        "Look at the decision under each of them and under the stack, not at the best alone.",
    )


def _beyond(laws: Sequence[LawComparison]) -> Iterator[Finding]:
    code = "comparison.beyond"
    scored = [(law, law.held_out) for law in laws if law.held_out is not None]
    if not scored:
        message = "No whole cells of the largest runs could be held out, so extrapolation was not scored."
        yield Finding(
            code, Status.NOT_RUN, None, None, message, "Log runs at more sizes or numbers of tokens."
        )
        return
    (law, best), (within, own) = max(scored, key=lambda item: item[1].elpd), scored[0]
    if law is within or indistinguishable(own):
        yield Finding(
            code, Status.PASS, own.difference, None, f"Beyond the data, too, {within.law} is among the best."
        )
    else:
        yield Finding(
            code,
            Status.WARN,
            own.difference,
            None,
            f"{within.law} predicts runs within the data best, {law.law} the largest runs: "
            f"{-own.difference:.1f} nats (SE {own.difference_se:.1f}) better there.",
            "Extrapolate with the weights beyond the data rather than those within.",
        )
    covered = best.coverage >= _LOWEST_COVERAGE
    yield Finding(
        "comparison.coverage",
        Status.PASS if covered else Status.WARN,
        best.coverage,
        _LOWEST_COVERAGE,
        f"Under {law.law}, 90 % intervals hold {100 * best.coverage:.0f} % of the losses of the largest runs.",
        ""
        if covered
        else "No compared law extrapolates honestly here: widen its intervals, or log larger runs.",
    )

"""Whether the automatic retry was needed, and whether it helped."""

from bitlaw.finding import Finding, Status


def attempts_finding(attempts: int, convergence: Status) -> Finding:
    """Say how often the posterior was sampled.

    Parameters
    ----------
    attempts
        1, or 2 after the automatic retry.
    convergence
        Overall status of the convergence findings of the attempt that was kept.
    """
    if attempts == 1:
        return Finding(
            "convergence.attempts", Status.PASS, 1.0, 1.0, "The first attempt at sampling was kept."
        )
    outcome = "did not converge either" if convergence is Status.FAIL else "converged"
    return Finding(
        "convergence.attempts",
        Status.WARN,
        float(attempts),
        1.0,
        "The first attempt at sampling failed to converge, or diverged here and there; a second one with a "
        f"higher target acceptance, more tuning and more draws {outcome}.",
        "A posterior that is hard to sample often has constants the table does not identify: "
        "see the design findings.",
    )

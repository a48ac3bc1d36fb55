import subprocess
import sys

RISK = ("backtest_record", "beyond", "joint_bits", "variance_shares", "would_help")
HEAVY = ("arviz", "arviz_stats", "pymc", "matplotlib")


def test_criticism_after_a_fit_needs_neither_arviz_nor_pymc():
    modules = (
        "contraction",
        "design",
        "extrapolation",
        "predictive",
        "prior_sensitivity",
        "residuals",
        "risk",
    )
    loading = "; ".join(f"import bitlaw.criticism.{name}" for name in (*modules, *RISK, "convergence"))
    code = f"import sys; {loading}; print(sorted({{m.split('.')[0] for m in sys.modules}} & set({HEAVY})))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"

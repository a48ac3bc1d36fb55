"""How long the report's explorer takes to redraw, measured in headless Chromium; and how large the page is.

Run on an idle machine with Chromium installed: ``python benchmarks/explorer.py --out benchmarks/results``.
"""

import argparse
import json
import re
import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path

import numpy as np
from machine import machine

REDRAWS = 60
WARM_UP = 10
LAWS = ("bitlaw-default", "kumar2024-coupled")

_LOOP = """
<script>
(() => {
  const explorer = document.getElementById("explorer"), taken = [];
  for (let index = 0; index < COUNT; index += 1) {
    const [n, d, flops] = [6 + index / 20, 9 + index / 25, 18 + index / 15].map((power) => 10 ** power);
    history.replaceState(null, "", `#explore?n=${n}&d=${d}&w=${4 + index % 9}&post=3&flops=${flops}`);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
    taken.push(Number(explorer.dataset.milliseconds));
  }
  explorer.dataset.taken = JSON.stringify(taken);
})();
</script>
"""


def redraw_times(page: Path) -> list[float]:
    """Milliseconds of each redraw of a page, the warm-up left out."""
    chromium = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if chromium is None:
        raise SystemExit("chromium is not on PATH; on Debian: apt-get install chromium")
    text = page.read_text(encoding="utf-8").replace(
        "</body>", _LOOP.replace("COUNT", str(REDRAWS)) + "</body>"
    )
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "page.html"
        own.write_text(text, encoding="utf-8")
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
                   "--dump-dom", own.as_uri()]  # fmt: skip
        document = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    found = re.search(r'data-taken="([^"]*)"', document)
    if found is None:
        raise SystemExit("the page wrote no times")
    return list(json.loads(found[1]))[WARM_UP:]


def of_law(name: str) -> dict[str, float]:
    """Redraw times and sizes of the report of one law, fitted to the embedded sweep."""
    from bitlaw import fit, read_runs, report

    table = read_runs(files("bitlaw.data").joinpath("tiny_sweep.csv"))
    fitted = fit(table, name, backtest_folds=0)
    with tempfile.TemporaryDirectory() as folder:
        page = report(fitted, folder)[1]
        times = redraw_times(page)
        size = page.stat().st_size
    return {
        "redraws": len(times),
        "median_ms": round(float(np.median(times)), 1),
        "p95_ms": round(float(np.quantile(times, 0.95)), 1),
        "worst_ms": round(max(times), 1),
        "page_bytes": size,
    }


def main() -> None:
    """Measure and write ``explorer.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--page", type=Path, help="time the explorer of this page only, and print it")
    arguments = parser.parse_args()
    if arguments.page:
        times = redraw_times(arguments.page)
        print(
            f"median {np.median(times):.1f} ms, 95 % {np.quantile(times, 0.95):.1f} ms, worst {max(times):.1f} ms"
        )
        return
    found = {"machine": machine(), "laws": {name: of_law(name) for name in LAWS}}
    (arguments.out / "explorer.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

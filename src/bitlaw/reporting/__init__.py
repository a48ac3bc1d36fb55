"""How it is told: figures, the HTML report, summary.json."""

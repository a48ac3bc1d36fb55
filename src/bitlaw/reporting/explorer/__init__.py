"""The explorer: the fit's draws in the page, and the law as JavaScript recorded from its own Python terms."""

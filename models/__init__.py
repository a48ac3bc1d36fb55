"""Law specs in TOML: terms, priors, the reason for each prior, the source."""

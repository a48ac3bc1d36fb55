"""One figure per file; each returns a matplotlib Figure."""

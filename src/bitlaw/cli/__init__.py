"""The same API, from a shell."""

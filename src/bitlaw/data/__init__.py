"""The embedded sweep."""

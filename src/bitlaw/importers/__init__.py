"""Doors in: run tables from the tools where runs are logged."""
